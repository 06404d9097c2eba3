-- Purpose: decide, count and record one ask about one subject, in one round trip and safe under concurrency.
-- Parameters: product bigint, organisation bigint, watched text (id of the entitlement whose open probing case stops it),
--   day date (Asia/Shanghai), subject bytea, near bytea (of the subject without its last characters), claim bytea (of what is
--   claimed), then the limits: asks about one subject a day, different subjects a day, different claims about one subject in
--   30 days, neighbouring subjects a day (integers).
-- Grain: one row, one column: 'admitted', or why not: 'attempts' | 'subjects' | 'claims' | 'neighbours' | 'probing'.
-- Holds an advisory lock on (product, organisation, day) to the end of the transaction: run it in autocommit, in READ COMMITTED.
SELECT subject_admit(
    %(product)s, %(organisation)s, %(watched)s, %(day)s, %(subject)s, %(near)s, %(claim)s, %(attempts)s, %(subjects)s, %(claims)s,
    %(neighbours)s
)
