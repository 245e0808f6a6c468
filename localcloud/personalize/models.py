"""The trained models of a region on disk, and those in service in memory."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from localcloud.personalize import recipes
from localcloud.personalize.errors import InvalidInputError
from localcloud.personalize.recipes import Model
from localcloud.personalize.recipes.threads import one_thread


class ModelFolder:
    """One folder a solution version, under that of its solution."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._loaded: dict[str, Model] = {}

    def folder_of(self, version_arn: str) -> Path:
        """Return the folder of a solution version."""
        return self._folder / version_arn.split(":solution/", 1)[1]

    def prepare(self, version_arn: str) -> Path:
        """Return an empty folder to train in."""
        folder = self.folder_of(version_arn)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    def load(self, version_arn: str) -> Model:
        """Return a trained model, opened once.

        Raises InvalidInputError when another version of localcloud trained it.
        """
        with self._lock:
            if version_arn not in self._loaded:
                # Requests come side by side: BLAS threads within one of them only get in the way.
                one_thread()
                try:
                    self._loaded[version_arn] = recipes.load(self.folder_of(version_arn) / "model")
                except recipes.OtherFormatError as error:
                    raise InvalidInputError(
                        f"{version_arn} was trained by another version of localcloud; "
                        "create a new solution version."
                    ) from error
            return self._loaded[version_arn]

    def warm(self, version_arn: str) -> None:
        """Open a trained model before the first request needs it."""
        _ = self.load(version_arn).item_index

    def drop(self, solution_arn: str) -> None:
        """Remove all models of a solution."""
        with self._lock:
            for arn in [arn for arn in self._loaded if arn.startswith(f"{solution_arn}/")]:
                del self._loaded[arn]
        shutil.rmtree(self._folder / solution_arn.split(":solution/", 1)[1], ignore_errors=True)
