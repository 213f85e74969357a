WITH due AS (
  SELECT r.deadline FROM cases.reminders r JOIN cases.deadlines d ON d.id = r.deadline
  WHERE r.told_at IS NULL AND r.on_day <= :today AND d.ended_at IS NULL AND d.due_on IS NOT NULL
  ORDER BY r.on_day, r.deadline
  LIMIT 1
  FOR UPDATE OF r SKIP LOCKED
), told AS (
  UPDATE cases.reminders r SET told_at = clock_timestamp() FROM due
  WHERE r.deadline = due.deadline AND r.told_at IS NULL AND r.on_day <= :today
  RETURNING r.deadline
)
SELECT DISTINCT d.case_id, d.term, d.owner, d.due_on FROM told JOIN cases.deadlines d ON d.id = told.deadline
