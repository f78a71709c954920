"""One step to what works best on this machine: look, say, ask, do, try, write down."""
