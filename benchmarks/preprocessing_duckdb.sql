-- The work of the curate job on the travel sources, written by hand for DuckDB: the machine's practical limit.
-- $raw and $out are folders; $as_of is the epoch second of the run. Times are India's (UTC+5:30, no summer time).
-- It does what the job does but for the numbers of quarantined lines, broken files and schema drift, and for a
-- second run: of its intermediate tables it could make use, as the job does of parsed/, but not by partition.
CREATE TABLE lines AS
SELECT filename AS file, line, regexp_extract(filename, '(ios|android|web|transactions)/', 1) AS source
FROM read_csv(['$raw/clickstream/*/*.gz', '$raw/transactions/*.gz'], columns = {'line': 'VARCHAR'}, header = false,
              delim = '\x07', quote = '', escape = '', filename = true, null_padding = false, strict_mode = false,
              max_line_size = 10000000, parallel = true, auto_detect = false)
WHERE line NOT LIKE 'booking_ref,%';

CREATE TABLE fields AS
SELECT source, file, nullif(trim(f[1]), '') AS event_id, nullif(trim(f[2]), '') AS user_id,
       nullif(trim(f[3]), '') AS device_id, nullif(trim(f[4]), '') AS raw_type, nullif(trim(f[5]), '') AS raw_time,
       nullif(trim(f[6]), '') AS origin, nullif(trim(f[7]), '') AS destination, nullif(trim(f[8]), '') AS transport_mode,
       nullif(trim(f[9]), '') AS travel_class, nullif(trim(f[10]), '') AS operator, nullif(trim(f[11]), '') AS raw_price,
       nullif(trim(f[12]), '') AS raw_departure, nullif(trim(f[13]), '') AS raw_duration, is_sound, line
FROM (
    SELECT source, file, line, json_valid(line) AS is_sound,
           CASE WHEN json_valid(line) THEN CASE source
               WHEN 'ios' THEN json_extract_string(line, ['$.id', '$.user.id', '$.device.idfv', '$.name', '$.ts',
                   '$.trip.from', '$.trip.to', '$.trip.mode', '$.trip.cabin', '$.trip.carrier', '$.trip.fare',
                   '$.trip.departs', '$.trip.minutes'])
               WHEN 'android' THEN json_extract_string(line, ['$.event_uuid', '$.uid', '$.android_id', '$.event',
                   '$.event_time', '$.origin_code', '$.dest_code', '$.transport', '$.seat_class', '$.operator_name',
                   '$.price', '$.departure_time', '$.duration'])
               ELSE json_extract_string(line, ['$.hit_id', '$.login', '$.cookie', '$.action', '$.at', '$.q_from',
                   '$.q_to', '$.q_mode', '$.q_class', '$.q_operator', '$.q_price', '$.q_departure', '$.q_duration'])
               END END AS f
    FROM lines WHERE source <> 'transactions'
    UNION ALL
    SELECT source, file, line, len(p) = 12,
           [p[1], p[2], NULL, 'purchase', p[11], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10]]
    FROM (SELECT source, file, line, string_split(line, ',') AS p FROM lines WHERE source = 'transactions')
);

