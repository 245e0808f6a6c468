"""JSON paths read as AWS reads them: a path that can name one value only yields it, not a list of it."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from typing import Any

from jsonpath_ng.ext.parser import parse
from moto.stepfunctions.parser.asl.utils import json_path

# A wildcard, a slice, a union, a filter or a descent may name several values.
INDEFINITE = re.compile(r"\*|\.\.|\?|\[[^'\"\]]*[:,][^'\"\]]*\]")

_BY_MOTO = json_path.extract_json


def install() -> None:
    """Put the reading in the place of moto's, wherever it was imported."""
    for module in list(sys.modules.values()):
        in_interpreter = module.__name__.startswith("moto.stepfunctions")
        if in_interpreter and getattr(module, "extract_json", None) is _BY_MOTO:
            module.extract_json = extract  # type: ignore[attr-defined]


def extract(path: str, data: Any) -> Any:
    """Return what a path names in a JSON value.

    Raises NoSuchJsonPathError when a path that can name one value only names none.
    """
    if INDEFINITE.search(path):
        return _BY_MOTO(path, data)
    matches = _parsed(path).find(data)
    if not matches:
        raise json_path.NoSuchJsonPathError(json_path=path, data=data)
    return matches[0].value


@lru_cache(maxsize=4096)
def _parsed(path: str) -> Any:
    return parse(path)
