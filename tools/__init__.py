"""Grounding tools: video, frames, captions, embeddings, store, retrieval, intervals."""
