"""How `make test` shares the tests out: a folder's tests run in one process, as they share fixtures."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
# The folders that take longest, so that nothing waits for them at the end.
LONGEST = ("local/app", "unit/glue", "infra", "local/api")


class LoadFolders(LoadScopeScheduling):
    """Hands out folders, in the order in which they are collected."""

    def _split_scope(self, nodeid: str) -> str:
        return str(PurePosixPath(nodeid.split("::", maxsplit=1)[0]).parent)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFolders:
    """Share out by folder."""
    return LoadFolders(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest folders."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    folder = item.path.parent.relative_to(TESTS).as_posix()
    return LONGEST.index(folder) if folder in LONGEST else len(LONGEST)
