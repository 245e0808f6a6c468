"""Forget users: their rows leave the raw files, and all that was made of these is made anew."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from preprocessing import storage
from preprocessing.salvage import OTHER_COMPRESSIONS
from preprocessing.settings import Settings
from preprocessing.storage import join


@dataclass(frozen=True)
class Erased:
    """Rows taken out of one raw file."""

    file: str
    rows: int


class UnreadableFileError(Exception):
    """A raw file cannot be searched, so nobody can say that the users are gone."""


def erase_from_raw(settings: Settings, raw_uri: str, user_ids: set[str]) -> list[Erased]:
    """Rewrite every raw file that holds rows of `user_ids` without them.

    Raises UnreadableFileError for a broken file: mend or delete it, then run again, which is harmless.
    """
    erased = []
    for table in [*settings.sources, *settings.references]:
        if "user_id" not in table.columns:
            continue
        for file in storage.list_files(join(raw_uri, table.prefix)):
            content = _content(file.uri)
            kept, removed = without_users(
                content, user_ids, is_csv=table.format == "csv", field=table.columns["user_id"]
            )
            if removed:
                data = gzip.compress(kept, mtime=0) if file.uri.endswith(".gz") else kept
                storage.write_bytes(file.uri, data)
                erased.append(Erased(file.uri, removed))
    return erased


def without_users(content: bytes, user_ids: set[str], *, is_csv: bool, field: str) -> tuple[bytes, int]:
    """Return the content without the users' rows, and how many these were; other bytes stay as they are.

    `field` names the user in a CSV's header or, with dots between levels, in each line's JSON object.
    """
    # JSON may have an id as it is or with escapes
    wanted = {form.encode() for user_id in user_ids for form in (user_id, json.dumps(user_id)[1:-1])}
    if not any(user_id in content for user_id in wanted):
        return content, 0
    # as Spark does; what ends a line stays with it
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", content)
    owners = _csv_owners if is_csv else _json_owners
    kept = [line for line, owner in zip(lines, owners(lines, field), strict=True) if owner not in user_ids]
    return b"".join(kept), len(lines) - len(kept)


def forget_derived(datasets_uri: str) -> None:
    """Delete all that was made of the raw files: the next curate run makes it anew."""
    for prefix in ("parsed/", "state/", "quarantine/", "curated/"):
        storage.delete_prefix(join(datasets_uri, prefix))


def deletion_input(user_ids: list[str]) -> str:
    """Return the CSV that Personalize's CreateDataDeletionJob takes."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["USER_ID"])
    writer.writerows([user_id] for user_id in user_ids)
    return text.getvalue()


def _content(uri: str) -> bytes:
    if uri.endswith(OTHER_COMPRESSIONS):
        raise UnreadableFileError(f"{uri} is compressed by something other than gzip; delete it first")
    data = storage.read_bytes(uri)
    if not uri.endswith(".gz") or not data:
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFileError(
            f"{uri} cannot be decompressed ({error}); mend or delete it first"
        ) from error


def _csv_owners(lines: list[bytes], field: str) -> Iterator[str | None]:
    place: int | None = None
    for number, line in enumerate(lines):
        # the first line may start with a byte order mark
        values = next(csv.reader([line.decode("utf-8-sig", errors="replace")]), [])
        if number == 0:
            names = [name.strip() for name in values]
            place = names.index(field) if field in names else None
            yield None
        else:
            yield values[place].strip() if place is not None and place < len(values) else None


def _json_owners(lines: list[bytes], field: str) -> Iterator[str | None]:
    for line in lines:
        try:
            value: Any = json.loads(line)
            for name in field.split("."):
                value = value.get(name) if isinstance(value, dict) else None
        except (ValueError, RecursionError):
            value = None
        yield None if value is None else str(value).strip()
