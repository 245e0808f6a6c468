"""A function's code on disk: its zip, its layers, and the packages that AWS's Python runtime brings along."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import threading
import zipfile
from pathlib import Path

# What AWS's Python runtimes include: boto3 and what it needs, and nothing else.
RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
_lock = threading.Lock()


def unpacked(archive: bytes, root: Path) -> Path:
    """Unpack a zip below `root` under the hash of its bytes, once; return the folder."""
    folder = root / hashlib.sha256(archive).hexdigest()[:24]
    with _lock:
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            with zipfile.ZipFile(io.BytesIO(archive)) as package:
                package.extractall(partial)
            partial.rename(folder)
    return folder


def runtime_folder(root: Path) -> Path:
    """Return a folder that holds the runtime's own packages and nothing else."""
    folder = root / "runtime"
    with _lock:
        if folder.exists():
            return folder
        folder.mkdir(parents=True)
        for name in RUNTIME_PACKAGES:
            spec = importlib.util.find_spec(name)
            if spec is None or spec.origin is None:
                raise RuntimeError(f"{name} is part of the Lambda runtime and is not installed here")
            origin = Path(spec.origin)
            source = origin.parent if origin.name == "__init__.py" else origin
            (folder / source.name).symlink_to(source)
    return folder
