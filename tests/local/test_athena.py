"""Athena on localcloud: statements, tables of every format, results, work groups, and how things fail."""

from __future__ import annotations

import gzip
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.athena_client import AthenaClient

BUCKET = "athena-tests.data"
CSV_TABLE = """
CREATE EXTERNAL TABLE IF NOT EXISTS {name} (city string, people int, share double)
PARTITIONED BY (country string)
ROW FORMAT DELIMITED FIELDS TERMINATED BY ','
LOCATION 's3://{bucket}/{name}/'
TBLPROPERTIES ('skip.header.line.count' = '1')
"""


@pytest.fixture(scope="module")
def athena(localcloud_server: Any) -> AthenaClient:
    client = AthenaClient(localcloud_server, "athena_tests", BUCKET)
    client.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    client.glue.create_database(DatabaseInput={"Name": client.database})
    return client


def test_a_select_returns_typed_columns_and_rows(athena: AthenaClient) -> None:
    answer = athena.run(
        "SELECT 1 AS n, 'a\"b' AS s, 1.5E0 AS d, DATE '2026-01-02' AS day, NULL AS nothing, count(*)"
    )
    assert answer.names == ["n", "s", "d", "day", "nothing", "_col5"]
    assert answer.types == ["integer", "varchar", "double", "date", "varchar", "bigint"]
    assert answer.rows == [["1", 'a"b', "1.5", "2026-01-02", None, "1"]]


def test_the_result_is_a_quoted_csv_in_the_output_location(athena: AthenaClient) -> None:
    answer = athena.run("SELECT 'x' AS a, NULL AS b, '' AS c")
    location = answer.execution["ResultConfiguration"]["OutputLocation"]
    key = location.removeprefix(f"s3://{BUCKET}/")
    assert athena.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b'"a","b","c"\n"x",,""\n'
    assert f"{key}.metadata" in athena.keys("athena/")
    assert answer.rows == [["x", None, ""]]


def test_long_results_come_in_pages(athena: AthenaClient) -> None:
    rows = athena.rows("SELECT x, 'line\nbreak' AS t FROM unnest(sequence(1, 2500)) AS u(x) ORDER BY x")
    assert [row[0] for row in rows] == [str(n) for n in range(1, 2501)]
    assert rows[2000][1] == "line\nbreak"


def test_csv_partitions_are_found_by_msck_and_read_with_their_keys(athena: AthenaClient) -> None:
    athena.put("cities/country=IN/1.csv", b"city,people,share\nPune,7,0.5\nGoa,many,\\N\n")
    athena.put("cities/country=LK/1.csv.gz", gzip.compress(b"city,people,share\nKandy,1,1\n"))
    athena.rows(CSV_TABLE.format(name="cities", bucket=BUCKET))
    assert athena.rows("SELECT * FROM cities") == []
    athena.rows("MSCK REPAIR TABLE cities")
    assert athena.rows("SHOW PARTITIONS cities") == [["country=IN"], ["country=LK"]]
    assert athena.rows("SELECT * FROM cities ORDER BY city") == [
        ["Goa", None, None, "IN"],
        ["Kandy", "1", "1.0", "LK"],
        ["Pune", "7", "0.5", "IN"],
    ]
    partitions = athena.glue.get_partitions(DatabaseName=athena.database, TableName="cities")["Partitions"]
    assert sorted(p["Values"] for p in partitions) == [["IN"], ["LK"]]


def test_partitions_anywhere_can_be_added_and_dropped(athena: AthenaClient) -> None:
    athena.put("elsewhere/1.csv", b"city,people,share\nMale,2,1\n")
    athena.rows(CSV_TABLE.format(name="places", bucket=BUCKET))
    athena.rows(f"ALTER TABLE places ADD PARTITION (country='MV') LOCATION 's3://{BUCKET}/elsewhere/'")
    assert athena.rows("SELECT city, country FROM places") == [["Male", "MV"]]
    again = athena.run("ALTER TABLE places ADD PARTITION (country='MV')")
    assert again.reason.startswith("PARTITION_ALREADY_EXISTS")
    athena.rows("ALTER TABLE places ADD IF NOT EXISTS PARTITION (country='MV')")
    athena.rows("ALTER TABLE places DROP PARTITION (country='MV')")
    assert athena.rows("SELECT count(*) FROM places") == [["0"]]


