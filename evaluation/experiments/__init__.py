"""Named experiments: a question, and the runs whose comparison answers it."""
