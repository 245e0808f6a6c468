-- One row a fact that decides whether a campaign can be made: each coupon it offers, each coupon asked for that
-- exists at all, how many users there are, and how many characters their ids have together.
${campaign_eligible}
SELECT 'offered' AS fact, coupon_id AS value FROM offered
UNION ALL
SELECT 'known' AS fact, coupons.coupon_id AS value FROM curated_coupons AS coupons WHERE /*coupons*/ true
UNION ALL
SELECT 'users' AS fact, CAST(count(*) AS varchar) AS value FROM audience
UNION ALL
SELECT 'characters' AS fact, CAST(coalesce(sum(length(user_id)), 0) AS varchar) AS value FROM audience
