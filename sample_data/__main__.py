"""Write raw files to a folder and, when asked, upload them to the raw bucket.

python -m sample_data travel --out DIR [--users N] [--seed S] [--days D] [--until YYYY-MM-DD] [--upload s3://bucket/]
python -m sample_data complete_journey --out DIR [--upload s3://bucket/]
"""

from __future__ import annotations

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from sample_data import complete_journey
from sample_data.travel import TravelOptions, generate
from sample_data.upload import upload_folder


def main(arguments: list[str]) -> int:
    """Run the command line; return the process's exit code."""
    options = _parser().parse_args(arguments)
    if not options.out and not options.upload:
        print("say where the files go: --out DIR, --upload s3://bucket/, or both", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(options.out or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if options.dataset == "travel":
            until = datetime.date.fromisoformat(options.until) if options.until else _today()
            rows = generate(
                folder, TravelOptions(users=options.users, seed=options.seed, days=options.days, until=until)
            )
        else:
            rows = complete_journey.write(folder)
        for prefix, count in rows.items():
            print(f"{prefix:<22} {count:>12,} rows")
        if options.upload:
            print(f"uploaded {upload_folder(folder, options.upload)} files to {options.upload}")
    return 0


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sample_data", description="Write raw input for the pipeline.")
    datasets = parser.add_subparsers(dest="dataset", required=True)
    travel = datasets.add_parser("travel", help="a generated, messy travel history")
    travel.add_argument("--users", type=int, default=2000, help="travellers (about 40 raw rows each)")
    travel.add_argument("--seed", type=int, default=7)
    travel.add_argument("--days", type=int, default=180, help="length of the history")
    travel.add_argument("--until", help="last day of the history, YYYY-MM-DD; today if not given")
    journey = datasets.add_parser("complete_journey", help="the public Complete Journey data")
    for parser_of_dataset in (travel, journey):
        parser_of_dataset.add_argument("--out", help="folder for the files")
        parser_of_dataset.add_argument("--upload", help="s3://bucket/[prefix/] to upload them to")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
