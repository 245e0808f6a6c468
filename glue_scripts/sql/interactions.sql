-- One row an interaction of a user with an item.
CREATE TABLE interactions WITH (format = 'PARQUET') AS
SELECT
    user_id,
    ${item_id} AS item_id,
    event_type,
    event_value,
    "timestamp"${interaction_attributes}
FROM curated_interactions
WHERE ${has_item}
