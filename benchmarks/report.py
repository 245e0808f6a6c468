"""Record the figures of a benchmark beside their targets, the versions and the machine."""

from __future__ import annotations

import datetime
import json
import operator
import os
import platform
import resource
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
COMPARISONS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "==": operator.eq}
PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "pandas",
    "pyarrow",
    "duckdb",
    "sqlglot",
    "pyspark",
    "moto",
    "boto3",
    "lightgbm",
)


@dataclass(frozen=True)
class Figure:
    """One measured value; `target` is a comparison with a number ("<= 1.5"), or none for information."""

    name: str
    value: float
    unit: str
    target: str | None = None

    @property
    def met(self) -> bool | None:
        """Whether the value meets its target; None without one. Raises ValueError for a bad target."""
        if self.target is None:
            return None
        sign, _, bound = self.target.partition(" ")
        if sign not in COMPARISONS:
            raise ValueError(f"target {self.target!r} of {self.name!r} is not '<comparison> <number>'")
        return bool(COMPARISONS[sign](self.value, float(bound)))


def write_results(
    name: str, figures: Iterable[Figure], *, packages: Sequence[str] = PACKAGES, **details: Any
) -> Path:
    """Write benchmarks/results/`name`.json and print it; `details` (JSON values) say how it was measured."""
    measured = list(figures)
    result = {
        "benchmark": name,
        "measured_at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "figures": [
            {"name": f.name, "value": f.value, "unit": f.unit, "target": f.target, "met": f.met}
            for f in measured
        ],
        "details": details,
        "versions": {"python": platform.python_version(), **_versions(packages)},
        "machine": {
            "cpu_count": os.cpu_count(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}",
        },
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    for figure in measured:
        verdict = {True: "met", False: "NOT MET", None: ""}[figure.met]
        target = f"target {figure.target}" if figure.target else ""
        sys.stdout.write(
            f"{figure.name:<60} {figure.value:>12.4g} {figure.unit:<10} {target:<20} {verdict}\n"
        )
    sys.stdout.write(f"written to {path}\n")
    return path


def peak_memory_gib() -> float:
    """Return the highest resident memory so far of this process, in GiB.

    On Linux its own: getrusage counts the memory of the process that started it as well.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 2**20
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 2**30


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
