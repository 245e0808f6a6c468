-- One row a user seen in the interactions, with what the customer data says of them.
CREATE TABLE users WITH (format = 'PARQUET') AS
SELECT
    seen.user_id,
    ${user_attributes}
FROM (SELECT DISTINCT user_id FROM curated_interactions WHERE ${has_item}) AS seen
LEFT JOIN curated_customers AS customers ON customers.user_id = seen.user_id
