"""Batch jobs over JSON Lines in S3: every line answered in order, good and bad ones in files of their own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from localcloud.personalize.errors import InvalidInputError, PersonalizeError
from localcloud.personalize.operations import Request
from localcloud.personalize.quotas import BATCH_INPUT_BYTES, BATCH_INPUT_FILES
from localcloud.personalize.region import JobFailedError, Region
from localcloud.personalize.resources import BatchInferenceJob, BatchSegmentJob, Json
from localcloud.personalize.s3 import Location, S3Error

# Lines scored together, by threads side by side: what takes long lets go of the interpreter.
BLOCK = 64
THREADS = 2
_BLOCKS_AHEAD = 8


class LineAnswerer(Protocol):
    """What a kind of batch job does with its input lines."""

    def prepare(self, line: Json) -> Any:
        """Check a line and return what is needed to answer it.

        Raises PersonalizeError or ValueError when it cannot be answered.
        """

    def answer(self, prepared: Sequence[Any]) -> list[Json]:
        """Return the outputs for some prepared lines."""


def check_locations(request: Request) -> None:
    """Check the S3 locations of a batch job.

    Raises InvalidInputError.
    """
    source = request["jobInput"]["s3DataSource"]["path"]
    destination = request["jobOutput"]["s3DataDestination"]["path"]
    for label, path in (("input", source), ("output", destination)):
        try:
            Location.parse(path)
        except S3Error as error:
            raise InvalidInputError(f"Invalid S3 {label} path: {path}.") from error
    if not destination.endswith("/"):
        raise InvalidInputError(f"Invalid S3 output path: {destination} must be a folder and end with /.")
    if source.rstrip("/") == destination.rstrip("/"):
        raise InvalidInputError("The output location must differ from the input location.")


def run_line_job(
    region: Region,
    job: BatchInferenceJob | BatchSegmentJob,
    answerer: LineAnswerer,
    most_lines: int | None = None,
) -> None:
    """Answer every line of a batch job's input files: `<name>.out`, and `<name>.out.errors` for bad lines.

    Raises JobFailedError when the locations cannot be used or no line could be answered.
    """
    source = job.job_input["s3DataSource"]["path"]
    destination = job.job_output["s3DataDestination"]["path"]
    try:
        files = region.bucket.find(source)
        if len(files) > BATCH_INPUT_FILES or sum(file.size for file in files) > BATCH_INPUT_BYTES:
            raise JobFailedError(f"The input has more than {BATCH_INPUT_FILES} files or more than 1 GB.")
        region.bucket.write(b"", f"{destination}_CHECK")
        with region.bucket.local_copies(files) as paths, region.bucket.scratch_folder() as folder:
            answered = failed = 0
            for path in paths:
                _check_lines(path, most_lines)
            for number, path in enumerate(paths):
                output, errors = folder / f"{number}.out", folder / f"{number}.errors"
                good, bad = _answer_file(path, output, errors, answerer)
                answered, failed = answered + good, failed + bad
                region.bucket.upload(output, f"{destination}{path.name}.out")
                if bad:
                    region.bucket.upload(errors, f"{destination}{path.name}.out.errors")
            if not answered:
                raise JobFailedError(
                    f"None of the {failed} input lines could be answered; see the errors files."
                )
    except S3Error as error:
        raise JobFailedError(str(error)) from error


def _check_lines(path: Path, most_lines: int | None) -> None:
    """Raise JobFailedError when a file has more lines than its recipe answers in one file."""
    if most_lines is not None:
        with path.open(encoding="utf-8-sig") as file:
            lines = sum(1 for line in file if line.strip())
        if lines > most_lines:
            raise JobFailedError(
                f"{path.name} has {lines} lines; the recipe answers at most {most_lines} a file."
            )


def _answer_file(path: Path, output: Path, errors: Path, answerer: LineAnswerer) -> tuple[int, int]:
    """Answer the lines of a file; return how many could be answered and how many not."""
    good = bad = 0
    with (
        path.open(encoding="utf-8-sig") as file,
        output.open("w") as out,
        errors.open("w") as err,
        ThreadPoolExecutor(max_workers=THREADS) as pool,
    ):
        blocks = _blocks(file)
        while ahead := list(islice(blocks, _BLOCKS_AHEAD)):
            for answers, failures in pool.map(lambda block: _answer_block(block, answerer), ahead):
                out.writelines(json.dumps(one, separators=(",", ":")) + "\n" for one in answers)
                err.writelines(json.dumps(one) + "\n" for one in failures)
                good, bad = good + len(answers), bad + len(failures)
    return good, bad


def _answer_block(texts: Sequence[str], answerer: LineAnswerer) -> tuple[list[Json], list[Json]]:
    """Return the outputs for some lines, and the errors of those that cannot be answered."""
    prepared, failures = [], []
    for text in texts:
        try:
            prepared.append(answerer.prepare(_json_object(text)))
        except (ValueError, PersonalizeError) as error:
            failures.append({"input": text, "output": None, "error": str(error)})
    return (answerer.answer(prepared) if prepared else []), failures


def _json_object(text: str) -> Json:
    line = json.loads(text)
    if not isinstance(line, dict):
        raise InvalidInputError("The line is not a JSON object.")
    return line


def _blocks(file: Iterable[str]) -> Iterator[list[str]]:
    """Yield the lines that have text, some at a time."""
    lines = (line.strip() for line in file if line.strip())
    while block := list(islice(lines, BLOCK)):
        yield block
