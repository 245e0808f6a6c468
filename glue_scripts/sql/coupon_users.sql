-- One row a user known to shop or to have had coupons, with their habit: the segments of coupon campaigns.
CREATE TABLE coupon_users WITH (format = 'PARQUET') AS
WITH behaviour AS (
    SELECT
        user_id,
        sum(CASE WHEN event_type = 'redeemed' THEN 1 ELSE 0 END) AS redeemed,
        max(CASE WHEN event_type = 'redeemed' THEN "timestamp" END) AS last_redeemed
    FROM curated_coupon_events
    GROUP BY user_id
),
everyone AS (
    SELECT user_id, "timestamp" FROM curated_interactions
    UNION ALL
    SELECT user_id, "timestamp" FROM curated_coupon_events
),
users AS (
    SELECT DISTINCT user_id FROM everyone
),
today AS (
    SELECT max("timestamp") AS newest FROM everyone
)
SELECT
    users.user_id,
    ${user_attributes},
    CASE
        WHEN coalesce(behaviour.redeemed, 0) = 0 THEN 'never'
        WHEN behaviour.last_redeemed < today.newest - ${lapsed_after_seconds} THEN 'lapsed'
        WHEN behaviour.redeemed >= ${frequent_redemptions} THEN 'frequent'
        ELSE 'occasional'
    END AS coupon_habit
FROM users
CROSS JOIN today
LEFT JOIN curated_customers AS customers ON customers.user_id = users.user_id
LEFT JOIN behaviour ON behaviour.user_id = users.user_id
