"""Glue job: forget users in raw and curated data and in campaigns, and write what Personalize is to delete.

Arguments: --settings_uri, --raw_uri, --datasets_uri, --results_uri, --run_id, --user_ids_uri (a text file,
one id a line); --pseudonym_key_secret_arn where the configuration pseudonymises users. Afterwards run
prepare-data, then `delete_copies.py`, and start a data deletion job on privacy/<run id>/users.csv in each
dataset group. Older versions of objects in the versioned buckets go with the buckets' lifecycle rules.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys

from preprocessing import storage
from preprocessing.erasure import deletion_input, erase_from_raw, forget_derived
from preprocessing.pseudonyms import secret_key
from preprocessing.results_erasure import erase_from_results
from preprocessing.session import parse_arguments
from preprocessing.settings import parse_settings
from preprocessing.storage import join

REQUIRED = ["settings_uri", "raw_uri", "datasets_uri", "results_uri", "run_id", "user_ids_uri"]


def main(arguments: list[str]) -> None:
    """Run the job. Raises ValueError when there is no id, UnreadableFileError for a broken raw file."""
    options = parse_arguments(arguments, REQUIRED, ["pseudonym_key_secret_arn"])
    settings = parse_settings(storage.read_bytes(options.settings_uri).decode("utf-8"))
    text = storage.read_bytes(options.user_ids_uri).decode("utf-8")
    user_ids = {line.strip() for line in text.splitlines() if line.strip()}
    if not user_ids:
        raise ValueError(f"{options.user_ids_uri} names no user; write one id a line")
    exported = sorted(user_ids)
    if settings.pseudonymise_users:
        key = secret_key(options.pseudonym_key_secret_arn)
        exported = [hmac.new(key, user_id.encode(), hashlib.sha256).hexdigest() for user_id in exported]
    erased = erase_from_raw(settings, options.raw_uri, user_ids)
    erased += erase_from_results(options.results_uri, set(exported))
    forget_derived(options.datasets_uri)
    folder = join(options.datasets_uri, "privacy", options.run_id)
    storage.write_text(join(folder, "users.csv"), deletion_input(exported))
    report = {
        "runId": options.run_id,
        "users": len(user_ids),
        "rows": sum(found.rows for found in erased),
        "files": {found.file: found.rows for found in erased},
    }
    storage.write_text(join(folder, "report.json"), json.dumps(report, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
