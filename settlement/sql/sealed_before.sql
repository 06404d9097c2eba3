-- Purpose: the moment before which every hour is final and published: one without a root among them had no events.
-- Parameters: none.
-- Grain: one row.
-- Columns: final_before, null where nothing was sealed yet. It lags where a sealer stopped between making hours final and their trees.
WITH made_final AS (SELECT min(sealed_until) AS until FROM settlement_billingmonth WHERE state = 'open')
SELECT coalesce((
    SELECT date_trunc('hour', min(received_at)) FROM settlement_usageevent
    WHERE received_at >= coalesce((SELECT max(hour) + interval '1 hour' FROM settlement_receipttree), '-infinity')
      AND received_at < (SELECT until FROM made_final) AND digest IS NOT NULL
), (SELECT until FROM made_final)) AS final_before
