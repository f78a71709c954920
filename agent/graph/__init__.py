"""The graph: its picture, its nodes, its state, and what runs it."""
