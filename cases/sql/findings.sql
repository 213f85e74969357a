-- All rules of a case in one statement: the submission once, a branch per rule, one line of answer per rule.
WITH subject AS MATERIALIZED (
  SELECT g.geom, g.base, 1 / 111194.9 AS metre_y,
         1 / (111194.9 * greatest(cos(radians(greatest(abs(ST_YMin(g.geom)), abs(ST_YMax(g.geom))))), 0.01)) AS metre_x
  FROM cases.geometries g WHERE g.id = :geometry
),
hits AS (
{branches}
)
SELECT rule, objects, least, most, total, introduced,
       coalesce(ST_Area(ST_CollectionExtract(shared.piece, 3)::geography), 0) AS area_m2,
       encode(ST_AsEWKB(shared.piece), 'hex') AS piece
FROM (
  SELECT rule,
         jsonb_agg(jsonb_build_object('id', id, 'version', version) ORDER BY id, version) FILTER (WHERE id IS NOT NULL) AS objects,
         min(measure) AS least, max(measure) AS most, sum(measure) AS total, bool_or(introduced) AS introduced,
         array_agg(piece) FILTER (WHERE piece IS NOT NULL) AS pieces
  FROM hits GROUP BY rule
) found,
-- One piece is its own union.
LATERAL (SELECT CASE cardinality(pieces) WHEN 1 THEN pieces[1] ELSE ST_Union(pieces) END AS piece OFFSET 0) shared