def test_json_and_quoted_csv_tables_are_read_by_their_serdes(athena: AthenaClient) -> None:
    athena.put("events/1.json", b'{"Id": 1, "tags": ["a"], "place": {"x": 2}, "userId": "u"}\n{"Id": 2}\n')
    athena.rows(
        "CREATE EXTERNAL TABLE events (id bigint, tags array<string>, place struct<x:int>, user_id string) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
        f"WITH SERDEPROPERTIES ('mapping.user_id' = 'userId') LOCATION 's3://{BUCKET}/events/'"
    )
    assert athena.rows("SELECT id, tags, place, place.x, user_id FROM events ORDER BY id") == [
        ["1", "[a]", "{x=2}", "2", "u"],
        ["2", None, None, None, None],
    ]
    athena.put("quoted/1.csv", b'"a, b","1"\n"say ""hi""",2\n')
    athena.rows(
        "CREATE EXTERNAL TABLE quoted (t string, n int) "
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' "
        f"WITH SERDEPROPERTIES ('escapeChar' = '\"') LOCATION 's3://{BUCKET}/quoted/'"
    )
    assert athena.rows("SELECT * FROM quoted") == [["a, b", "1"], ['say "hi"', "2"]]


def test_projected_partitions_need_no_catalog(athena: AthenaClient) -> None:
    for day in ("2025-12-31", "2026-01-01"):
        for channel in ("web", "fax"):
            athena.put(f"logs/{day}/{channel}/1.json", b'{"n": 1}\n')
    properties = {
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.range": "2026-01-01,NOW+20YEARS",
        "projection.day.format": "yyyy-MM-dd",
        "projection.channel.type": "enum",
        "projection.channel.values": "web,ios",
        "storage.location.template": f"s3://{BUCKET}/logs/${{day}}/${{channel}}/",
    }
    listed = ", ".join(f"'{name}' = '{value}'" for name, value in properties.items())
    athena.rows(
        "CREATE EXTERNAL TABLE logs (n int) PARTITIONED BY (day string, channel string) "
        "ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' "
        f"LOCATION 's3://{BUCKET}/logs/' TBLPROPERTIES ({listed})"
    )
    assert athena.rows("SELECT day, channel, n FROM logs") == [["2026-01-01", "web", "1"]]


def test_a_table_made_from_a_query_can_be_partitioned_appended_and_dropped(athena: AthenaClient) -> None:
    made = athena.run(
        "CREATE TABLE numbers WITH (format = 'PARQUET', parquet_compression = 'SNAPPY', "  # noqa: S608
        "partitioned_by = ARRAY['parity'], "
        f"external_location = 's3://{BUCKET}/numbers/') AS "
        "SELECT x AS n, x * 0.5E0 AS half, if(x % 2 = 0, 'even', 'odd') AS parity "
        "FROM unnest(sequence(1, 9)) AS u(x)"
    )
    assert made.state == "SUCCEEDED", made.reason
    assert all(
        key.startswith(("numbers/parity=even/", "numbers/parity=odd/")) for key in athena.keys("numbers/")
    )
    athena.rows("INSERT INTO numbers SELECT 10, 5.0E0, 'round'")
    assert athena.rows("SELECT parity, sum(n), sum(half) FROM numbers GROUP BY parity ORDER BY 1") == [
        ["even", "20", "10.0"],
        ["odd", "25", "12.5"],
        ["round", "10", "5.0"],
    ]
    manifest = made.execution["Statistics"]["DataManifestLocation"].removeprefix(f"s3://{BUCKET}/")
    assert len(athena.s3.get_object(Bucket=BUCKET, Key=manifest)["Body"].read().split()) == 2
    table = athena.glue.get_table(DatabaseName=athena.database, Name="numbers")["Table"]
    assert [(c["Name"], c["Type"]) for c in table["StorageDescriptor"]["Columns"]] == [
        ("n", "bigint"),
        ("half", "double"),
    ]
    athena.rows("DROP TABLE numbers")
    assert athena.keys("numbers/"), "the data of a dropped external table stays"
    again = athena.run(
        f"CREATE TABLE numbers WITH (external_location = 's3://{BUCKET}/numbers/') AS SELECT 1 AS n"
    )
    assert again.reason.startswith("HIVE_PATH_ALREADY_EXISTS")


