"""Vector tiles, overviews, cache, archives; raster tiles through titiler."""
