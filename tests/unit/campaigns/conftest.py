"""Let the tests import the functions' own modules as Lambda does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "lambdas" / "campaigns"))
