-- One row a user, one column: the JSON line of batch inference input that has the campaign's coupons ranked for
-- them. Coupons are those still valid on the last day of the data, at most the 500 that Personalize ranks.
WITH today AS (
    SELECT CAST(from_unixtime(max("timestamp")) AS date) AS day
    FROM (
        SELECT "timestamp" FROM curated_interactions
        UNION ALL
        SELECT "timestamp" FROM curated_coupon_events
    ) AS moments
),
valid AS (
    SELECT coupons.coupon_id
    FROM curated_coupons AS coupons
    CROSS JOIN today
    WHERE coupons.valid_until >= today.day
    ORDER BY coupons.valid_from DESC, coupons.coupon_id
    LIMIT 500
),
offered AS (
    SELECT array_join(
        array_agg(chr(34) || replace(replace(coupon_id, chr(92), chr(92) || chr(92)), chr(34), chr(92) || chr(34)) || chr(34)),
        ','
    ) AS item_list
    FROM valid
)
SELECT
    chr(123) || '"userId":'
    || chr(34) || replace(replace(users.user_id, chr(92), chr(92) || chr(92)), chr(34), chr(92) || chr(34)) || chr(34)
    || ',"itemList":[' || offered.item_list || ']' || chr(125) AS line
FROM coupon_users AS users
CROSS JOIN offered
WHERE offered.item_list IS NOT NULL
