-- Undoing a load of a list: what it had closed is added again as new versions, which belong to the run that undoes it.
INSERT INTO register.reference_entries (list, code, title, parent, data, digest, run, source_row)
SELECT b.list, b.code, b.title, b.parent, b.data, b.digest, %(number)s, b.source_row
FROM register.reference_entries b
WHERE b.list = %(list)s AND b.sys_to = %(loaded_at)s
ORDER BY b.version
