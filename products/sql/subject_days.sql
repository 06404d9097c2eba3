-- Purpose: add to the questions that organisations asked of products on days, and to those that nothing matched.
-- Parameters: one array a column: product bigint[], organisation bigint[], day date[], asked integer[], missed integer[].
-- Grain: one row a product, organisation and day: its sums after the addition.
-- Columns: product_id, organisation_id, day, asked, missed.
INSERT INTO products_subjectday AS kept (product_id, organisation_id, day, asked, missed)
SELECT * FROM unnest(%(product)s::bigint[], %(organisation)s::bigint[], %(day)s::date[], %(asked)s::integer[], %(missed)s::integer[])
ON CONFLICT (product_id, organisation_id, day) DO UPDATE SET asked = kept.asked + excluded.asked, missed = kept.missed + excluded.missed
RETURNING product_id, organisation_id, day, asked, missed
