"""Who: parties, members, staff, log-in, tokens; and who did what: the journal."""
