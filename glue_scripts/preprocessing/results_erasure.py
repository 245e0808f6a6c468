"""Forget users in what was computed for them: campaigns and comparisons, which are not made anew."""

from __future__ import annotations

import io

import pyarrow.compute as pc
from pyarrow import array, parquet

from preprocessing import storage
from preprocessing.erasure import Erased, without_users
from preprocessing.storage import join


def erase_from_results(results_uri: str, user_ids: set[str]) -> list[Erased]:
    """Rewrite every file of campaigns and comparisons that holds rows of `user_ids` without them.

    The ids are those that Personalize knows users by: pseudonyms where the configuration has them.
    """
    erased = []
    for folder in ("campaigns/", "comparisons/"):
        for file in storage.list_files(join(results_uri, folder)):
            content = storage.read_bytes(file.uri)
            kept, removed = _without(file.uri, content, user_ids)
            if removed:
                storage.write_bytes(file.uri, kept)
                erased.append(Erased(file.uri, removed))
    return erased


def _without(uri: str, content: bytes, user_ids: set[str]) -> tuple[bytes, int]:
    if uri.endswith(".parquet"):
        return _parquet_without(content, user_ids)
    if uri.endswith(".csv"):
        return without_users(content, user_ids, is_csv=True, field="user_id")
    # batch inference: a line of its output repeats that of its input
    field = "input.userId" if uri.endswith(".out") else "userId"
    return without_users(content, user_ids, is_csv=False, field=field)


def _parquet_without(content: bytes, user_ids: set[str]) -> tuple[bytes, int]:
    table = parquet.read_table(io.BytesIO(content))
    others = table.filter(pc.invert(pc.is_in(table["user_id"], value_set=array(sorted(user_ids)))))
    if others.num_rows == table.num_rows:
        return content, 0
    file = io.BytesIO()
    parquet.write_table(others, file)
    return file.getvalue(), table.num_rows - others.num_rows
