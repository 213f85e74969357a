"""Registry files become checked, versioned objects."""