def test_unload_writes_one_text_column_as_it_is(athena: AthenaClient) -> None:
    line = '{"userId": "a, b", "n": 1}'
    athena.rows(
        f"UNLOAD (SELECT '{line}' AS line) TO 's3://{BUCKET}/out/' "
        "WITH (format = 'TEXTFILE', compression = 'NONE')"
    )
    (key,) = athena.keys("out/")
    assert athena.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == line.encode() + b"\n"


def test_a_view_is_its_query(athena: AthenaClient) -> None:
    athena.rows("CREATE TABLE base AS SELECT x AS n FROM unnest(ARRAY[1, 2, 3]) AS u(x)")
    athena.rows("CREATE VIEW big AS SELECT n FROM base WHERE n > 1")
    athena.rows("CREATE OR REPLACE VIEW big AS SELECT n FROM base WHERE n > 2")
    assert athena.rows("SELECT * FROM big") == [["3"]]
    assert ["big"] in athena.rows("SHOW VIEWS")
    athena.rows("DROP VIEW big")
    assert athena.run("SELECT * FROM big").reason.startswith("TABLE_NOT_FOUND")


def test_a_query_says_what_it_read(athena: AthenaClient) -> None:
    athena.rows(
        "CREATE TABLE wide AS SELECT x AS a, 'text ' || cast(x AS varchar) AS b "
        "FROM unnest(sequence(1, 10000)) AS u(x)"
    )
    narrow = athena.run("SELECT sum(a) FROM wide").execution["Statistics"]["DataScannedInBytes"]
    whole = athena.run("SELECT sum(a), sum(length(b)) FROM wide").execution["Statistics"][
        "DataScannedInBytes"
    ]
    assert 0 < narrow < whole


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        (
            "SELECT * FROM nowhere",
            "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.athena_tests.nowhere' does not exist",
        ),
        (
            "SELECT\n missing FROM (SELECT 1 AS a)",
            "COLUMN_NOT_FOUND: line 2:2: Column 'missing' cannot be resolved",
        ),
        ("SELECT frobnicate(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'frobnicate' not registered"),
        ("SELECT * FROM nodb.t", "SCHEMA_NOT_FOUND"),
        ("SELECT 1 / 0", "DIVISION_BY_ZERO"),
        ("SELECT CAST('x' AS integer)", "INVALID_CAST_ARGUMENT"),
        ("CREATE TABLE bad WITH (format = 'ORC') AS SELECT 1 AS a", "NOT_SUPPORTED"),
        ("CREATE TABLE bad AS SELECT 1", "COLUMN_NAME_NOT_SPECIFIED"),
        ("CREATE TABLE bad WITH (nonsense = 'x') AS SELECT 1 AS a", "INVALID_TABLE_PROPERTY"),
        ("DROP TABLE nowhere", "TABLE_NOT_FOUND"),
        ("DROP DATABASE athena_tests", "SCHEMA_NOT_EMPTY"),
    ],
)
def test_a_failed_query_says_why_in_athenas_words(athena: AthenaClient, sql: str, reason: str) -> None:
    athena.rows("CREATE TABLE IF NOT EXISTS something AS SELECT 1 AS a")
    answer = athena.run(sql)
    assert (answer.state, answer.reason[: len(reason)]) == ("FAILED", reason)


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "DELETE FROM t",
        "GRANT x",
        "SELECT ? + ?",
        "SELECT (1",
        "EXECUTE unknown",
    ],
)
def test_what_cannot_be_run_is_refused_at_once(athena: AthenaClient, sql: str) -> None:
    with pytest.raises(ClientError) as refused:
        athena.start(sql)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"


