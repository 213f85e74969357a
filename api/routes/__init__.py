"""Machine interfaces, one module a noun."""
