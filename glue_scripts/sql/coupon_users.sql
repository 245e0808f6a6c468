-- One row a user known to shop or to have had coupons, with the share of coupons redeemed so far.
CREATE TABLE coupon_users WITH (format = 'PARQUET') AS
WITH behaviour AS (
    SELECT
        user_id,
        sum(CASE WHEN event_type = 'issued' THEN 1 ELSE 0 END) AS issued,
        sum(CASE WHEN event_type = 'redeemed' THEN 1 ELSE 0 END) AS redeemed
    FROM curated_coupon_events
    GROUP BY user_id
),
everyone AS (
    SELECT user_id FROM curated_interactions
    UNION
    SELECT user_id FROM curated_coupon_events
)
SELECT
    everyone.user_id,
    ${user_attributes},
    CASE
        WHEN coalesce(behaviour.redeemed, 0) = 0 THEN 'never'
        WHEN behaviour.redeemed < 3 THEN 'occasional'
        ELSE 'frequent'
    END AS coupon_habit
FROM everyone
LEFT JOIN curated_customers AS customers ON customers.user_id = everyone.user_id
LEFT JOIN behaviour ON behaviour.user_id = everyone.user_id
