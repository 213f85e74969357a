"""Formats: one module each, found by content and never by the name of the file."""
