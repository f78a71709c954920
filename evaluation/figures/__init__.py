"""Figures of a run: metrics, intervals, outcomes, comparisons."""
