-- Changes of a pair of rasters, each with the cutting areas valid between their days that the caller sees.
SELECT c.id, c.mean, c.area_m2, ST_AsGeoJSON(c.geom, 7)::json AS geometry,
       coalesce(d.share, 0) AS covered_share,
       coalesce(d.areas, '[]'::json) AS cutting_areas,
       CASE WHEN d.share >= 0.5 THEN 'explained'
            WHEN access.layer_rank('cutting_areas') <= access.rank() THEN 'not_explained'
            ELSE 'not_checked' END AS answer
FROM rasters.changes c
LEFT JOIN LATERAL (
  SELECT ST_Area(ST_Intersection(c.geom, ST_Union(a.geom))::geography) / nullif(c.area_m2, 0) AS share,
         json_agg(json_build_object('id', a.id, 'number', a.number, 'declaration', a.declaration) ORDER BY a.id)
           AS areas
  FROM gate.cutting_areas a
  WHERE a.sys_to = 'infinity' AND a.valid_from <= :last AND a.valid_to > :first
    AND a.geom && c.geom AND ST_Intersects(a.geom, c.geom)
) d ON true
WHERE c.before = :before AND c.after = :after
ORDER BY c.area_m2 DESC, c.id
LIMIT 1000
