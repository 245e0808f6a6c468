-- One row a redemption, and as weaker evidence one row a user, coupon and month with purchases of what the
-- coupon covers.
CREATE TABLE coupon_interactions WITH (format = 'PARQUET') AS
WITH covered AS (
${covered_purchases}
)
SELECT user_id, coupon_id AS item_id, 'redeemed' AS event_type, 1.0E0 AS event_value, "timestamp"
FROM curated_coupon_events
WHERE event_type = 'redeemed'
UNION ALL
SELECT
    user_id,
    coupon_id AS item_id,
    'covered_purchase' AS event_type,
    0.1E0 AS event_value,
    max("timestamp") AS "timestamp"
FROM covered
GROUP BY user_id, coupon_id, floor("timestamp" / 2592000.0E0)
