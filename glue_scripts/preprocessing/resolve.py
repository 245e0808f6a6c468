"""Decide what becomes of each sound row: kept, a duplicate, a bot's, or of someone unknown."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812

from preprocessing.settings import Settings

KEPT, DUPLICATE, BOT, UNIDENTIFIED = "kept", "duplicate", "bot", "unidentified"
LOCATION = ["file", "block", "row_id"]
OUTCOMES = [KEPT, DUPLICATE, BOT, UNIDENTIFIED]
_HOUR, _DAY = 3600, 86400


def actor_counts(rows: DataFrame) -> DataFrame:
    """Count rows by who did them as the source knew: `device_id`, `user_id`, `rows`."""
    return rows.groupBy("device_id", "user_id").agg(F.count("*").alias("rows"))


def identities(counts: DataFrame) -> DataFrame:
    """Map `device_id` to `known_user_id` where all its logins were one user's.

    A device of several users (a family's tablet) is left alone: guessing would put one person's wishes
    into another's history.
    """
    logins = counts.where("device_id IS NOT NULL AND user_id IS NOT NULL").groupBy("device_id")
    users = logins.agg(F.min("user_id").alias("known_user_id"), F.max("user_id").alias("last"))
    return users.where("known_user_id = last").drop("last")


def bots(rows: DataFrame, counts: DataFrame, maximum_per_hour: int) -> DataFrame:
    """Return `actor` and `day` (since 1970) of whoever did more than `maximum_per_hour` in an hour of it."""
    busy = counts.select(_actor().alias("actor"), "rows").groupBy("actor").agg(F.sum("rows").alias("rows"))
    busy = busy.where(F.col("rows") > maximum_per_hour).select("actor")
    hours = rows.select(_actor().alias("actor"), F.floor(F.col("timestamp") / _HOUR).alias("hour"))
    by_hour = hours.join(F.broadcast(busy), "actor", "left_semi").groupBy("actor", "hour").count()
    days = by_hour.where(F.col("count") > maximum_per_hour)
    return days.select("actor", F.floor(F.col("hour") * _HOUR / _DAY).alias("day")).distinct()


def resolve(
    rows: DataFrame, users_of_devices: DataFrame, bot_days: DataFrame, settings: Settings
) -> DataFrame:
    """Return `rows` with `outcome`, the stitched `user_id`, a content-made `event_id` where there was none.

    Exactly one row of each event is kept, whatever order rows come in. What becomes of a row depends on
    its own partition (`dt`) and the two beside it alone, so that partitions can be redone by themselves.
    """
    stitched = (
        rows.select("*", _actor().alias("actor"), F.floor(F.col("timestamp") / _DAY).alias("day"))
        .join(F.broadcast(bot_days.withColumn("is_bot", F.lit(True))), ["actor", "day"], "left")
        .join(users_of_devices, "device_id", "left")
        .withColumn("user_id", F.coalesce("user_id", "known_user_id"))
        .withColumn("event_id", F.coalesce("event_id", _content_id(settings)))
        .withColumn("priority", _priority(settings))
        .withColumn("who", _actor())
    )
    is_candidate = F.col("is_bot").isNull() & F.col("user_id").isNotNull()
    # where a row came from matters for the quarantine alone; the others travel lighter without it
    stitched = stitched.withColumns(
        {name: F.when(~is_candidate, F.col(name)) for name in LOCATION}
    ).repartition("who")
    same_event = Window.partitionBy("who", "dt", "source", "event_id").orderBy(
        "timestamp", *settings.attribute_types
    )
    seconds = settings.tolerance_seconds
    same_act = (
        Window.partitionBy("who", "event_type", *settings.item.id_attributes)
        .orderBy("timestamp")
        .rangeBetween(-seconds, seconds)
    )
    first = stitched.withColumn("delivery", F.row_number().over(same_event))
    counted = F.when(is_candidate & (F.col("delivery") == 1), F.col("priority"))
    judged = first.withColumn("best", F.min(counted).over(same_act))
    outcome = (
        F.when(F.col("is_bot"), BOT)
        .when(F.col("user_id").isNull(), UNIDENTIFIED)
        .when((F.col("delivery") > 1) | (F.col("best") < F.col("priority")), DUPLICATE)
        .otherwise(KEPT)
    )
    return judged.withColumn("outcome", outcome).drop(
        "actor", "day", "who", "is_bot", "known_user_id", "priority", "delivery", "best"
    )


def _actor() -> Column:
    return F.coalesce("user_id", F.concat(F.lit("device:"), F.col("device_id")))


def _content_id(settings: Settings) -> Column:
    """Make an id of what happened, so that the same event without an id is the same event."""
    parts = ["source", "user_id", "device_id", "event_type", "timestamp", *settings.attribute_types]
    return F.md5(
        F.concat_ws("\u001f", *[F.coalesce(F.col(part).cast("string"), F.lit("")) for part in parts])
    )


def _priority(settings: Settings) -> Column:
    priority = F.lit(len(settings.sources))
    for place, source in enumerate(settings.sources):
        priority = F.when(F.col("source") == source.name, place).otherwise(priority)
    return priority
