"""The stages of an index that ``tools.indexer`` runs side by side."""
