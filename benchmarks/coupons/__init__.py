"""Which coupons are redeemed: decided before a campaign, compared with what was really redeemed."""

import sys
from pathlib import Path

# The code that targets coupons in production is what is measured.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "glue_scripts"))
