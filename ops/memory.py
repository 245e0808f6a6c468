"""Peak memory of this process and all it started, where the machine tells (Linux's /proc)."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAMPLE_SECONDS = 0.5
PROC = Path("/proc")


class PeakMemory:
    """The largest sum of resident memory seen over a process tree, in bytes; 0 where it cannot be read."""

    def __init__(self) -> None:
        self.peak_bytes = 0
        self._stopped = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[PeakMemory]:
        """Sample the tree of the current process until the block ends."""
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, tree_bytes(os.getpid()))


def tree_bytes(root: int) -> int:
    """Return the resident bytes of a process and its descendants; shared pages count in each."""
    children: dict[int, list[int]] = defaultdict(list)
    resident: dict[int, int] = {}
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    for entry in PROC.glob("[0-9]*"):
        try:
            # The command name stands in parentheses and may hold spaces.
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # the process ended between the listing and the reading
        pid, parent, resident_pages = int(entry.name), int(fields[1]), int(fields[21])
        children[parent].append(pid)
        resident[pid] = resident_pages * page_bytes
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += resident.get(pid, 0)
        pending += children[pid]
    return total
