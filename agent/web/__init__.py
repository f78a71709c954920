"""The page and the HTTP API: one more door to ``Grounder``."""
