-- What of the submission no object of the layer covers.
SELECT NULL::bigint AS id, NULL::bigint AS version, w.piece, 0::float8 AS measure,
       w.base IS NULL OR ST_Area(ST_Difference(w.piece, w.base)::geography) > :tolerance_{n} AS introduced
FROM (
  SELECT s.base, CASE
    WHEN bool_or(ST_Covers(o.geom, s.geom)) THEN NULL
    WHEN count(o.id) = 0 THEN s.geom
    ELSE ST_CollectionExtract(ST_Difference(s.geom, ST_Union(o.geom)), 3)
  END AS piece
  FROM subject s
  LEFT JOIN gate.{layer} o ON o.geom && s.geom AND ST_Intersects(o.geom, s.geom) AND {moment} {where}
  GROUP BY s.geom, s.base
) w
WHERE NOT ST_IsEmpty(w.piece) AND ST_Area(w.piece::geography) > :tolerance_{n}
