"""Printed sheets: a map of the registers at a true scale, as a PDF that carries vectors, not a picture."""
