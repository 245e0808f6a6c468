"""`python -m localcloud`: one process, one port, an AWS."""

from __future__ import annotations

import argparse
from pathlib import Path

from localcloud.server import run


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="localcloud", description="AWS emulated on one machine.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    parser.add_argument("--port", type=int, default=4566, help="port to listen on; 0 takes a free one")
    parser.add_argument("--data", type=Path, default=None, help="folder for state that survives a restart")
    arguments = parser.parse_args()
    run(arguments.host, arguments.port, arguments.data)


if __name__ == "__main__":
    main()
