-- Links that no root covers yet; one statement, so one snapshot: a strand's rows commit in the order of their numbers.
SELECT l.strand::int, l.number, l.leaf, l.hash
FROM journal.links l LEFT JOIN jsonb_each(%(strands)s) s ON s.key = l.strand::text
WHERE l.number >= coalesce((s.value ->> 0)::bigint, 1)
ORDER BY l.strand, l.number
