-- One row a user: the JSON line of batch inference input that has the campaign's coupons ranked for them, and
-- the part of the input it goes to. Coupons are those still valid on the last day of the data, at most the 500
-- that Personalize ranks.
${campaign_eligible},
offered_list AS (
    SELECT array_join(
        array_agg(chr(34) || replace(replace(coupon_id, chr(92), chr(92) || chr(92)), chr(34), chr(92) || chr(34)) || chr(34)),
        ','
    ) AS item_list
    FROM offered
)
SELECT
    chr(123) || '"userId":'
    || chr(34) || replace(replace(users.user_id, chr(92), chr(92) || chr(92)), chr(34), chr(92) || chr(34)) || chr(34)
    || ',"itemList":[' || offered_list.item_list || ']' || chr(125) AS line,
    (row_number() OVER (ORDER BY users.user_id) - 1) % /*parts*/ 1 AS part
FROM audience AS users
CROSS JOIN offered_list
WHERE offered_list.item_list IS NOT NULL
