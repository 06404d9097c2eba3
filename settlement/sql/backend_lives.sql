-- Purpose: whether the backend of a connection that broke still runs, and may yet commit what it was sent.
-- Parameters: pid integer; seconds float, since when at least it ran (a younger one has only taken over the number).
-- Grain: one row.
-- Columns: lives.
SELECT EXISTS (
    SELECT FROM pg_stat_activity
    WHERE pid = %(pid)s AND pid <> pg_backend_pid()
      AND coalesce(clock_timestamp() - backend_start >= %(seconds)s * interval '1 second', true)
) AS lives
