-- What a staged file means for the register: the rows that are new or changed; all others are unchanged, word for word.
-- An object is known by its key; a slice of it by the day from which it holds.
CREATE UNLOGGED TABLE {compare} AS
SELECT s.stage_row, s.known, coalesce(c.id, o.id) AS id, c.version,
  CASE WHEN c.version IS NULL THEN 'new' ELSE 'changed' END AS action
FROM {stage} s
LEFT JOIN {layer} c ON c.key = s.key AND c.valid_from = s.valid_from AND c.sys_to = 'infinity'
LEFT JOIN LATERAL (
  SELECT id FROM {layer} o WHERE c.version IS NULL AND o.key = s.key AND o.sys_to = 'infinity' LIMIT 1) o ON true
WHERE c.digest IS DISTINCT FROM s.digest
