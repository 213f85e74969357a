-- Every entry beside its link, in the order of the chains.  The canonical form is written out here and not
-- taken from a function, so that nobody hides a change by changing a function.
SELECT coalesce(e.strand, l.strand) AS strand, coalesce(e.number, l.number) AS number,
       convert_to(concat(
         '1', s, e.strand, s, e.number, s, (extract(epoch FROM e.at) * 1000000)::bigint, s, e.action, s, e.account, s,
         e.concerned, s, e.subject, s, e.object, s, e.region, s, e.inn, s, e.address, s, e.details, s, e.salt), 'UTF8'),
       e.number IS NOT NULL, l.previous, l.leaf, l.hash
FROM journal.entries e FULL JOIN journal.links l USING (strand, number), (SELECT chr(31) AS s) separator
ORDER BY 1, 2
