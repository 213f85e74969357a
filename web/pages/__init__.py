"""Pages, one module a noun: each returns a template and its data."""
