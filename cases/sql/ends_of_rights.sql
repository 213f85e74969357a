SELECT layer, id, number, name, ends_on, holder_inn FROM (
  SELECT 'licences' AS layer, id, number, name, expires_on AS ends_on, holder_inn, status, sys_to, valid_from, valid_to FROM gate.licences
  UNION ALL
  SELECT 'leases', id, number, forestry, ends_on, holder_inn, status, sys_to, valid_from, valid_to FROM gate.leases
) rights
WHERE {condition} AND status = 'active' AND sys_to = 'infinity' AND valid_from <= CURRENT_DATE AND valid_to > CURRENT_DATE
  AND ends_on BETWEEN :first AND :last
ORDER BY ends_on, layer, id
LIMIT 1000
