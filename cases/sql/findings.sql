-- All rules of a case in one statement: the submission once, a branch per rule, one line of answer per rule.
WITH subject AS MATERIALIZED (
  SELECT g.geom, g.base, 1 / 111194.9 AS metre_y,
         1 / (111194.9 * greatest(cos(radians(greatest(abs(ST_YMin(g.geom)), abs(ST_YMax(g.geom))))), 0.01)) AS metre_x
  FROM cases.geometries g WHERE g.id = :geometry
),
hits AS (
{branches}
)
SELECT rule,
       jsonb_agg(jsonb_build_object('id', id, 'version', version) ORDER BY id, version) FILTER (WHERE id IS NOT NULL) AS objects,
       min(measure) AS least, max(measure) AS most, sum(measure) AS total, bool_or(introduced) AS introduced,
       coalesce(ST_Area(ST_Union(piece) FILTER (WHERE ST_Dimension(piece) = 2)::geography), 0) AS area_m2,
       encode(ST_AsEWKB(ST_Union(piece)), 'hex') AS piece
FROM hits GROUP BY rule
