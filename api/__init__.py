"""Machine interfaces, the composition root and the `mezha` command."""
