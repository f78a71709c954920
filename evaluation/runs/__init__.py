"""Runs over a dataset: which questions, over what, and the files they leave."""
