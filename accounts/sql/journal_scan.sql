-- Every link with its entry, in the order of the chains.  The canonical form is written out here and not taken from a
-- function, so that nobody hides a change by changing a function.
SELECT l.strand::int, l.number, convert_to(concat(
         '1', s, e.strand, s, e.number, s, (extract(epoch FROM e.at) * 1000000)::bigint, s, e.action, s, e.account, s,
         e.concerned, s, e.subject, s, e.object, s, e.region, s, e.inn, s, e.address, s, e.details, s, e.salt), 'UTF8'),
       e.number IS NOT NULL, l.previous, l.leaf, l.hash
FROM journal.links l LEFT JOIN journal.entries e ON (e.strand, e.number) = (l.strand, l.number),
     (SELECT chr(31) AS s) separator
ORDER BY l.strand, l.number
