"""Which raw files have been parsed, when: what makes a run take in only what is new."""

from __future__ import annotations

import json
from dataclasses import dataclass

from preprocessing import storage
from preprocessing.storage import StoredFile


@dataclass(frozen=True)
class Entry:
    """A parsed file: its fingerprint then, and the batch of parsed rows that holds its rows."""

    fingerprint: str
    batch: str


@dataclass(frozen=True)
class Changes:
    """What differs between the ledger and the raw files of now."""

    new: list[StoredFile]
    kept: dict[str, Entry]
    withdrawn: dict[str, Entry]


class Ledger:
    """The parsed files by address, kept as one JSON object."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        text = storage.read_text(uri)
        self.entries = {file: Entry(*entry) for file, entry in json.loads(text).items()} if text else {}

    def compare(self, files: list[StoredFile]) -> Changes:
        """Sort `files` into new or changed ones; entries no longer true are withdrawn."""
        current = {file.uri: file for file in files}
        kept = {
            uri: entry
            for uri, entry in self.entries.items()
            if uri in current and current[uri].fingerprint == entry.fingerprint
        }
        withdrawn = {uri: entry for uri, entry in self.entries.items() if uri not in kept}
        return Changes([file for uri, file in current.items() if uri not in kept], kept, withdrawn)

    def fresh_batch(self, run_id: str) -> str:
        """Return a name for a batch of parsed rows that no earlier run used."""
        used = {entry.batch for entry in self.entries.values()}
        attempts = (f"{run_id}-{attempt}" for attempt in range(len(used) + 1))
        return next(batch for batch in attempts if batch not in used)

    def save(self, changes: Changes, batch: str) -> None:
        """Write the entries of `changes`, the new files being in `batch`: the last thing a run does."""
        entries = {**changes.kept, **{file.uri: Entry(file.fingerprint, batch) for file in changes.new}}
        storage.write_text(
            self._uri, json.dumps({uri: [e.fingerprint, e.batch] for uri, e in entries.items()})
        )
