-- Objects of the layer whose property is summed; whether the sum is too great is told by the limit.
SELECT o.id, o.version, NULL::geometry AS piece, o.{property}::float8 AS measure, true AS introduced
FROM gate.{layer} o
WHERE o.{property} IS NOT NULL AND {moment} {where}
