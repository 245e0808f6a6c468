"""Arguments of a job, as `awsglue.utils` reads them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


class GlueArgumentError(Exception):
    """An argument that the script needs was not given."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        """Raise instead of ending the process."""
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802 - AWS's name
    """Return the named options (with Glue's own, such as JOB_RUN_ID, when given) from `--name value` pairs.

    Raises GlueArgumentError when one is missing.
    """
    parser = _Parser(allow_abbrev=False, add_help=False)
    for name in options:
        parser.add_argument(f"--{name}", required=True)
    for name in ("JOB_NAME", "JOB_ID", "JOB_RUN_ID", "TempDir", "SECURITY_CONFIGURATION"):
        if name not in options:
            parser.add_argument(f"--{name}", default=None)
    known, _ = parser.parse_known_args(list(args)[1:])
    return {name: value for name, value in vars(known).items() if value is not None}
