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


def install() -> None:
    """Put the reading in the place of moto's, wherever it was imported."""
    by_moto = json_path.extract_json

    def extract(path: str, data: Any) -> Any:
        if INDEFINITE.search(path):
            return by_moto(path, data)
        matches = _parsed(path).find(data)
        if not matches:
            raise json_path.NoSuchJsonPathError(json_path=path, data=data)
        return matches[0].value

    for module in list(sys.modules.values()):
        in_interpreter = module.__name__.startswith("moto.stepfunctions")
        if in_interpreter and getattr(module, "extract_json", None) is by_moto:
            module.extract_json = extract  # type: ignore[attr-defined]


@lru_cache(maxsize=4096)
def _parsed(path: str) -> Any:
    return parse(path)
