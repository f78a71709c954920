"""Readers of temporal grounding datasets, one file each, in the forms their authors publish."""
