"""`python -m write_document` in this folder (with `lambdas` on the path) writes openapi.json.

A test sees to it that the file is up to date.
"""

from __future__ import annotations

import json
import sys

import document
from handler import ROUTES
from served_document import FILE


def text() -> str:
    """Return what openapi.json is to be; the routes' docstrings are its summaries."""
    summaries = {route: (function.__doc__ or "").splitlines()[0] for route, function in ROUTES.items()}
    return json.dumps(document.document(summaries), indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
    sys.stdout.write(f"written to {FILE}\n")
