-- Entries of an excerpt, whole: the proof needs every field, so only what may be read whole is given.  An entry with the
-- address of somebody else is not given to him who may not read the address.
SELECT e.strand::int, e.number, e.at, e.action, e.account, e.concerned, e.subject, e.object, e.region, e.inn,
       e.address, e.details::text, e.salt
FROM journal.entries e
WHERE (%(first)s::date IS NULL OR e.at >= %(first)s::date)
  AND (%(past)s::date IS NULL OR e.at < %(past)s::date)
  AND (%(action)s::text IS NULL OR e.action = %(action)s::text)
  AND (%(account)s::bigint IS NULL OR e.account = %(account)s::bigint OR e.concerned = %(account)s::bigint)
  AND (NOT %(own)s::boolean OR e.account = access.account() OR e.concerned = access.account() OR e.inn = ANY (access.inns()))
  AND (%(whole)s::boolean OR e.address IS NULL OR e.account = access.account() OR access.rank() >= 3
       OR e.region = ANY (access.regions()) OR e.region IS NOT NULL AND (SELECT accounts.federal()))
ORDER BY e.at, e.strand, e.number
