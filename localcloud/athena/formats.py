"""Java's date patterns (`yyyy-MM-dd`) as strftime's (`%Y-%m-%d`)."""

from __future__ import annotations

import re

from localcloud.athena.errors import QueryError

LETTERS = {
    "yyyy": "%Y", "yyy": "%Y", "y": "%Y", "yy": "%y", "YYYY": "%Y", "xxxx": "%G", "MMMM": "%B",
    "MMM": "%b", "MM": "%m", "M": "%-m", "dd": "%d", "d": "%-d", "DDD": "%j", "D": "%-j", "HH": "%H",
    "H": "%-H", "hh": "%I", "h": "%-I", "kk": "%H", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S",
    "SSS": "%g", "SSSSSS": "%f", "a": "%p", "EEEE": "%A", "EEE": "%a", "E": "%a", "e": "%u", "ww": "%V",
    "w": "%V", "Z": "%z", "ZZ": "%z", "z": "%Z", "zzz": "%Z", "ZZZ": "%Z",
}  # fmt: skip
TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")


def strftime_format(pattern: str) -> str:
    """Return the strftime format of a Joda or Java pattern. Raises QueryError for a letter not supported."""
    parts = []
    for token in TOKEN.finditer(pattern):
        text = token[0]
        if text.startswith("'"):
            parts.append(token[1].replace("''", "'").replace("%", "%%") or "'")
        elif token[2]:
            if text not in LETTERS:
                raise QueryError(
                    "INVALID_FUNCTION_ARGUMENT", f"Unsupported date pattern {text!r} in {pattern!r}"
                )
            parts.append(LETTERS[text])
        else:
            parts.append(text.replace("%", "%%"))
    return "".join(parts)


def strptime_format(pattern: str) -> str:
    """Return the format as Python's strptime reads it, which knows no `%-d`."""
    return strftime_format(pattern).replace("%-", "%")
