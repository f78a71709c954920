"""Measuring: datasets, metrics, and the scripts behind every published figure."""
