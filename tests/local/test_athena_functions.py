"""Trino's functions and types give on localcloud what they give in Athena."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from localcloud.athena.functions import DEFINITIONS, define
from tests.local.athena_client import AthenaClient

BUCKET = "athena-function-tests"
BATCH = 25
# An expression over x = 1 .. 5 (or over none), and the text that Athena returns.
EXPECTED = [
    ("approx_percentile(x,0.5)", "3"),
    ("date_diff('day',timestamp '2020-01-01 23:00:00',timestamp '2020-01-02 01:00:00')", "0"),
    ("date_diff('month',date '2020-01-31',date '2020-03-01')", "1"),
    ("from_unixtime(0)", "1970-01-01 00:00:00.000 UTC"),
    ("to_unixtime(timestamp '1970-01-01 00:01:00')", "60.0"),
    ("element_at(array[1,2],2)", "2"),
    ("element_at(map(array['a'],array[5]),'a')", "5"),
    ("element_at(array[1,2],9)", None),
    ("cardinality(array[1,2])", "2"),
    ("cardinality(map(array['a'],array[5]))", "1"),
    ("array_agg(x order by x desc)", "[5, 4, 3, 2, 1]"),
    ("try_cast('a' as bigint)", None),
    ('json_extract_scalar(\'{"a":{"b":"c"}}\',\'$.a.b\')', "c"),
    ("json_extract_scalar('bad','$.a')", None),
    ('json_extract_scalar(\'{"a":{"b":"c"}}\',\'$.a\')', None),
    ("json_extract('{\"a\":[1,2]}','$.a')", "[1,2]"),
    ("json_extract_scalar('{\"a\":[1,2]}','$.a[1]')", "2"),
    ("regexp_extract('abc123','([a-z]+)([0-9]+)',2)", "123"),
    ("regexp_extract('abc','z')", None),
    ("regexp_extract_all('a1b2','[0-9]')", "[1, 2]"),
    ("regexp_like('abc','b')", "true"),
    ("regexp_replace('abcabc','b','x')", "axcaxc"),
    ("regexp_split('a1b2c','[0-9]')", "[a, b, c]"),
    ("width_bucket(5,0,10,5)", "3"),
    ("format_datetime(timestamp '2020-01-02 03:04:05','yyyy-MM-dd HH:mm:ss')", "2020-01-02 03:04:05"),
    ("date_parse('2020-01-02','%Y-%m-%d')", "2020-01-02 00:00:00.000"),
    ("date_format(timestamp '2020-01-02 03:04:05','%Y/%m/%d %H:%i')", "2020/01/02 03:04"),
    ("approx_distinct(x)", "5"),
    ("max_by(x,-x)", "1"),
    ("min_by(x,-x)", "5"),
    ("max_by(x,x,2)", "[5, 4]"),
    ("count_if(x>3)", "2"),
    ("bool_or(x>4)", "true"),
    ("bool_and(x>4)", "false"),
    ("every(x>0)", "true"),
    ("date_trunc('month',date '2020-05-17')", "2020-05-01"),
    ("date_trunc('hour',timestamp '2020-05-17 10:11:12')", "2020-05-17 10:00:00.000"),
    ("date_add('month',1,date '2020-01-31')", "2020-02-29"),
    ("date_add('hour',2,timestamp '2020-01-31 00:00:00')", "2020-01-31 02:00:00.000"),
    ("date '2020-01-01' - interval '1' day", "2019-12-31"),
    ("strpos('abc','c')", "3"),
    ("position('c' in 'abc')", "3"),
    ("split('a,b',',')", "[a, b]"),
    ("split_part('a,b',',',2)", "b"),
    ("split_part('a,b',',',5)", None),
    ("substr('abcdef',2,3)", "bcd"),
    ("substring('abcdef' from 2)", "bcdef"),
    ("upper('a')||lower('B')", "Ab"),
    ("concat('a','b')", "ab"),
    ("concat('a',null)", None),
    ("concat_ws(',','a',null,'b')", "a,b"),
    ("lpad('5',3,'0')", "005"),
    ("rpad('5',3,'0')", "500"),
    ("trim('  a ')", "a"),
    ("replace('abc','b','x')", "axc"),
    ("reverse('abc')", "cba"),
    ("length('abc')", "3"),
    ("chr(65)", "A"),
    ("codepoint('A')", "65"),
    ("greatest(1,2,3)", "3"),
    ("greatest(1,null)", None),
    ("if(1>0,'y','n')", "y"),
    ("coalesce(null,1)", "1"),
    ("nullif(1,1)", None),
    ("try(1/0)", None),
    ("map_agg(x,x+1)", "{1=2, 2=3, 3=4, 4=5, 5=6}"),
    ("year(date '2020-05-17')", "2020"),
    ("month(date '2020-05-17')", "5"),
    ("day(date '2020-05-17')", "17"),
    ("quarter(date '2020-05-17')", "2"),
    ("week(date '2020-05-17')", "20"),
    ("hour(timestamp '2020-01-02 03:04:05')", "3"),
    ("minute(timestamp '2020-01-02 03:04:05')", "4"),
    ("second(timestamp '2020-01-02 03:04:05')", "5"),
    ("day_of_week(date '2020-05-17')", "7"),
    ("day_of_month(date '2020-05-17')", "17"),
    ("day_of_year(date '2020-05-17')", "138"),
    ("extract(year from date '2020-05-17')", "2020"),
    ("last_day_of_month(date '2020-02-05')", "2020-02-29"),
    ("to_hex(md5(to_utf8('a')))", "0CC175B9C0F1B6A831C399E269772661"),
    ("to_hex(sha256(to_utf8('a')))", "CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB"),
    ("to_base64(to_utf8('a'))", "YQ=="),
    ("from_utf8(from_base64('YQ=='))", "a"),
    ("url_extract_host('https://a.b/c?d=e#f')", "a.b"),
    ("url_extract_parameter('https://a.b/c?d=e#f','d')", "e"),
    ("url_encode('a b')", "a+b"),
    ("geometric_mean(x) > 2.6", "true"),
    ("url_extract_path('https://a.b/c?d=e#f')", "/c"),
    ("abs(-1)", "1"),
    ("ceil(1.2)", "2"),
    ("floor(1.8)", "1"),
    ("round(2.5e0)", "3.0"),
    ("truncate(1.9e0)", "1.0"),
    ("power(2,3)", "8.0"),
    ("sqrt(4)", "2.0"),
    ("ln(1)", "0.0"),
    ("log(2,8)", "3.0"),
    ("log10(100)", "2.0"),
    ("exp(0)", "1.0"),
    ("mod(5,3)", "2"),
    ("5 % 3", "2"),
    ("7/2", "3"),
    ("7/2e0", "3.5"),
    ("-7/2", "-3"),
    ("sign(-3)", "-1"),
    ("pi()", "3.141592653589793"),
    ("is_nan(nan())", "true"),
    ("infinity()", "Infinity"),
    ("cast(1 as double)", "1.0"),
    ("cast(1.5 as varchar)", "1.5"),
    ("cast(true as varchar)", "true"),
    ("cast('2020-01-01' as date)", "2020-01-01"),
    ("cast('2020-01-01 10:00:00' as timestamp)", "2020-01-01 10:00:00.000"),
    ("cast(date '2020-01-01' as timestamp)", "2020-01-01 00:00:00.000"),
    ("cast(1 as decimal(10,2))", "1.00"),
    ("cast(array[1,2] as json)", "[1,2]"),
    ("cast(row(1,'a') as row(a integer,b varchar))", "{a=1, b=a}"),
    ("cast(row(1,'a') as row(a integer,b varchar)).b", "a"),
    ("json_format(json_parse('{\"a\": 1}'))", '{"a":1}'),
    ("json_array_length('[1,2,3]')", "3"),
    ('json_size(\'{"a":{"b":1,"c":2}}\',\'$.a\')', "2"),
    ("sequence(1,3)", "[1, 2, 3]"),
    ("sequence(1,5,2)", "[1, 3, 5]"),
    ("sequence(date '2020-01-01',date '2020-01-03')", "[2020-01-01, 2020-01-02, 2020-01-03]"),
    ("transform(array[1,2],x->x+1)", "[2, 3]"),
    ("filter(array[1,2,3],x->x>1)", "[2, 3]"),
    ("reduce(array[1,2,3],0,(s,x)->s+x,s->s)", "6"),
    ("reduce(array[1,2,3],0,(s,x)->s+x,s->s*10)", "60"),
    ("any_match(array[1,2],x->x>1)", "true"),
    ("all_match(array[1,2],x->x>1)", "false"),
    ("none_match(array[1,2],x->x>5)", "true"),
    ("array_join(array['a','b'],'-')", "a-b"),
    ("array_join(array['a',null],'-','?')", "a-?"),
    ("array_distinct(array[1,1])", "[1]"),
    ("array_sort(array[2,1])", "[1, 2]"),
    ("array_max(array[2,1])", "2"),
    ("array_min(array[2,1])", "1"),
    ("array_position(array[2,1],1)", "2"),
    ("array_sum(array[1,2])", "3"),
    ("array_intersect(array[1,2],array[2])", "[2]"),
    ("array_except(array[1,2],array[2])", "[1]"),
    ("arrays_overlap(array[1],array[1])", "true"),
    ("array_remove(array[1,2],1)", "[2]"),
    ("contains(array[1,2],2)", "true"),
    ("flatten(array[array[1],array[2]])", "[1, 2]"),
    ("slice(array[1,2,3,4],2,2)", "[2, 3]"),
    ("array[1]||array[2]", "[1, 2]"),
    ("array[1,2][1]", "1"),
    ("map_keys(map(array['a'],array[1]))", "[a]"),
    ("map_values(map(array['a'],array[1]))", "[1]"),
    ("map(array['a'],array[1])['a']", "1"),
    ("map_concat(map(array['a'],array[1]),map(array['b'],array[2]))", "{a=1, b=2}"),
    ("map_filter(map(array['a','b'],array[1,2]),(k,v)->v>1)", "{b=2}"),
    ("transform_values(map(array['a'],array[1]),(k,v)->v+1)", "{a=2}"),
    ("variance(x)", "2.5"),
    ("covar_samp(x,x)", "2.5"),
    ("regr_slope(x,x)", "1.0"),
    ("listagg(cast(x as varchar),',') within group (order by x)", "1,2,3,4,5"),
    ("sum(x) filter (where x>3)", "9"),
    ("count(distinct x)", "5"),
    ("bitwise_and(6,3)", "2"),
    ("bitwise_xor(6,3)", "5"),
    ("levenshtein_distance('abc','abd')", "1"),
    ("starts_with('abc','ab')", "true"),
    ("translate('abc','a','x')", "xbc"),
    ("hamming_distance('abc','abd')", "1"),
    ("from_iso8601_timestamp('2020-01-01T00:00:00Z')", "2020-01-01 00:00:00.000 UTC"),
    ("to_iso8601(date '2020-01-01')", "2020-01-01"),
    ("current_date > date '2020-01-01'", "true"),
    ("now() > timestamp '2020-01-01 00:00:00'", "true"),
    ("1 is distinct from null", "true"),
    ("case when true then 1 else 2 end", "1"),
    ("'a' like 'a%'", "true"),
    ("'a_b' like 'a\\_b' escape '\\'", "true"),
    ("date('2020-01-01')", "2020-01-01"),
    ("from_unixtime(1577836800.5)", "2020-01-01 00:00:00.500 UTC"),
    ("date_format(from_unixtime(0),'%Y-%m-%d')", "1970-01-01"),
    ("cast(from_unixtime(0) as date)", "1970-01-01"),
    ("cast(to_unixtime(cast('2020-01-01' as timestamp)) as bigint)", "1577836800"),
    ("split_to_map('a=1,b=2',',','=')", "{a=1, b=2}"),
    ("map_from_entries(array[row('a',1)])", "{a=1}"),
    ("bitwise_or_agg(x)", "7"),
    ("cast(json_parse('[1,2]') as array(bigint))", "[1, 2]"),
    ("cast(json_parse('{\"a\":1}') as map(varchar,bigint))", "{a=1}"),
    ("json_extract_scalar(json_parse('{\"a\":1}'),'$.a')", "1"),
    ("concat(array[1],array[2])", "[1, 2]"),
    ("bool_or(cast(x as boolean))", "true"),
    ("date_add('week',1,date '2020-01-01')", "2020-01-08"),
    ("year(current_timestamp)>2000", "true"),
    ("localtimestamp > timestamp '2020-01-01 00:00:00'", "true"),
    ("cast('1' as tinyint)", "1"),
    ("cast(9.99 as integer)", "10"),
    ("'1' = cast(1 as varchar)", "true"),
]
QUERIES = [
    ("SELECT x FROM (VALUES 3, 1, NULL) AS t(x) ORDER BY x DESC", [["3"], ["1"], [None]]),
    ("SELECT x, y FROM (VALUES (ARRAY[1, 2], ARRAY[3, 4])) AS t(a, b) CROSS JOIN UNNEST(a, b) AS u(x, y)",
     [["1", "3"], ["2", "4"]]),
    ("SELECT k, v FROM (VALUES MAP(ARRAY['a', 'b'], ARRAY[1, 2])) AS t(m) CROSS JOIN UNNEST(m) AS u(k, v)",
     [["a", "1"], ["b", "2"]]),
    ("SELECT p, q FROM UNNEST(ARRAY[CAST(ROW(1, 'z') AS ROW(p integer, q varchar))]) AS u(p, q)",
     [["1", "z"]]),
    ("WITH a AS (SELECT 1 AS x) SELECT * FROM a UNION ALL SELECT 2", [["1"], ["2"]]),
    ("SELECT x, sum(y) FROM (VALUES (1, 2), (1, 3)) AS t(x, y) GROUP BY GROUPING SETS ((x), ())",
     [["1", "5"], [None, "5"]]),
    ("SELECT lag(x) IGNORE NULLS OVER (ORDER BY x) FROM (VALUES 1, 2) AS t(x)", [[None], ["1"]]),
    ("SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t(x, y) ORDER BY x OFFSET 1 LIMIT 1", [["2", "b"]]),
    ("SELECT x FROM (VALUES 1, 2) AS t(x) ORDER BY x FETCH FIRST 1 ROWS ONLY", [["1"]]),
    ("VALUES 1, 2", [["1"], ["2"]]),
]  # fmt: skip


@pytest.fixture(scope="module")
def athena(localcloud_server: Any) -> AthenaClient:
    client = AthenaClient(localcloud_server, "default", BUCKET)
    client.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "ap-south-1"})
    return client


def test_functions_return_what_they_return_in_athena(athena: AthenaClient) -> None:
    """Many are asked for by one query, as each query takes its time; a difference names its expression."""
    batches = [EXPECTED[start : start + BATCH] for start in range(0, len(EXPECTED), BATCH)]
    started = []
    for batch in batches:
        columns = ", ".join(f"{expression} AS c{number}" for number, (expression, _) in enumerate(batch))
        started.append(athena.start(f"SELECT {columns} FROM (VALUES 1, 2, 3, 4, 5) AS t(x)"))  # noqa: S608
    different = {}
    for batch, execution_id in zip(batches, started, strict=True):
        answer = athena.wait(execution_id)
        assert answer.state == "SUCCEEDED", answer.reason
        for (expression, expected), got in zip(batch, answer.rows[0], strict=True):
            if got != expected:
                different[expression] = (got, expected)
    assert different == {}


def test_every_function_can_be_defined() -> None:
    with duckdb.connect() as connection:
        define(connection, " ".join(f"{name}(" for name in DEFINITIONS), set())
        known = {
            name for (name,) in connection.execute("SELECT function_name FROM duckdb_functions()").fetchall()
        }
    assert set(DEFINITIONS) <= known


@pytest.mark.parametrize(("sql", "rows"), QUERIES)
def test_queries_return_what_they_return_in_athena(
    athena: AthenaClient, sql: str, rows: list[list[str]]
) -> None:
    assert athena.rows(sql) == rows
