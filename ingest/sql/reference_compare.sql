-- What an incoming list means for the entries that hold now.
SELECT
  count(*) FILTER (WHERE c.code IS NULL),
  count(*) FILTER (WHERE c.digest <> i.digest),
  count(*) FILTER (WHERE c.digest = i.digest),
  count(*) FILTER (WHERE i.code IS NULL AND %(full)s)
FROM incoming i
FULL JOIN (
  SELECT code, digest FROM register.reference_entries WHERE list = %(list)s AND sys_to = 'infinity') c
  ON c.code = i.code
