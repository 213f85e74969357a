-- Entries of the journal as the caller may read them: row-level security chooses the rows, the address is kept from
-- him who is neither its owner nor staff.
SELECT e.strand, e.number, e.at, e.action, e.account, e.concerned, e.subject, e.object, e.region, e.inn, e.details, a.name,
       CASE WHEN e.account = access.account() OR access.rank() >= 3 OR e.region = ANY (access.regions())
              OR e.region IS NOT NULL AND (SELECT accounts.federal())
            THEN e.address END AS address
FROM journal.entries e LEFT JOIN accounts.accounts a ON a.id = e.account
WHERE (CAST(:first AS date) IS NULL OR e.at >= CAST(:first AS date))
  AND (CAST(:past AS date) IS NULL OR e.at < CAST(:past AS date))
  AND (CAST(:action AS text) IS NULL OR e.action = CAST(:action AS text))
  AND (CAST(:account AS bigint) IS NULL OR e.account = CAST(:account AS bigint) OR e.concerned = CAST(:account AS bigint))
  AND (NOT CAST(:own AS boolean) OR e.account = access.account() OR e.concerned = access.account()
       OR e.inn = ANY (access.inns()))
ORDER BY e.at DESC, e.strand, e.number DESC
LIMIT :limit OFFSET :offset
