-- Objects of the layer that share a border with the submission: its edge within the tolerance (m) of theirs.
SELECT p.id, p.version, p.piece, ST_Length(p.piece::geography) AS measure,
       p.base IS NULL OR ST_Length(ST_Difference(p.piece, p.base)::geography) > 1 AS introduced
FROM (
  SELECT o.id, o.version, s.base,
         ST_CollectionExtract(ST_Intersection(ST_Boundary(s.geom), ST_Buffer(o.geom::geography, :tolerance_{n})::geometry), 2) AS piece
  FROM subject s
  JOIN gate.{layer} o ON o.geom && ST_Expand(s.geom, s.metre_x * :tolerance_{n}, s.metre_y * :tolerance_{n}) AND {moment} {where}
  ORDER BY o.id, o.version
  LIMIT 500
) p
WHERE NOT ST_IsEmpty(p.piece) AND ST_Length(p.piece::geography) > greatest(4 * :tolerance_{n}, 1)
