-- Read-only views for whoever reads the database (docs/reading-the-database.md).
-- They say what is known, whatever its date; figures as of a date come from `headrace show`.
--
-- PostgreSQL passes writes to a view of one table on to that table. Such a view is joined with one
-- row of nothing here, after which it refuses them; unlike OFFSET 0 the planner takes that away.

-- What each document adds to its customer, of all types: for the hub itself and the views below.
CREATE VIEW customer_documents AS
SELECT 'order' AS document, key, customer_key, on_date, kind, net, currency, rate, cancels
    FROM fact_order WHERE customer_key IS NOT NULL
UNION ALL SELECT 'shipment' AS document, key, customer_key, on_date, kind, net, currency, rate, cancels
    FROM fact_shipment WHERE customer_key IS NOT NULL
UNION ALL SELECT 'invoice' AS document, key, customer_key, on_date, kind, net, currency, rate, cancels
    FROM fact_invoice WHERE customer_key IS NOT NULL
UNION ALL SELECT 'payment' AS document, key, customer_key, on_date, kind, net, currency, rate, cancels
    FROM fact_payment WHERE customer_key IS NOT NULL
UNION ALL SELECT 'opportunity' AS document, key, customer_key, on_date, kind, net, currency, rate, cancels
    FROM fact_opportunity WHERE customer_key IS NOT NULL;

CREATE SCHEMA IF NOT EXISTS reporting;

CREATE VIEW reporting.customers AS
SELECT member.hub_id AS customer_id,
    (array_agg(record.name ORDER BY ranked.rank NULLS LAST, record.version DESC, record.key)
        FILTER (WHERE record.name IS NOT NULL))[1] AS name,
    array_agg(DISTINCT member.key ORDER BY member.key) AS members
FROM customer_members AS member LEFT JOIN customer_records AS record USING (key)
LEFT JOIN source_ranks AS ranked ON ranked.source = split_part(record.key, '|', 1)
GROUP BY member.hub_id
-- A key may have been named once, by a document that names another one now.
HAVING bool_or(record.key IS NOT NULL OR EXISTS (
    SELECT 1 FROM customer_documents AS one WHERE one.customer_key = member.key));
COMMENT ON VIEW reporting.customers IS
    'One row per customer of the hub: its id; its name, from the source that ranks highest (the
order of sources in headrace.yaml), then the newest; and the source|id of its records.';

CREATE VIEW reporting.customer_records AS
SELECT member.hub_id AS customer_id, split_part(member.key, '|', 1) AS source,
    substr(member.key, strpos(member.key, '|') + 1) AS id, record.name, record.tax_id,
    record.key IS NOT NULL AS introduced
FROM customer_members AS member LEFT JOIN customer_records AS record USING (key);
COMMENT ON VIEW reporting.customer_records IS
    'One row per record of a source system that is a customer; introduced is false where it was
only named by another document.';

CREATE VIEW reporting.customer_documents AS
SELECT member.hub_id AS customer_id, one.document, split_part(one.key, '|', 1) AS source,
    substr(one.key, strpos(one.key, '|') + 1) AS id, one.on_date, one.kind, one.net, one.currency
FROM customer_documents AS one JOIN customer_members AS member ON member.key = one.customer_key;
COMMENT ON VIEW reporting.customer_documents IS
    'Orders, shipments, invoices, payments and opportunities with their customer and business date;
net without tax, in the document''s currency.';

CREATE VIEW reporting.open_items AS
SELECT member.hub_id AS customer_id, split_part(invoice.key, '|', 1) AS source,
    substr(invoice.key, strpos(invoice.key, '|') + 1) AS invoice_id, part.number AS instalment,
    invoice.invoiced_on, part.due_on, invoice.currency, part.amount, part.open_amount
FROM receivable_invoices AS invoice
JOIN customer_members AS member ON member.key = invoice.customer_key
CROSS JOIN LATERAL unnest(invoice.numbers, invoice.due_on, invoice.amounts, invoice.open_amounts)
    AS part (number, due_on, amount, open_amount)
WHERE invoice.open_amount <> 0 AND part.open_amount <> 0;
COMMENT ON VIEW reporting.open_items IS
    'One row per instalment of an invoice of which something is open; gross, invoice''s currency.';

