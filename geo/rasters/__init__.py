"""Rasters: the catalogue of what may be shown, how each is drawn, and files on their way into it."""
