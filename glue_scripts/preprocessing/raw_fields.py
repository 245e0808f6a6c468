"""From raw lines to named text fields, for JSON Lines and CSV alike."""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from preprocessing.raw_files import group_by_header, read_lines
from preprocessing.salvage import BROKEN_MARK
from preprocessing.storage import StoredFile
from preprocessing.values import trimmed

CORRUPT = "_corrupt"
HEADER = "header"
# What may be a second object after the first one, of which the JSON parser would say nothing. Within one row,
# a quoted name or another bracket comes between the two braces, but in an array of objects.
SECOND_OBJECT = r"\}[^\"\]}]*\{"
# Lines of more bytes are taken to say something: looking for text in each one costs time.
LONGEST_BLANK = 64
# More fields than Spark's CSV parser takes (its default); counted only in lines that could have as many.
MOST_FIELDS = 20_480
LINE_COLUMNS = ["raw_line", "file", "block", "row_id"]


def field_column(name: str) -> str:
    """Return the column in which `read_fields` puts the raw field `name`."""
    return "raw_" + name.replace(".", "__")


def read_fields(
    spark: SparkSession, files: list[StoredFile], file_format: str, names: list[str]
) -> list[DataFrame]:
    """Return the raw fields `names` of the files' lines as text, null where absent or empty.

    Columns: those of `read_lines`, `unusable` (null, `header`, `empty_line` or `malformed`) and one
    `field_column` a name. One frame per file layout; none for no files.
    """
    if not files:
        return []
    if file_format == "json":
        schema = _json_schema(names).add(CORRUPT, StringType())
        record = F.from_json("raw_line", schema, {"columnNameOfCorruptRecord": CORRUPT})
        lines = read_lines(spark, files)

        def member(name: str) -> Column:
            return F.col(f"record.{name}")

        return [_with_fields(lines, record, names, member, is_malformed=_has_more_than_a_row())]
    frames = []
    for group in group_by_header(files):
        places = {name: f"record.c{place}" for place, name in enumerate(group.fields)}
        ddl = ", ".join([*(f"c{place} string" for place in range(len(group.fields))), f"{CORRUPT} string"])
        options = {"columnNameOfCorruptRecord": CORRUPT, "escape": '"', "maxCharsPerColumn": "-1"}

        def field(name: str, places: dict[str, str] = places) -> Column:
            return F.col(places[name]) if name in places else F.lit(None).cast("string")

        lines = read_lines(spark, group.files)
        is_too_wide = _has_too_many_fields()
        record = F.from_csv(F.when(~is_too_wide, F.col("raw_line")), ddl, options)
        frames.append(
            _with_fields(lines, record, names, field, is_malformed=is_too_wide, header=group.header)
        )
    return frames


def _has_more_than_a_row() -> Column:
    """Tell whether a JSON line has something after its first object, which would be lost uncounted.

    Nothing can follow where the first closing brace is the last byte, as in most rows without nesting.
    """
    line = F.col("raw_line")
    is_flat = F.octet_length(F.substring_index(line, "}", 1)) == F.octet_length(line) - 1
    is_suspect = ~is_flat & (~F.rtrim(line).endswith("}") | line.rlike(SECOND_OBJECT))
    values = F.json_array_length(F.concat(F.lit("["), line, F.lit("]")))
    return is_suspect & (F.coalesce(values, F.lit(0)) != 1)


def _has_too_many_fields() -> Column:
    line = F.col("raw_line")
    commas = F.octet_length(line) - F.octet_length(F.replace(line, F.lit(","), F.lit("")))
    return (F.octet_length(line) >= MOST_FIELDS) & (commas >= MOST_FIELDS)


def _with_fields(
    lines: DataFrame,
    record: Column,
    names: list[str],
    field: Callable[[str], Column],
    *,
    is_malformed: Column,
    header: bytes = b"",
) -> DataFrame:
    is_header = F.col("raw_line").cast("binary") == F.lit(header) if header else F.lit(False)
    unusable = (
        F.when(is_header, HEADER)
        .when(F.col("raw_line").startswith(BROKEN_MARK), "broken_file")
        .when((F.octet_length("raw_line") < LONGEST_BLANK) & (F.trim("raw_line") == ""), "empty_line")
        .when(F.col(f"record.{CORRUPT}").isNotNull() | is_malformed, "malformed")
    )
    fields = [trimmed(field(name)).alias(field_column(name)) for name in names]
    return lines.withColumn("record", record).select(*LINE_COLUMNS, unusable.alias("unusable"), *fields)


def _json_schema(names: list[str]) -> StructType:
    """Return the schema of the fields `names`, dots being nesting, every leaf text."""
    tree: dict[str, list[str]] = {}
    for name in names:
        head, _, rest = name.partition(".")
        tree.setdefault(head, [])
        if rest:
            tree[head].append(rest)
    fields = [StructField(head, _json_schema(rest) if rest else StringType()) for head, rest in tree.items()]
    return StructType(fields)