CREATE TABLE judged AS
SELECT *,
    CASE
        WHEN NOT is_sound THEN 'malformed'
        WHEN raw_time IS NULL THEN 'missing_time'
        WHEN timestamp IS NULL THEN 'unreadable_time'
        WHEN timestamp < 946684800 OR timestamp > $as_of + 86400 THEN 'time_out_of_range'
        WHEN event_type IS NULL THEN 'unknown_event_type'
        WHEN coalesce(user_id, device_id) IS NULL THEN 'no_user_or_device'
        WHEN origin IS NULL THEN 'missing_origin'
        WHEN destination IS NULL THEN 'missing_destination'
        WHEN transport_mode IS NULL THEN 'missing_transport_mode'
        WHEN travel_class IS NULL THEN 'missing_travel_class'
        WHEN departure_at IS NULL THEN 'missing_departure_at'
        WHEN price_inr IS NULL AND raw_price IS NOT NULL THEN 'unreadable_price_inr'
        WHEN price_inr < 1 OR price_inr > 500000 THEN 'price_inr_out_of_range'
        WHEN duration_minutes IS NULL AND raw_duration IS NOT NULL THEN 'unreadable_duration_minutes'
        WHEN duration_minutes < 1 OR duration_minutes > 10000 THEN 'duration_minutes_out_of_range'
        WHEN contains(texts, chr(65533)) OR contains(texts, chr(0)) THEN 'undecodable_text'
        WHEN greatest(length(user_id), length(event_id)) > 256
            OR length(concat_ws('|', origin, destination, transport_mode, travel_class, 'afternoon')) > 256 THEN 'id_too_long'
    END AS reason,
    CASE WHEN price_inr < 1000 THEN 'under-1000' WHEN price_inr < 2500 THEN '1000-2500'
        WHEN price_inr < 5000 THEN '2500-5000' WHEN price_inr < 10000 THEN '5000-10000' ELSE 'over-10000' END AS price_band,
    CASE WHEN hour < 6 THEN 'night' WHEN hour < 12 THEN 'morning' WHEN hour < 18 THEN 'afternoon' ELSE 'evening' END
        AS departure_window,
    strftime(make_timestamp(timestamp * 1000000), '%Y-%m') AS dt
FROM (
    SELECT * EXCLUDE (raw_type),
        concat_ws('', event_id, user_id, device_id, origin, destination, transport_mode, travel_class, operator) AS texts,
        CASE raw_type
            WHEN 'searched' THEN 'search' WHEN 'SEARCH' THEN 'search' WHEN 'search' THEN 'search'
            WHEN 'screen_view' THEN 'view' WHEN 'VIEW_ITEM' THEN 'view' WHEN 'product' THEN 'view'
            WHEN 'add_to_trip' THEN 'cart' WHEN 'ADD_TO_CART' THEN 'cart' WHEN 'basket' THEN 'cart'
            WHEN 'begin_checkout' THEN 'checkout' WHEN 'CHECKOUT_START' THEN 'checkout' WHEN 'checkout' THEN 'checkout'
            WHEN 'booked' THEN 'purchase' WHEN 'PURCHASE' THEN 'purchase' WHEN 'confirmation' THEN 'purchase'
            WHEN 'purchase' THEN 'purchase' END AS event_type,
        CASE source
            WHEN 'ios' THEN floor(try_cast(raw_time AS BIGINT) / 1000)::BIGINT
            WHEN 'android' THEN epoch(try_strptime(left(raw_time, 19), '%Y-%m-%dT%H:%M:%S'))::BIGINT - 19800
            WHEN 'web' THEN epoch(try_strptime(raw_time, '%d/%m/%Y %H:%M:%S'))::BIGINT - 19800
            ELSE epoch(try_strptime(raw_time, '%Y-%m-%d %H:%M:%S'))::BIGINT - 19800 END AS timestamp,
        try_cast(raw_price AS DOUBLE) AS price_inr,
        try_cast(raw_duration AS DOUBLE) AS duration_minutes,
        epoch(try_strptime(left(replace(raw_departure, 'T', ' '), 19), '%Y-%m-%d %H:%M:%S'))::BIGINT - 19800 AS departure_at,
        try_cast(substr(raw_departure, 12, 2) AS INTEGER) AS hour
    FROM fields
);
DROP TABLE lines;
DROP TABLE fields;

CREATE TABLE identities AS
SELECT device_id, min(user_id) AS known_user_id
FROM judged WHERE reason IS NULL AND device_id IS NOT NULL AND user_id IS NOT NULL
GROUP BY device_id HAVING count(DISTINCT user_id) = 1;

