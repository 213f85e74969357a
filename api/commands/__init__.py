"""Commands of `mezha`, one module a noun; heavy imports stay inside the functions."""