CREATE VIEW reporting.receivables AS
SELECT member.hub_id AS customer_id, balance.currency,
    sum(balance.open_amount + balance.unallocated) AS outstanding,
    sum(balance.open_amount) AS open_amount, sum(balance.unallocated) AS unallocated,
    sum(balance.items) AS items
FROM receivable_balances AS balance
JOIN customer_members AS member ON member.key = balance.customer_key
GROUP BY member.hub_id, balance.currency;
COMMENT ON VIEW reporting.receivables IS
    'What each customer owes per currency: outstanding = open_amount + unallocated (zero or below).';

CREATE VIEW reporting.product_records AS
WITH RECURSIVE stated AS (
    SELECT key AS one, unnest(same_as) AS other FROM product_records
), link AS (
    SELECT one, other FROM stated UNION SELECT other, one FROM stated
), reached AS (
    SELECT one AS key, one AS other FROM link
    UNION SELECT reached.key, link.other FROM reached JOIN link ON link.one = reached.other
), smallest AS (
    SELECT key, min(other) AS product FROM reached GROUP BY key
)
SELECT coalesce(smallest.product, record.key) AS product, key, record.name
FROM product_records AS record FULL JOIN smallest USING (key);
COMMENT ON VIEW reporting.product_records IS
    'One row per record of a source system (key, source|id) that is a product; product is the
smallest key of the records that are one and the same by cross-reference.';

CREATE VIEW reporting.demand_lines AS
SELECT line.document, split_part(line.key, '|', 1) AS source,
    substr(line.key, strpos(line.key, '|') + 1) AS id, line.number AS line,
    line.product_key AS product, date_trunc('month', line.demand_on)::date AS month,
    line.demand_on, line.quantity, line.stage
FROM demand_lines AS line CROSS JOIN (SELECT) AS read_only;
COMMENT ON VIEW reporting.demand_lines IS
    'Lines of orders (not rejected, stage is null) and of opportunities with their demand month.';

CREATE VIEW reporting.demand AS
WITH line AS (
    SELECT line.key, line.number, coalesce(record.product, line.product_key) AS product,
        line.demand_on, line.quantity, line.stage, line.until, line.opportunity_key
    FROM demand_lines AS line
    LEFT JOIN reporting.product_records AS record ON record.key = line.product_key
), ordered AS (
    SELECT opportunity_key, product, sum(quantity) AS quantity FROM line
    WHERE stage IS NULL AND opportunity_key IS NOT NULL AND until IS NULL
    GROUP BY opportunity_key, product
), counted AS (
    SELECT product, demand_on, quantity AS orders, 0::numeric AS pipeline
    FROM line WHERE stage IS NULL AND until IS NULL
    UNION ALL
    SELECT line.product, line.demand_on, 0, line.quantity * chance.chance
    FROM line JOIN stage_chances AS chance USING (stage) WHERE stage <> 'won'
    UNION ALL
    SELECT won.product, won.demand_on, 0, least(won.quantity, greatest(0, sum(won.quantity)
            OVER (PARTITION BY won.key, won.product ORDER BY won.demand_on, won.number)
            - coalesce(ordered.quantity, 0)))
    FROM line AS won LEFT JOIN ordered
        ON ordered.opportunity_key = won.key AND ordered.product = won.product
    WHERE won.stage = 'won' AND won.quantity IS NOT NULL
)
SELECT product, date_trunc('month', demand_on)::date AS month,
    sum(orders) AS orders, sum(pipeline) AS pipeline, sum(orders + pipeline) AS total
FROM counted WHERE product IS NOT NULL AND demand_on IS NOT NULL AND
    orders + pipeline IS NOT NULL
GROUP BY product, date_trunc('month', demand_on);
COMMENT ON VIEW reporting.demand IS
    'Units of each product (source|id) per month: ordered, in the pipeline by the chances of the
stages, and both together.';

CREATE VIEW reporting.dead_letters AS
SELECT id, at, stage, document, code, reason, place, topic, partition, position, replayed_at,
    closed_at
FROM dead_letters CROSS JOIN (SELECT) AS read_only;
COMMENT ON VIEW reporting.dead_letters IS
    'What the hub could not take, where it came from and why; replayed_at where it was mended,
closed_at where a person closed it.';
