-- Which fields of each changed object differ, and by which pieces its boundary grew and shrank (m², geodesic).
INSERT INTO ingest.differences (run, action, object, key, fields, added, removed, added_m2, removed_m2)
SELECT {run}, 'changed', d.id, d.key, d.fields, d.added, d.removed,
  coalesce(ST_Area(d.added::geography), 0), coalesce(ST_Area(d.removed::geography), 0)
FROM (
  SELECT o.id, o.key,
    coalesce((
      SELECT jsonb_object_agg(n.key, jsonb_build_array(b.value, n.value))
      FROM jsonb_each(to_jsonb(s) - {ignored}::text[]) n
      LEFT JOIN jsonb_each(to_jsonb(o)) b ON b.key = n.key
      WHERE b.value IS DISTINCT FROM n.value), '{{}}') AS fields,
    CASE WHEN ST_Dimension(s.geom) = 2 AND NOT s.geom = o.geom THEN nullif(ST_CollectionExtract(ST_Difference(s.geom, o.geom), 3), ST_GeomFromText('POLYGON EMPTY', 4326)) END AS added,
    CASE WHEN ST_Dimension(s.geom) = 2 AND NOT s.geom = o.geom THEN nullif(ST_CollectionExtract(ST_Difference(o.geom, s.geom), 3), ST_GeomFromText('POLYGON EMPTY', 4326)) END AS removed
  FROM {stage} s JOIN {compare} c USING (stage_row) JOIN {layer} o ON o.version = c.version
  WHERE c.action = 'changed'
  -- A person looks at thousands at most; the counts of the run tell the whole number.
  ORDER BY s.stage_row LIMIT 20000) d
