"""Read a configuration file and its overlay into a `ProjectConfig`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from config.model import ProjectConfig

CONFIG_DIR = Path(__file__).parent


class ConfigurationError(Exception):
    """The configuration cannot be used; the message names each field, its value and what would be right."""


def load(name: str, overlay: str | None = None) -> ProjectConfig:
    """Load `config/<name>.yaml`, with the values of `config/overlays/<overlay>.yaml` laid over it.

    Raises ConfigurationError when a file is missing or a value is wrong.
    """
    values = _read(CONFIG_DIR / f"{name}.yaml")
    if overlay:
        values = _merged(values, _read(CONFIG_DIR / "overlays" / f"{overlay}.yaml"))
    try:
        return ProjectConfig.model_validate(values)
    except ValidationError as error:
        problems = [_told(problem) for problem in error.errors()]
        raise ConfigurationError(f"config/{name}.yaml is not valid:\n" + "\n".join(problems)) from error


def _told(problem: Any) -> str:
    """Return a line of where, what and why; a whole section is not repeated, its message names the field."""
    where, value = ".".join(str(part) for part in problem["loc"]), problem["input"]
    given = "" if isinstance(value, dict) else f" = {value!r}"
    return f"  {where}{given}: {problem['msg']}"


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        raise ConfigurationError(f"no configuration {path.stem!r} in {path.parent.name}/; there are: {known}")
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path.name} must be a mapping, not {type(content).__name__}")
    return content


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay `over` on `base`, mapping by mapping; lists and scalars are replaced."""
    result = dict(base)
    for key, value in over.items():
        both_are_mappings = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both_are_mappings else value
    return result
