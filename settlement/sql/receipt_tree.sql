-- Purpose: the tree of an hour's receipts, and in it the chunk of 1 024 leaves that an event is in.
-- Parameters: hour timestamptz, id uuid.
-- Grain: at most one row.
-- Columns: size, root, chain, chunks (32 bytes a node), last_id; chunk (counted from 0), first_id of it, next_id (of the next one, null
--          for the last).
SELECT tree.size, tree.root, tree.chain, tree.chunks, tree.last_id,
    (at.place - 1)::bigint AS chunk, tree.first_ids[at.place] AS first_id, tree.first_ids[at.place + 1] AS next_id
FROM settlement_receipttree AS tree
CROSS JOIN LATERAL (SELECT count(*)::int AS place FROM unnest(tree.first_ids) AS first WHERE first <= %(id)s::uuid) AS at
WHERE tree.hour = %(hour)s::timestamptz
