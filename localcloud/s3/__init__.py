"""S3 whose objects are files: moto's API over a folder tree that engines read without copying.

`install(context)` puts the tree at `<work_dir>/s3`, where the newest version of each key is the file
`<bucket>/<key>`. Other services use `object_tree()`, and `pull_direct_writes()` after writing into it.
"""

from __future__ import annotations

from localcloud.context import CloudContext
from localcloud.s3.bucket_policy import read_conditions
from localcloud.s3.storage import patch_moto, pull_direct_writes
from localcloud.s3.tree import ObjectTree

__all__ = ["ObjectTree", "install", "object_tree", "pull_direct_writes"]

_installed: list[ObjectTree] = []


def install(context: CloudContext) -> None:
    """Keep the bytes of moto's S3 objects in files below the cloud's work directory."""
    tree = ObjectTree(context.work_dir / "s3")
    _installed[:] = [tree]
    patch_moto(tree)
    read_conditions()


def object_tree() -> ObjectTree:
    """Return the running cloud's object tree. Raises RuntimeError before `install`."""
    if not _installed:
        raise RuntimeError("localcloud.s3 is not installed")
    return _installed[0]
