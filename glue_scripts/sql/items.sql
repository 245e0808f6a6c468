-- One row an item: a combination of the id attributes. Text attributes as last seen, numbers on average;
-- `popularity` is the sum of event values.
CREATE TABLE items WITH (format = 'PARQUET') AS
SELECT
    ${item_id} AS item_id,
    ${item_attributes},
    min("timestamp") AS creation_timestamp,
    sum(event_value) AS popularity
FROM curated_interactions
WHERE ${has_item}
GROUP BY ${item_id}
