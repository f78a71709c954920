"""How long a test waits for what is bound to happen."""

PATIENCE_S = 900.0
"""So long that only what hangs takes longer, on a machine however busy: no test has a deadline."""
