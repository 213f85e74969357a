"""Services as data, lifecycle, rules, documents, signatures, decisions, payments, messages."""