def test_parameters_take_the_place_of_question_marks(athena: AthenaClient) -> None:
    assert athena.rows("SELECT ?, ? || 'c'", ExecutionParameters=["7", "'b'"]) == [["7", "bc"]]
    athena.rows("PREPARE doubled FROM SELECT ? * 2")
    assert athena.rows("EXECUTE doubled USING 21") == [["42"]]
    listed = athena.athena.list_prepared_statements(WorkGroup="primary")["PreparedStatements"]
    assert "doubled" in [statement["StatementName"] for statement in listed]
    athena.rows("DEALLOCATE PREPARE doubled")


def test_a_work_group_decides_on_location_size_and_state(athena: AthenaClient) -> None:
    configuration = {
        "ResultConfiguration": {"OutputLocation": f"s3://{BUCKET}/enforced/"},
        "EnforceWorkGroupConfiguration": True,
        "BytesScannedCutoffPerQuery": 10_000_000,
    }
    athena.athena.create_work_group(Name="strict", Configuration=configuration)
    location = athena.run("SELECT 1", WorkGroup="strict").execution["ResultConfiguration"]["OutputLocation"]
    assert location.startswith(f"s3://{BUCKET}/enforced/")
    refused = athena.run(
        f"CREATE TABLE x WITH (external_location = 's3://{BUCKET}/mine/') AS SELECT 1 AS a",
        WorkGroup="strict",
    )
    assert "enforces a centralized output location" in refused.reason
    athena.rows(
        "CREATE TABLE heavy WITH (parquet_compression = 'NONE') AS "
        "SELECT random() AS r FROM unnest(sequence(1, 2000000)) AS u(x)",
        WorkGroup="strict",
    )
    too_much = athena.run("SELECT sum(r) FROM heavy", WorkGroup="strict")
    assert (too_much.state, too_much.reason) == ("CANCELLED", "Bytes scanned limit was exceeded")
    athena.athena.update_work_group(WorkGroup="strict", State="DISABLED")
    with pytest.raises(ClientError, match="WorkGroup strict is disabled"):
        athena.start("SELECT 1", WorkGroup="strict")
    with pytest.raises(ClientError, match="No output location provided"):
        athena.start("SELECT 1", ResultConfiguration={})


def test_a_running_query_can_be_stopped(athena: AthenaClient) -> None:
    numbers = "unnest(sequence(1, 100000))"
    execution_id = athena.start(
        f"SELECT count(*) FROM {numbers} AS a(x), {numbers} AS b(y), {numbers} AS c(z) WHERE x * y > z"  # noqa: S608
    )
    for _ in range(500):
        execution = athena.athena.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        if execution["Status"]["State"] == "RUNNING":
            break
        time.sleep(0.01)
    athena.athena.stop_query_execution(QueryExecutionId=execution_id)
    assert athena.wait(execution_id).state == "CANCELLED"


def test_definitions_describe_themselves(athena: AthenaClient) -> None:
    athena.rows(CSV_TABLE.format(name="described", bucket=BUCKET))
    shown = "\n".join(str(row[0]) for row in athena.rows("SHOW CREATE TABLE described"))
    athena.rows("DROP TABLE described")
    athena.rows(shown.replace(f"`{athena.database}.described`", "described"))
    columns = [str(row[0]).strip() for row in athena.rows("SHOW COLUMNS IN described")]
    assert columns == ["city", "people", "share", "country"]
    names = [row[0] for row in athena.rows("SHOW TABLES 'desc*'")]
    assert names == ["described"]
    told = athena.athena.get_table_metadata(
        CatalogName="AwsDataCatalog", DatabaseName=athena.database, TableName="described"
    )["TableMetadata"]
    assert [c["Name"] for c in told["PartitionKeys"]] == ["country"]
