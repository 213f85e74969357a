-- Gaps that neighbours enclose: holes of the union of touching objects that no object has of itself.
WITH clusters AS (
  SELECT geom, ST_ClusterDBSCAN(geom, 0, 1) OVER () AS cluster FROM {stage} WHERE geom IS NOT NULL),
unions AS (
  SELECT cluster, ST_UnaryUnion(ST_Collect(geom)) AS whole FROM clusters GROUP BY cluster HAVING count(*) > 1),
shells AS (SELECT (ST_Dump(whole)).geom AS part FROM unions),
gaps AS (
  SELECT ST_BuildArea(ST_InteriorRingN(part, n)) AS gap
  FROM shells, LATERAL generate_series(1, ST_NumInteriorRings(part)) AS n)
SELECT near.row, ST_Area(g.gap::geography) AS area, ST_X(ST_PointOnSurface(g.gap)) AS lon, ST_Y(ST_PointOnSurface(g.gap)) AS lat
FROM gaps g,
LATERAL (SELECT max(s.stage_row) AS row, count(*) AS sides FROM {stage} s WHERE s.geom && g.gap AND ST_Intersects(s.geom, g.gap)) near
WHERE near.sides > 1 AND ST_Area(g.gap::geography) <= %(most_area)s
ORDER BY area DESC
LIMIT %(most)s
