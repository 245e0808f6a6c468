-- One row a session: a user's interactions with no pause longer than half an hour.
CREATE TABLE sessions WITH (format = 'PARQUET') AS
WITH marked AS (
    SELECT
        user_id,
        event_type,
        "timestamp",
        CASE WHEN "timestamp" - lag("timestamp") OVER (PARTITION BY user_id ORDER BY "timestamp") <= 1800
            THEN 0 ELSE 1 END AS is_start
    FROM curated_interactions
),
numbered AS (
    SELECT
        user_id,
        event_type,
        "timestamp",
        sum(is_start) OVER (
            PARTITION BY user_id ORDER BY "timestamp" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS session_number
    FROM marked
)
SELECT
    user_id,
    session_number,
    min("timestamp") AS started_at,
    max("timestamp") AS ended_at,
    count(*) AS events,
    sum(CASE WHEN event_type IN (${outcome_events}) THEN 1 ELSE 0 END) AS outcomes
FROM numbered
GROUP BY user_id, session_number
