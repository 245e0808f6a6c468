-- One row a coupon: the items of the coupon dataset group.
CREATE TABLE coupon_items WITH (format = 'PARQUET') AS
SELECT
    coupons.coupon_id AS item_id,
    coupons.campaign_id,
    coupons.category,
    coupons.discount_type,
    coupons.discount_value,
    CASE WHEN cost < 50 THEN 'low' WHEN cost < 200 THEN 'medium' ELSE 'high' END AS cost_band,
    CASE WHEN coalesce(scope.covered, 0) <= 1 THEN 'one' WHEN scope.covered <= 50 THEN 'some' ELSE 'many' END AS breadth,
    CAST(to_unixtime(CAST(coupons.valid_from AS timestamp)) AS bigint) AS creation_timestamp
FROM curated_coupons AS coupons
LEFT JOIN (
    SELECT coupon_id, count(*) AS covered FROM curated_coupon_scope GROUP BY coupon_id
) AS scope ON scope.coupon_id = coupons.coupon_id
