SELECT m.id, m.account, m.topic, m.kind, m.side, m.case_id, m.about, m.title, m.body, m.at, m.read_at, m.mail, m.sms,
  a.email, a.locale, a.phone, p.forward_to
FROM cases.messages m
JOIN accounts.accounts a ON a.id = m.account AND a.status IN ('active', 'confirmed')
LEFT JOIN cases.preferences p ON p.account = m.account
WHERE {condition}
ORDER BY m.id
LIMIT 500
FOR UPDATE OF m SKIP LOCKED
