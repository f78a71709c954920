"""Captioners: each turns sampled frames into captions; one adapter a file."""
