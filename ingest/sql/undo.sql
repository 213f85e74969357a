-- Undoing a run: what it added is closed, and what it had closed is added again as a new version.
-- The versions of the run stay in the history; nothing is deleted.
INSERT INTO {layer} ({columns}, id, run)
SELECT {before}, b.id, {run}
FROM {layer} b
WHERE b.version = ANY (%(restore)s)
