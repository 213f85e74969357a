-- Leaves of a root in the order of its tree.
SELECT l.strand::int, l.number, l.leaf
FROM jsonb_each(%(strands)s) s
JOIN journal.links l ON l.strand = s.key::smallint AND l.number BETWEEN (s.value ->> 0)::bigint AND (s.value ->> 1)::bigint
ORDER BY l.strand, l.number
