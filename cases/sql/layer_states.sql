-- What is known of each layer at an instant: its last change, and whether its source is down.
SELECT l.layer, c.id, c.at,
       (SELECT o.reason FROM cases.outages o WHERE o.layer = l.layer AND o.since <= :as_of AND o.until > :as_of LIMIT 1) AS outage
FROM unnest(CAST(:layers AS text[])) AS l (layer)
LEFT JOIN LATERAL (
  SELECT h.id, h.at FROM history.layer_changes h
  WHERE h.layer = l.layer AND h.at <= :as_of AND (CAST(:snapshot AS pg_snapshot) IS NULL OR pg_visible_in_snapshot(h.xid, CAST(:snapshot AS pg_snapshot)))
  ORDER BY h.id DESC LIMIT 1
) c ON true
