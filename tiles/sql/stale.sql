-- Chunks of a band that are not true on a day: never built, built before a change, or of other days.
WITH epoch AS (
  SELECT coalesce(sum(weight), 0)::bigint AS now FROM tiles.changes WHERE layer = %(layer)s AND x = -1
), cells AS (
  SELECT x >> %(bits)s AS x, y >> %(bits)s AS y, sum(weight)::bigint AS version
  FROM tiles.changes WHERE layer = %(layer)s AND x >= 0 GROUP BY 1, 2
), wanted AS (
  SELECT x, y FROM cells
  UNION
  SELECT x >> %(bits)s, y >> %(bits)s FROM tiles.chunks WHERE layer = %(layer)s AND band = 9
)
SELECT w.x, w.y
FROM wanted w
CROSS JOIN epoch
LEFT JOIN cells c ON c.x = w.x AND c.y = w.y
LEFT JOIN tiles.chunks k ON k.layer = %(layer)s AND k.band = %(band)s AND k.x = w.x AND k.y = w.y
WHERE k.x IS NULL OR k.version <> coalesce(c.version, 0) OR k.epoch <> epoch.now
  OR NOT (%(day)s >= k.first AND %(day)s < k.until)
ORDER BY w.x, w.y
