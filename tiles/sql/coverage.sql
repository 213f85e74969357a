-- How far the overviews of a layer cover a tile: $1 layer, $2 band, $3–$6 first and last column and row of its cells at
-- zoom 10, $7 bits between a cell and a chunk of the band, $8 day.  Two numbers (column × 1024 + row) stand for a cell.
WITH epoch AS (
  SELECT coalesce(sum(weight), 0)::bigint AS now FROM tiles.changes WHERE layer = $1 AND x = -1 AND y = -1
), cells AS (
  SELECT x, y, sum(weight)::bigint AS version FROM tiles.changes
  WHERE layer = $1 AND x BETWEEN $3 AND $4 AND y BETWEEN $5 AND $6 GROUP BY x, y
), fine AS (
  SELECT k.x, k.y, k.version = coalesce(c.version, 0) AND k.epoch = epoch.now AND $8 >= k.first AND $8 < k.until AS held
  FROM tiles.chunks k LEFT JOIN cells c ON c.x = k.x AND c.y = k.y, epoch
  WHERE k.layer = $1 AND k.band = 9 AND k.x BETWEEN $3 AND $4 AND k.y BETWEEN $5 AND $6
), dirty AS (
  SELECT x, y FROM fine WHERE NOT held
  UNION SELECT x, y FROM cells c WHERE NOT EXISTS (SELECT FROM fine f WHERE f.x = c.x AND f.y = c.y)
), coarse AS (
  SELECT k.x, k.y, k.epoch = epoch.now AND $8 >= k.first AND $8 < k.until
    AND NOT EXISTS (SELECT FROM dirty d WHERE d.x >> $7 = k.x AND d.y >> $7 = k.y)
    AND k.version = (SELECT coalesce(sum(weight), 0) FROM tiles.changes c
                     WHERE c.layer = $1 AND c.x >= k.x << $7 AND c.x < (k.x + 1) << $7
                       AND c.y >= k.y << $7 AND c.y < (k.y + 1) << $7) AS held
  FROM tiles.chunks k, epoch
  WHERE k.layer = $1 AND k.band = $2 AND k.x BETWEEN $3 >> $7 AND $4 >> $7 AND k.y BETWEEN $5 >> $7 AND $6 >> $7
)
SELECT
  EXISTS (SELECT FROM tiles.overviewed o, epoch WHERE o.layer = $1 AND o.epoch = epoch.now) AS known,
  access.layer_rank($1) AS rank,
  coalesce((SELECT array_agg(x * 1024 + y) FROM coarse WHERE held), '{}') AS coarse,
  coalesce((SELECT array_agg(f.x * 1024 + f.y) FROM fine f WHERE f.held AND NOT EXISTS (
    SELECT FROM coarse p WHERE p.held AND p.x = f.x >> $7 AND p.y = f.y >> $7)), '{}') AS fine,
  coalesce((SELECT array_agg(x * 1024 + y) FROM dirty), '{}') AS dirty
