-- Purpose: what those who run the market watch, beside what each process counts; cheap whatever waits.
-- Parameters: at timestamptz.
-- Grain: one row.
-- Columns: fold_seconds and fold_waiting (usage not yet by the hour: age of the oldest, rows up to 50 000), seal_seconds (since the
--          last sealed hour ended; null: none), jobs_waiting, jobs_failed, stops (emergency stops in force), months_late (open months
--          past their days of grace), stray_events (events outside the months' partitions, up to 1 000).
SELECT fold.seconds AS fold_seconds, fold.waiting AS fold_waiting,
    (SELECT extract(epoch FROM %(at)s::timestamptz - max(hour) - interval '1 hour') FROM settlement_receipttree)::float8 AS seal_seconds,
    (SELECT count(*) FROM procrastinate_jobs
        WHERE status = 'todo' AND (scheduled_at IS NULL OR scheduled_at <= clock_timestamp())) AS jobs_waiting,
    (SELECT count(*) FROM procrastinate_jobs WHERE status = 'failed') AS jobs_failed,
    (SELECT count(*) FROM settlement_emergencystop WHERE lifted_at IS NULL) AS stops,
    (SELECT count(*) FROM settlement_billingmonth WHERE state = 'open'
        AND month + interval '1 month' + interval '4 days' < (%(at)s::timestamptz AT TIME ZONE 'Asia/Shanghai')) AS months_late,
    (SELECT count(*) FROM (SELECT 1 FROM settlement_usageevent_other LIMIT 1000) AS stray) AS stray_events
FROM (
    SELECT coalesce(greatest(extract(epoch FROM clock_timestamp() - min(written_at)), 0), 0)::float8 AS seconds, count(*) AS waiting
    FROM (SELECT written_at FROM settlement_usagedelta LIMIT 50000) AS watched
) AS fold
