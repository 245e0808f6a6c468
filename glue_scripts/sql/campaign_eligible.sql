-- Whom a campaign may address and with what. The conditions and the number of parts between comment marks are
-- replaced when a campaign starts; as they stand they let everybody and everything in.
WITH today AS (
    SELECT CAST(from_unixtime(max("timestamp")) AS date) AS day
    FROM (
        SELECT "timestamp" FROM curated_interactions
        UNION ALL
        SELECT "timestamp" FROM curated_coupon_events
    ) AS moments
),
audience AS (
    SELECT user_id FROM coupon_users WHERE /*audience*/ true
),
offered AS (
    SELECT coupons.coupon_id
    FROM curated_coupons AS coupons
    CROSS JOIN today
    WHERE coupons.valid_until >= today.day AND /*coupons*/ true
    ORDER BY coupons.valid_from DESC, coupons.coupon_id
    LIMIT 500
)
