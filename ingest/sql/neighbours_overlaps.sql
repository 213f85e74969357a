-- Pairs of staged objects that cover the same ground, with the area and a point of it.
WITH pairs AS (
  SELECT a.stage_row AS row, b.stage_row AS other, ST_CollectionExtract(ST_Intersection(a.geom, b.geom), 3) AS common
  FROM {stage} a
  JOIN {stage} b ON a.geom && b.geom AND a.stage_row > b.stage_row AND ST_Intersects(a.geom, b.geom)
  WHERE NOT ST_Touches(a.geom, b.geom))
SELECT row, other, ST_Area(common::geography) AS area, ST_X(place) AS lon, ST_Y(place) AS lat
FROM pairs, LATERAL (SELECT ST_PointOnSurface(common) AS place) p
WHERE NOT ST_IsEmpty(common) AND ST_Area(common::geography) > %(least)s
ORDER BY area DESC
LIMIT %(most)s
