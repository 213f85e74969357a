"""Rasters: catalogued COGs, what they show within a plot, and what changed between two of them."""
