"""Captions and their vectors in Chroma."""
