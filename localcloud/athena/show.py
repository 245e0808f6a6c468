"""Tables as text: SHOW CREATE TABLE and DESCRIBE."""

from __future__ import annotations

from localcloud.athena.catalog import Column, Table

COLUMN_WIDTH = 20


def create_table_text(table: Table) -> str:
    """Return the statement that would make the table or view again."""
    if table.view_sql is not None:
        return f"CREATE VIEW {table.database}.{table.name} AS\n{table.view_sql}"
    storage = table.storage
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`(", _columns(table.columns) + ")"]
    if table.partition_keys:
        lines += ["PARTITIONED BY ( ", _columns(table.partition_keys) + ")"]
    lines += ["ROW FORMAT SERDE ", f"  '{table.serde}' "]
    if table.serde_parameters:
        lines += ["WITH SERDEPROPERTIES ( ", _pairs(table.serde_parameters) + ") "]
    lines += [
        "STORED AS INPUTFORMAT ",
        f"  '{storage.get('InputFormat', '')}' ",
        "OUTPUTFORMAT ",
        f"  '{storage.get('OutputFormat', '')}'",
        "LOCATION",
        f"  '{table.location}'",
        "TBLPROPERTIES (",
        _pairs({name: value for name, value in table.parameters.items() if name != "EXTERNAL"}) + ")",
    ]
    return "\n".join(lines)


def described_table(table: Table, *, detailed: bool) -> list[str]:
    """Return the lines of DESCRIBE: columns, partition columns, with `detailed` how it is stored."""
    lines = [_described(column) for column in [*table.columns, *table.partition_keys]]
    if table.partition_keys:
        lines += ["\t \t ", "# Partition Information\t \t ", "# col_name\tdata_type\tcomment", "\t \t "]
        lines += [_described(column) for column in table.partition_keys]
    if detailed:
        lines += [
            "\t \t ",
            "# Detailed Table Information\t \t ",
            f"Database:\t{table.database}\t ",
            f"Location:\t{table.location}\t ",
            f"Table Type:\t{table.definition.get('TableType', '')}\t ",
            f"SerDe Library:\t{table.serde}\t ",
            *(f"\t{name}\t{value}" for name, value in sorted(table.parameters.items())),
        ]
    return lines


def _described(column: Column) -> str:
    return f"{column.name:<{COLUMN_WIDTH}}\t{column.hive:<{COLUMN_WIDTH}}\t{column.comment:<{COLUMN_WIDTH}}"


def _columns(columns: list[Column]) -> str:
    return ", \n".join(
        f"  `{c.name}` {c.hive}" + (f" COMMENT '{c.comment}'" if c.comment else "") for c in columns
    )


def _pairs(values: dict[str, str]) -> str:
    return ", \n".join(f"  '{name}'='{value}'" for name, value in sorted(values.items()))
