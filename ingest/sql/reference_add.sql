-- Add what is new or changed: whatever has no open entry with its code now.
INSERT INTO register.reference_entries (list, code, title, parent, data, digest, run, source_row)
SELECT %(list)s, i.code, i.title, i.parent, i.data, i.digest, %(run)s, i.source_row
FROM incoming i
WHERE NOT EXISTS (
  SELECT FROM register.reference_entries c WHERE c.list = %(list)s AND c.code = i.code AND c.sys_to = 'infinity')
ORDER BY i.source_row
