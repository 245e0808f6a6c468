"""Run a command, a Spark job for example, and see how long it takes and how much memory it has."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPUS = 2
HEAP = "4g"
SAMPLE_SECONDS = 0.1


@dataclass(frozen=True)
class Measured:
    """What one run took."""

    seconds: float
    cpu_seconds: float
    peak_gib: float


def run_measured(command: list[str], heap: str = HEAP) -> Measured:
    """Run a command in its own process group. Raises RuntimeError with its last words when it fails."""
    submit = {
        "spark.driver.memory": heap,
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": "-XX:+UseParallelGC",
        "spark.local.dir": tempfile.gettempdir(),
    }
    configuration = " ".join(f"--conf {name}={value}" for name, value in submit.items())
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "glue_scripts")]),
        "PYSPARK_SUBMIT_ARGS": f"--master local[{CPUS}] {configuration} pyspark-shell",
    }
    started, peak, cpu = time.perf_counter(), 0.0, dict[int, float]()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        while process.poll() is None:
            memory, spent = _session_use(process.pid)
            peak = max(peak, memory)
            cpu |= spent
            time.sleep(SAMPLE_SECONDS)
        if process.returncode:
            output.seek(0)
            raise RuntimeError(output.read().decode("utf-8", errors="replace")[-3000:])
    return Measured(time.perf_counter() - started, sum(cpu.values()), peak)


def figures_in_own_process(module: str, *arguments: str) -> dict[str, float]:
    """Run `python -m module arguments`; return the figures that it prints as JSON on its last line.

    Peak memory is a process's: only so are the figures of one method not those of the one before. Raises
    RuntimeError with its last words when it fails.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed: {done.stderr[-3000:]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _session_use(session: int) -> tuple[float, dict[int, float]]:
    """Return the resident GiB of a session's processes, and the CPU seconds of each so far (Linux)."""
    pages, cpu = 0, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if os.getsid(int(entry.name)) == session:
                pages += int((entry / "statm").read_text().split()[1])
                times = (entry / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
                cpu[int(entry.name)] = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        except (OSError, IndexError):  # the process ended meanwhile
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**30, cpu
