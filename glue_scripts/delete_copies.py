"""Glue job: delete the copies of the data that were made before users were forgotten.

Arguments: --datasets_uri, --results_uri, --glue_database, --data_version (the one prepared after
`delete_user.py`, the only one to stay). What Personalize imported last is of a version before it, so the next
import is a full one. May be repeated. Older versions of objects go with the buckets' lifecycle rules.
"""

from __future__ import annotations

import json
import sys

from preprocessing import storage
from preprocessing.catalog import Catalog
from preprocessing.session import parse_arguments
from preprocessing.storage import join


class OtherDataError(Exception):
    """Data was prepared meanwhile, perhaps of raw files that still had the users."""


def main(arguments: list[str]) -> None:
    """Run the job. Raises OtherDataError, before anything is deleted."""
    options = parse_arguments(arguments, ["datasets_uri", "results_uri", "glue_database", "data_version"], [])
    delete_exports(options.datasets_uri, options.data_version)
    delete_query_results(options.results_uri, Catalog(options.glue_database).locations())


def delete_exports(datasets_uri: str, data_version: str) -> None:
    """Delete every data version but the one named, which must be the newest."""
    root = join(datasets_uri, "personalize/")
    latest = json.loads(storage.read_text(join(root, "latest.json")) or "{}").get("dataVersion")
    if latest != data_version:
        raise OtherDataError(
            f"{join(root, 'latest.json')} names data version {latest!r}, not {data_version!r}: data was "
            "prepared while users were being forgotten; forget them again when nothing else runs"
        )
    places = [file.uri.rsplit("/personalize/", 1)[1] for file in storage.list_files(root)]
    for version in sorted({place.split("/")[0] for place in places if "/" in place} - {data_version}):
        storage.delete_prefix(join(root, version + "/"))


def delete_query_results(results_uri: str, table_locations: list[str]) -> None:
    """Delete what Athena wrote, but not the files of the tables of now: a dropped table leaves its files."""
    tables = tuple(location.rstrip("/") + "/" for location in table_locations)
    written = [file.uri for file in storage.list_files(join(results_uri, "athena/"))]
    storage.delete_files([uri for uri in written if not uri.startswith(tables)])


if __name__ == "__main__":
    main(sys.argv[1:])
