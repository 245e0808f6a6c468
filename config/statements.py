"""The Athena statements of the prepare-data machine: `glue_scripts/sql` with the configuration filled in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from config.data import DataConfig
from config.model import ProjectConfig

SQL_DIR = Path(__file__).parent.parent / "glue_scripts" / "sql"
TABLES = ["items", "users", "interactions", "sessions", "coupon_items", "coupon_users", "coupon_interactions"]
NUMBERS = {"double", "long"}
SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class Statement:
    """One Athena statement and a name for the state that runs it."""

    name: str
    sql: str


def prepare_data_statements(config: ProjectConfig) -> list[list[Statement]]:
    """Return, per dataset table, the statements that rebuild it from the curated tables.

    The inner lists run in order, the outer ones do not depend on each other. Each statement names its tables
    without a database: run them in the deployment's Glue database.
    """
    return [
        [
            Statement(f"Drop {table}", f"DROP TABLE IF EXISTS {table}"),
            Statement(f"Create {table}", render(table, config)),
        ]
        for table in TABLES
    ]


def campaign_queries(config: ProjectConfig) -> dict[str, str]:
    """Return the SELECTs of a campaign: `facts` to check its input by, and the `audience` to write.

    `/*coupons*/ true`, `/*audience*/ true` and `/*parts*/ 1` are replaced when the campaign starts. Run the
    audience as `UNLOAD (<query>) TO '<input prefix>' WITH (format = 'TEXTFILE', compression = 'NONE',
    partitioned_by = ARRAY['part'])`.
    """
    return {name: render(f"campaign_{name}", config) for name in ("facts", "audience")}


def render(name: str, config: ProjectConfig) -> str:
    """Return the statement `glue_scripts/sql/<name>.sql` with the configuration's values in its places."""
    text = (SQL_DIR / f"{name}.sql").read_text(encoding="utf-8")
    eligible = (SQL_DIR / "campaign_eligible.sql").read_text(encoding="utf-8").strip()
    segments = config.coupon_campaign.segments
    campaign = {
        "campaign_eligible": eligible,
        "frequent_redemptions": str(segments.frequent_redemptions),
        "lapsed_after_seconds": str(segments.lapsed_after_days * SECONDS_A_DAY),
    }
    return Template(text).substitute(_places(config.data) | campaign).strip()


def _places(data: DataConfig) -> dict[str, str]:
    ids = data.item.id_attributes
    described = [*[a.name for a in data.attributes if a.type != "timestamp"]]
    described += [d.name for d in data.derived_attributes]
    types: dict[str, str] = {a.name: a.type for a in data.attributes}
    forbidden = set(data.item.forbidden)
    return {
        "item_id": f"concat_ws({_text(data.item.separator)}, {', '.join(_as_text(n, types) for n in ids)})",
        "has_item": " AND ".join(f"{name} IS NOT NULL" for name in ids),
        "item_attributes": ",\n    ".join(
            f"min({name}) AS {name}" if name in ids else _item_attribute(name, types)
            for name in described
            if name in ids or name not in forbidden
        ),
        "user_attributes": ",\n    ".join(f"customers.{name}" for name in data.user_metadata),
        "interaction_attributes": "".join(f",\n    {name}" for name in data.interaction_metadata),
        "outcome_events": ", ".join(_text(event) for event in data.selection.outcome_events),
        "covered_purchases": "    UNION ALL\n".join(_covered(name, types) for name in data.scope_attributes),
    }


def _item_attribute(name: str, types: dict[str, str]) -> str:
    if types.get(name) in NUMBERS:
        return f"avg({name}) AS {name}"
    last_seen = f"""lpad(CAST("timestamp" AS varchar), 12, '0') || {name}"""
    return f"max_by({name}, {last_seen}) AS {name}"


def _covered(name: str, types: dict[str, str]) -> str:
    text = (SQL_DIR / "coupon_interactions_covered.sql").read_text(encoding="utf-8")
    return Template(text).substitute(name=name, attribute=_as_text(f"bought.{name}", types))


def _as_text(column: str, types: dict[str, str]) -> str:
    kind = types.get(column.rsplit(".", 1)[-1], "string")
    return column if kind == "string" else f"CAST({column} AS varchar)"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
