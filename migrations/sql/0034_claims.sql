-- What other cases claim of a shape: many who want the same object want it whole, and that is told without cutting.
CREATE OR REPLACE FUNCTION cases.claims(shape geometry, own bigint, moment timestamptz, before bigint, least_m2 double precision)
RETURNS TABLE (case_id bigint, number text, lodged_order bigint, lodged_at timestamptz, piece geometry, area_m2 double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  RETURN QUERY SELECT c.id, c.number, c.lodged_order, c.lodged_at, shared.piece, shared.area_m2
  FROM (
    SELECT near.case_id, near.lodged_order, p.piece, a.area_m2
    FROM (
      SELECT g.case_id, g.lodged_order, g.geom FROM cases.ground g
      WHERE g.geom && shape AND g.case_id <> own AND g.since <= moment AND g.until > moment
        AND (before IS NULL OR g.lodged_order < before)
      ORDER BY g.lodged_order OFFSET 0
    ) near,
    LATERAL (SELECT CASE WHEN near.geom = shape OR ST_CoveredBy(shape, near.geom) THEN shape
                         WHEN ST_Intersects(shape, near.geom)
                         THEN ST_CollectionExtract(ST_Intersection(shape, near.geom), 3) END AS piece OFFSET 0) p,
    -- A claim to all of the shape is the commonest, and its area is that of the shape, measured once.
    LATERAL (SELECT CASE WHEN p.piece = shape THEN (SELECT ST_Area(shape::geography))
                         ELSE ST_Area(p.piece::geography) END AS area_m2 OFFSET 0) a
    WHERE a.area_m2 > least_m2
    ORDER BY near.lodged_order LIMIT 50
  ) shared
  JOIN cases.cases c ON c.id = shared.case_id
  ORDER BY shared.lodged_order;
END $$;
