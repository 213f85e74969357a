-- Objects of the layer that share ground with the submission; what lies inside one needs no intersection.
SELECT p.id, p.version, p.piece, 0::float8 AS measure,
       p.base IS NULL OR ST_Area(ST_Difference(p.piece, p.base)::geography) > :tolerance_{n} AS introduced
FROM (
  SELECT o.id, o.version, s.base, CASE
    WHEN ST_CoveredBy(s.geom, o.geom) THEN s.geom
    ELSE ST_CollectionExtract(ST_Intersection(s.geom, o.geom), 3)
  END AS piece
  FROM subject s
  JOIN gate.{layer} o ON o.geom && s.geom AND ST_Intersects(o.geom, s.geom) AND {moment} {where}
  ORDER BY o.id, o.version
  LIMIT 500
) p
WHERE NOT ST_IsEmpty(p.piece) AND ST_Area(p.piece::geography) > :tolerance_{n}
