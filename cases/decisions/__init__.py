"""Decisions: the paper of a decision with its map at a true scale, sealed by the office, verifiable by anybody."""
