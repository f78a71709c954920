"""The stages of an index that ``tools.indexing.indexer`` runs side by side."""
