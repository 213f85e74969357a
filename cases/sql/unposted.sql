SELECT m.id, m.account, m.topic, m.kind, m.side, m.case_id, m.about, m.title, m.body, m.at, m.read_at, m.mail, m.sms,
  a.email, a.locale, a.phone, p.forward_to, d.document_id, d.token
FROM cases.messages m
JOIN accounts.accounts a ON a.id = m.account AND a.status IN ('active', 'confirmed')
LEFT JOIN cases.preferences p ON p.account = m.account
LEFT JOIN cases.events e ON e.id = m.event
LEFT JOIN cases.decisions d ON d.case_id = m.case_id AND d.document_id = CAST(e.data -> 'decision' ->> 'document' AS bigint)
WHERE {condition}
ORDER BY m.id
LIMIT 500
FOR UPDATE OF m SKIP LOCKED
