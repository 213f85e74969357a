-- Entries whose link is gone, in the shape of the scan.
SELECT e.strand::int, e.number, ''::bytea, true, NULL::bytea, NULL::bytea, NULL::bytea
FROM journal.entries e
WHERE NOT EXISTS (SELECT FROM journal.links l WHERE (l.strand, l.number) = (e.strand, e.number))
ORDER BY e.strand, e.number
