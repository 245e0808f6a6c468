"""Lambda packages built at synth by pip, without Docker: what the function needs, for its platform."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_lambda as lambda_

from config.compute import LambdaConfig

ROOT = Path(__file__).parent.parent.parent
LAMBDAS = ROOT / "lambdas"
BUILD = ROOT / "build" / "lambda"
LEFT_OUT = ("__pycache__", "*.pyc", "*.pyi", "tests", "requirements.txt", "bin")


@dataclass(frozen=True)
class Target:
    """The Python and the processor that a package is built for."""

    python: str
    machine: str
    is_host: bool

    @property
    def runtime(self) -> lambda_.Runtime:
        """The Lambda runtime of this Python."""
        return lambda_.Runtime(f"python{self.python}", lambda_.RuntimeFamily.PYTHON)

    @property
    def architecture(self) -> lambda_.Architecture:
        """The Lambda architecture of this processor."""
        arm = self.machine in {"aarch64", "arm64"}
        return lambda_.Architecture.ARM_64 if arm else lambda_.Architecture.X86_64

    def pip_arguments(self) -> list[str]:
        """Return pip's flags for packages of another platform; none where the host is the target."""
        if self.is_host:
            return []
        return [
            "--platform", f"manylinux2014_{self.machine}", "--python-version", self.python,
            "--implementation", "cp", "--only-binary=:all:",
        ]  # fmt: skip


def target(functions: LambdaConfig) -> Target:
    """Return what the configuration asks for; `host` is the machine that synthesises."""
    host_python = f"{sys.version_info.major}.{sys.version_info.minor}"
    is_host = functions.runtime == "host"
    python = host_python if is_host else functions.runtime.removeprefix("python")
    machines = {"arm64": "aarch64", "x86_64": "x86_64", "host": platform.machine()}
    return Target(python, machines[functions.architecture], is_host)


def package(folder: str, functions: LambdaConfig) -> lambda_.AssetCode:
    """Return the code of one folder of `lambdas` with its requirements beside it."""
    return lambda_.Code.from_asset(str(_built(folder, target(functions), inside="")))


def shared_layer(functions: LambdaConfig) -> lambda_.AssetCode:
    """Return the layer of `lambdas/shared`: the package `shared` and its requirements."""
    return lambda_.Code.from_asset(str(_built("shared", target(functions), inside="python/shared")))


def _built(folder: str, built_for: Target, *, inside: str) -> Path:
    """Build a package once for its content and target; `inside` is where the folder's own modules go."""
    source = LAMBDAS / folder
    digest = _digest(source, f"{built_for}/{inside}")
    output = BUILD / f"{folder}-{digest}"
    if output.exists():
        return output
    BUILD.mkdir(parents=True, exist_ok=True)
    # Two may synthesise in one folder at once: each builds in a place of its own, the first to end is kept.
    partial = Path(tempfile.mkdtemp(prefix=f"{output.name}.", dir=BUILD))
    try:
        _build(source, partial, built_for, inside=inside)
        partial.chmod(0o755)
        partial.rename(output)
    except OSError:
        if not output.exists():
            raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return output


def _build(source: Path, partial: Path, built_for: Target, *, inside: str) -> None:
    requirements_at = partial / "python" if inside.startswith("python") else partial
    requirements_at.mkdir(parents=True, exist_ok=True)
    _install(source / "requirements.txt", requirements_at, built_for)
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    shutil.copytree(source, partial / inside, ignore=ignore, dirs_exist_ok=True)
    for path in partial.rglob("__pycache__"):
        shutil.rmtree(path)


def _install(requirements: Path, into: Path, built_for: Target) -> None:
    lines = requirements.read_text(encoding="utf-8").splitlines() if requirements.exists() else []
    if not any(line.strip() and not line.startswith("#") for line in lines):
        return
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile",
        "--requirement", str(requirements), "--target", str(into), *built_for.pip_arguments(),
    ]  # fmt: skip
    subprocess.run(command, check=True)  # noqa: S603 - our own interpreter and requirements


def _digest(source: Path, built_for: str) -> str:
    digest = hashlib.sha256(built_for.encode())
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(source)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
