"""Start localcloud as a process of its own and deploy the app to it by the CDK command line."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ops.errors import OperatorError

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT_ID = "123456789012"
STOP_SECONDS = 20
LAST_LINES = 40


@dataclass
class LocalCloud:
    """A running localcloud: its endpoint and the environment that sends any AWS client to it."""

    endpoint_url: str
    region: str
    log_dir: Path
    process: subprocess.Popen[str]
    environment: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.environment = {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "localcloud",
            "AWS_SECRET_ACCESS_KEY": "localcloud",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def cdk(self, *arguments: str, log: str) -> None:
        """Run the CDK command line against this cloud, its output in `<log_dir>/<log>.log`.

        Raises OperatorError with the last lines of the log when it fails.
        """
        run_logged(["npx", "cdk", *arguments], self.log_dir / f"{log}.log", self.environment)

    def point_this_process(self) -> None:
        """Send this process's own AWS clients, made from now on, to this cloud."""
        os.environ.update(self.environment)

    def deploy(self, config_name: str, assembly: Path) -> None:
        """Bootstrap the account and deploy every stack of a synthesised assembly."""
        self.cdk("bootstrap", f"aws://{ACCOUNT_ID}/{self.region}", "--app", str(assembly), log="bootstrap")
        self.cdk("deploy", "--all", "--app", str(assembly), "--require-approval", "never",
                 "--progress", "events", "-c", f"config={config_name}", log="deploy")  # fmt: skip


@contextmanager
def running(*, port: int, region: str, log_dir: Path, data_dir: Path | None = None) -> Iterator[LocalCloud]:
    """Start localcloud (port 0 takes a free one), yield it once it is ready, and stop it at the end."""
    log_dir.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "localcloud", "--port", str(port)]
    if data_dir:
        command += ["--data", str(data_dir)]
    log_path = log_dir / "localcloud.log"
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603
        try:
            yield LocalCloud(_ready_endpoint(process, log_path), region, log_dir, process)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def synthesise(config_name: str, assembly: Path, log_dir: Path) -> None:
    """Synthesise the app for localcloud into `assembly`; raises OperatorError when that fails."""
    run_logged(
        ["npx", "cdk", "synth", "--quiet", "--output", str(assembly),
         "-c", f"config={config_name}", "-c", "overlay=localcloud"],
        log_dir / "synth.log",
        {},
    )  # fmt: skip


def run_logged(command: Sequence[str], log_path: Path, environment: dict[str, str]) -> None:
    """Run a command in the project's root with its output in a log file.

    Raises OperatorError with the log's last lines when the command fails.
    """
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("w", encoding="utf-8") as log:
        code = subprocess.call(  # noqa: S603
            list(command), cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
        )
    if code != 0:
        last = "\n".join(log_path.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:])
        raise OperatorError(
            f"`{' '.join(command)}` failed with exit code {code}; the end of {log_path}:\n{last}"
        )


def _ready_endpoint(process: subprocess.Popen[str], log_path: Path) -> str:
    """Read the one line that localcloud prints when it is ready, and keep draining its output after that."""
    output = process.stdout
    line = output.readline() if output else ""
    if " ready at " not in line:
        raise OperatorError(f"localcloud did not start; see {log_path}: {line}")
    threading.Thread(target=lambda: [None for _ in output or ()], daemon=True).start()
    return line.rsplit(" ", 1)[-1].strip()
