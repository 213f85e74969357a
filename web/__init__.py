"""People's interfaces: map viewer, cabinets, back office."""
