-- What is known of each layer at an instant: its last change, and whether its source is down.  From here on the rules
-- see everything (the rank of this transaction), and the instant and the snapshot are those of the check.
WITH moment AS MATERIALIZED (
  SELECT set_config('mezha.rank', '3', true), coalesce(CAST(:as_of AS timestamptz), clock_timestamp()) AS as_of,
         coalesce(CAST(:snapshot AS text), pg_current_snapshot()::text) AS snapshot
)
SELECT m.as_of, m.snapshot, l.layer, c.id, c.at,
       (SELECT o.reason FROM cases.outages o WHERE o.layer = l.layer AND o.since <= m.as_of AND o.until > m.as_of LIMIT 1) AS outage
FROM moment m
LEFT JOIN unnest(CAST(:layers AS text[])) AS l (layer) ON true
LEFT JOIN LATERAL (
  SELECT h.id, h.at FROM history.layer_changes h
  WHERE h.layer = l.layer AND h.at <= m.as_of
    AND (CAST(:snapshot AS text) IS NULL OR pg_visible_in_snapshot(h.xid, CAST(:snapshot AS pg_snapshot)))
  ORDER BY h.id DESC LIMIT 1
) c ON true
