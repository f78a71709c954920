"""Prose that models and people read, one Markdown file each, and the catalog that renders it."""
