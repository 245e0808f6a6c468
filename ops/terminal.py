"""What the operator sees: a line a step with the time since the start, headings and aligned tables."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Terminal:
    """Writes progress to standard output, one line a step."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def elapsed_seconds(self) -> float:
        """Seconds since this terminal was made."""
        return time.monotonic() - self._start

    def say(self, text: str = "") -> None:
        """Write one line as it is."""
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    def step(self, text: str) -> None:
        """Write one line of progress, with the seconds since the start."""
        self.say(f"[{self.elapsed_seconds:6.1f} s] {text}")

    def heading(self, text: str) -> None:
        """Write a heading, set off from what came before."""
        self.say(f"\n{text}\n{'-' * len(text)}")

    @contextmanager
    def timed(self, text: str) -> Iterator[None]:
        """Announce a step, and say how long it took once it is done."""
        self.step(f"{text} ...")
        began = time.monotonic()
        yield
        self.step(f"{text}: done in {time.monotonic() - began:.1f} s")

    def table(self, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write rows in aligned columns under a header."""
        cells = [[_cell(value) for value in row] for row in [header, *rows]]
        widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
        for row in cells:
            self.say(
                "  " + "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
            )


def _cell(value: object) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)
