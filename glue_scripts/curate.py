"""Glue job: raw sources to one schema, one clock, each event once; what cannot be used goes to quarantine.

Arguments: --settings_uri, --raw_uri, --datasets_uri, --run_id, --glue_database (none: register no tables),
--as_of (epoch seconds of the run; now if not given), --pseudonym_key_secret_arn (needed when the
configuration pseudonymises users).
"""

from __future__ import annotations

import sys
import time

from preprocessing import storage
from preprocessing.curation import Curation
from preprocessing.pseudonyms import secret_key
from preprocessing.session import open_session, parse_arguments
from preprocessing.settings import parse_settings

REQUIRED = ["settings_uri", "raw_uri", "datasets_uri", "run_id"]


def main(arguments: list[str]) -> None:
    """Run the job."""
    options = parse_arguments(arguments, REQUIRED, ["glue_database", "as_of", "pseudonym_key_secret_arn"])
    settings = parse_settings(storage.read_bytes(options.settings_uri).decode("utf-8"))
    key = None
    if settings.pseudonymise_users:
        if not options.pseudonym_key_secret_arn:
            raise ValueError("data.privacy.pseudonymise_users needs --pseudonym_key_secret_arn")
        key = secret_key(options.pseudonym_key_secret_arn)
    spark = open_session("curate")
    Curation(
        spark=spark,
        settings=settings,
        raw_uri=options.raw_uri,
        datasets_uri=options.datasets_uri,
        run_id=options.run_id,
        glue_database=options.glue_database,
        as_of=int(options.as_of or time.time()),
        key=key,
    ).run()


if __name__ == "__main__":
    main(sys.argv[1:])
