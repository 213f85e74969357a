-- One page of cases with the term that runs out first for the reader's side.
SELECT c.id, c.number, c.service, c.service_version, c.state, c.state_since, c.party_inn, c.party_name, c.region, c.lodged_at,
       c.created_at, c.saved_at, c.revision, c.subject_layer, c.subject_id, t.due_on, t.term,
       ST_XMin(g.geom) AS west, ST_YMin(g.geom) AS south, ST_XMax(g.geom) AS east, ST_YMax(g.geom) AS north, g.area_m2
FROM cases.cases c
LEFT JOIN cases.geometries g ON g.case_id = c.id AND g.id = c.geometry
LEFT JOIN LATERAL (
  SELECT d.due_on, d.term FROM cases.deadlines d
  WHERE d.case_id = c.id AND d.ended_at IS NULL AND d.owner = :owner
  ORDER BY d.due_on LIMIT 1
) t ON true
WHERE {condition}
ORDER BY c.id DESC LIMIT :limit
