"""Spatial questions: what lies here, what is cut, what is near, what conflicts, how much there is altogether."""