CREATE TABLE bots AS
SELECT DISTINCT actor, hour * 3600 // 86400 AS day
FROM (SELECT coalesce(user_id, 'device:' || device_id) AS actor, timestamp // 3600 AS hour FROM judged WHERE reason IS NULL)
GROUP BY actor, hour HAVING count(*) > 300;

CREATE TABLE resolved AS
WITH stitched AS (
    SELECT j.* EXCLUDE (event_id, user_id, reason, line, is_sound, raw_time, raw_departure, raw_price, raw_duration,
            hour, texts),
        coalesce(event_id, md5(concat_ws(chr(31), source, user_id, device_id, event_type, timestamp, origin, destination,
            transport_mode, travel_class, operator, price_inr, departure_at, duration_minutes))) AS event_id,
        coalesce(j.user_id, i.known_user_id) AS user_id,
        coalesce(j.user_id, i.known_user_id, 'device:' || j.device_id) AS who,
        b.actor IS NOT NULL AS is_bot,
        CASE source WHEN 'transactions' THEN 0 WHEN 'ios' THEN 1 WHEN 'android' THEN 2 ELSE 3 END AS priority,
        CASE event_type WHEN 'search' THEN 0.5 WHEN 'view' THEN 1 WHEN 'cart' THEN 2 WHEN 'checkout' THEN 3 ELSE 5 END
            AS event_value
    FROM judged j
    LEFT JOIN identities i USING (device_id)
    LEFT JOIN bots b ON b.actor = coalesce(j.user_id, 'device:' || j.device_id) AND b.day = j.timestamp // 86400
    WHERE j.reason IS NULL
),
delivered AS (
    SELECT *, row_number() OVER (
        PARTITION BY who, dt, source, event_id
        ORDER BY timestamp, origin NULLS FIRST, destination NULLS FIRST, transport_mode NULLS FIRST, price_inr NULLS FIRST
    ) AS delivery
    FROM stitched
),
compared AS (
    SELECT *, min(CASE WHEN NOT is_bot AND user_id IS NOT NULL AND delivery = 1 THEN priority END) OVER (
        PARTITION BY who, event_type, origin, destination, transport_mode, travel_class, departure_window
        ORDER BY timestamp RANGE BETWEEN 120 PRECEDING AND 120 FOLLOWING
    ) AS best
    FROM delivered
)
SELECT * EXCLUDE (who, is_bot, priority, delivery, best),
    CASE WHEN is_bot THEN 'bot' WHEN user_id IS NULL THEN 'unidentified'
        WHEN delivery > 1 OR best < priority THEN 'duplicate' ELSE 'kept' END AS outcome
FROM compared;

COPY resolved TO '$out/interactions' (FORMAT parquet, PARTITION_BY (outcome, dt), OVERWRITE);
COPY (
    SELECT source, file, reason, left(line, 4096) AS raw FROM judged WHERE reason IS NOT NULL
    UNION ALL
    SELECT source, file, outcome, to_json({'event_id': event_id, 'user_id': user_id, 'device_id': device_id, 'event_type': event_type,
        'timestamp': timestamp})::VARCHAR FROM resolved
    WHERE outcome IN ('bot', 'unidentified')
) TO '$out/quarantine.parquet' (FORMAT parquet);

COPY (
    SELECT source, outcome, count(*) AS rows FROM resolved GROUP BY ALL
    UNION ALL SELECT source, reason, count(*) FROM judged WHERE reason IS NOT NULL GROUP BY ALL
) TO '$out/counts.parquet' (FORMAT parquet);
COPY (
    SELECT count(*), count(origin), approx_count_distinct(origin), count(destination), approx_count_distinct(destination),
        count(transport_mode), approx_count_distinct(transport_mode), count(travel_class),
        approx_count_distinct(travel_class), count(operator), approx_count_distinct(operator), count(price_inr),
        approx_count_distinct(price_inr), avg(price_inr), stddev(price_inr), min(price_inr), max(price_inr),
        count(duration_minutes), approx_count_distinct(duration_minutes), avg(duration_minutes), stddev(duration_minutes),
        count(departure_window), approx_count_distinct(departure_window), count(price_band), approx_count_distinct(price_band)
    FROM resolved WHERE outcome = 'kept'
) TO '$out/attributes.parquet' (FORMAT parquet);

CREATE TABLE sample AS
SELECT row_number() OVER () AS row, event_type IN ('checkout', 'purchase') AS outcome, origin, destination,
    transport_mode, travel_class, operator, departure_window, price_band, price_inr, duration_minutes
FROM resolved
WHERE outcome = 'kept' AND hash(event_id) % 1000000
    < 1000000 * least(1, 50000 / (SELECT count(*) FROM resolved WHERE outcome = 'kept'));
CREATE TABLE texts AS
UNPIVOT (SELECT * EXCLUDE (outcome, price_inr, duration_minutes) FROM sample)
ON * EXCLUDE (row) INTO NAME name VALUE value;
CREATE TABLE numbers AS
UNPIVOT (SELECT row, price_inr, duration_minutes FROM sample) ON * EXCLUDE (row) INTO NAME name VALUE value;
COPY (SELECT name, value, count(*) AS rows FROM texts GROUP BY ALL) TO '$out/categories.parquet' (FORMAT parquet);
COPY (SELECT name, histogram(floor(value / 100)) AS histogram FROM numbers GROUP BY name)
TO '$out/histograms.parquet' (FORMAT parquet);
COPY (
    WITH cells AS (
        SELECT a.name AS one, b.name AS other, a.value AS x, b.value AS y, count(*) AS n
        FROM texts AS a JOIN texts AS b ON a.row = b.row AND a.name < b.name GROUP BY ALL
    ),
    margins AS (
        SELECT *, sum(n) OVER (PARTITION BY one, other, x) AS of_x, sum(n) OVER (PARTITION BY one, other, y) AS of_y,
            sum(n) OVER (PARTITION BY one, other) AS total
        FROM cells
    )
    SELECT one, other, sqrt(greatest(0, sum(n * n / (of_x * of_y)) - 1)
        / greatest(1, least(count(DISTINCT x), count(DISTINCT y)) - 1)) AS association
    FROM margins GROUP BY one, other
    UNION ALL
    SELECT a.name, b.name, sqrt(1 - sum(b.value ^ 2 - b.mean ^ 2) / nullif(sum((b.value - b.overall) ^ 2), 0))
    FROM texts AS a JOIN (
        SELECT n.row, n.name, n.value, t.name AS grouped, avg(n.value) OVER (PARTITION BY n.name, t.name, t.value) AS mean,
            avg(n.value) OVER (PARTITION BY n.name, t.name) AS overall
        FROM numbers AS n JOIN texts AS t ON n.row = t.row
    ) AS b ON a.row = b.row AND a.name = b.grouped
    GROUP BY a.name, b.name
    UNION ALL
    SELECT 'price_inr', 'duration_minutes', abs(corr(price_inr, duration_minutes)) FROM sample
) TO '$out/associations.parquet' (FORMAT parquet);
COPY (
    WITH deciles AS (
        SELECT row, name, ntile(10) OVER (PARTITION BY name ORDER BY value)::VARCHAR AS value FROM numbers
    ),
    cells AS (
        SELECT name, value, outcome, count(*) AS n
        FROM (SELECT * FROM texts UNION ALL SELECT * FROM deciles) JOIN sample USING (row) GROUP BY ALL
    ),
    margins AS (
        SELECT *, sum(n) OVER (PARTITION BY name, value) AS of_value, sum(n) OVER (PARTITION BY name, outcome) AS of_outcome,
            sum(n) OVER (PARTITION BY name) AS total
        FROM cells
    )
    SELECT name, sum(n / total * log2(n * total / (of_value * of_outcome))) AS bits FROM margins GROUP BY name
) TO '$out/information.parquet' (FORMAT parquet);

COPY (SELECT DISTINCT ON (customer_id) * FROM read_csv('$raw/customers/*.gz', all_varchar = true)) TO '$out/customers.parquet' (FORMAT parquet);
COPY (SELECT * FROM read_csv('$raw/coupons/*.gz', all_varchar = true)) TO '$out/coupons.parquet' (FORMAT parquet);
COPY (SELECT * FROM read_csv('$raw/coupon_scope/*.gz', all_varchar = true)) TO '$out/coupon_scope.parquet' (FORMAT parquet);
COPY (
    SELECT DISTINCT customer_id, coupon_code, what, epoch(happened_at::TIMESTAMP)::BIGINT - 19800 AS timestamp
    FROM read_csv('$raw/coupon_events/*.gz', all_varchar = true)
) TO '$out/coupon_events.parquet' (FORMAT parquet);
