"""The LLM-free grounder: from a query and embedded captions to ranked windows."""
