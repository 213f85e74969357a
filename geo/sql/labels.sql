-- A place for the name of each object of a layer: a point in its largest part, widest objects first.
SELECT o.id, {columns},
  (SELECT ST_AsGeoJSON(ST_PointOnSurface(ST_Buffer(ST_SimplifyPreserveTopology(part.geom, 0.005), 0)), 5)
   FROM ST_Dump(o.geom) part ORDER BY ST_Area(part.geom) DESC LIMIT 1) AS geometry
FROM gate.{layer} o
WHERE o.sys_to = 'infinity' AND o.valid_from <= current_date AND o.valid_to > current_date AND o.geom IS NOT NULL
ORDER BY o.area_m2 DESC NULLS LAST
LIMIT :most
