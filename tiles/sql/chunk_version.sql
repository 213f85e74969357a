-- Version of a chunk now, and of its whole layer.
SELECT
  (SELECT coalesce(sum(weight), 0)::bigint FROM tiles.changes WHERE layer = %(layer)s
     AND x >= %(x)s << %(bits)s AND x < (%(x)s + 1) << %(bits)s
     AND y >= %(y)s << %(bits)s AND y < (%(y)s + 1) << %(bits)s),
  (SELECT coalesce(sum(weight), 0)::bigint FROM tiles.changes WHERE layer = %(layer)s AND x = -1)
