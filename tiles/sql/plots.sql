-- Objects that touch a cell as the register knows them now: start or end of validity that lies nearest to the day, whether they
-- hold on it, area, shape, whether their middle lies in the cell, classes.  Only what is as visible as its layer may be drawn for everybody.
SELECT
  CASE WHEN valid_to <= %(day)s THEN valid_to WHEN valid_from <= %(day)s THEN nullif(valid_from, '-infinity') END,
  CASE WHEN valid_from > %(day)s THEN valid_from WHEN valid_to > %(day)s THEN nullif(valid_to, 'infinity') END,
  valid_from <= %(day)s AND valid_to > %(day)s,
  area_m2, ST_AsBinary(geom_3857),
  tiles.cell((ST_XMin(geom_3857) + ST_XMax(geom_3857)) / 2) = %(x)s
    AND tiles.cell(-(ST_YMin(geom_3857) + ST_YMax(geom_3857)) / 2) = %(y)s,
  {classes}
FROM {table}
WHERE sys_to = 'infinity' AND visibility <= access.layer_rank({name})
  AND geom_3857 && ST_TileEnvelope(10, %(x)s, %(y)s)
