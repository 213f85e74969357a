-- Objects of the layer nearer than the distance (m); the piece is the shortest line between the two.
SELECT p.id, p.version, ST_ShortestLine(p.geom, p.other) AS piece, p.measure,
       p.base IS NULL OR ST_Distance(p.base::geography, p.other::geography) > p.measure + 0.01 AS introduced
FROM (
  SELECT o.id, o.version, s.geom, s.base, o.geom AS other, ST_Distance(s.geom::geography, o.geom::geography) AS measure
  FROM subject s
  JOIN gate.{layer} o ON o.geom && ST_Expand(s.geom, s.metre_x * :distance_{n}, s.metre_y * :distance_{n}) AND {moment} {where}
  ORDER BY o.id, o.version
  LIMIT 500
) p
WHERE p.measure < :distance_{n}
