-- Whether every chunk of the finer band below a chunk is true now, and the days for which they all are.
WITH epoch AS (
  SELECT coalesce(sum(weight), 0)::bigint AS now FROM tiles.changes WHERE layer = %(layer)s AND x = -1
), cells AS (
  SELECT x >> %(finer_bits)s AS x, y >> %(finer_bits)s AS y, sum(weight)::bigint AS version
  FROM tiles.changes WHERE layer = %(layer)s
    AND x >= %(x)s << %(bits)s AND x < (%(x)s + 1) << %(bits)s
    AND y >= %(y)s << %(bits)s AND y < (%(y)s + 1) << %(bits)s
  GROUP BY 1, 2
), below AS (
  SELECT * FROM tiles.chunks
  WHERE layer = %(layer)s AND band = %(finer)s AND x >> %(step)s = %(x)s AND y >> %(step)s = %(y)s
)
SELECT
  NOT EXISTS (SELECT FROM cells c LEFT JOIN below b USING (x, y) WHERE b.x IS NULL)
    AND NOT EXISTS (
      SELECT FROM below b LEFT JOIN cells c USING (x, y), epoch
      WHERE b.version <> coalesce(c.version, 0) OR b.epoch <> epoch.now
        OR NOT (%(day)s >= b.first AND %(day)s < b.until)),
  (SELECT max(first) FROM below WHERE first > '-infinity'), (SELECT min(until) FROM below WHERE until < 'infinity')
