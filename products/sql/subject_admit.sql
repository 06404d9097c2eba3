-- Purpose: decide, count and record one ask about one subject, in one round trip and safe under concurrency.
-- Parameters: release_id bigint, caller text, day date (Asia/Shanghai), digest bytea, attempts integer, subjects integer
--   (the last two are the limits per day: asks about one subject, and different subjects).
-- Grain: one row, one column: 'admitted', or the limit that is reached: 'attempts' | 'subjects'.
-- Holds an advisory lock on (release, caller, day) to the end of the transaction: run it in autocommit, in READ COMMITTED.
SELECT subject_admit(%s, %s, %s, %s, %s, %s)
