"""The whenabouts application: the graph, the Python entry point, and the front doors."""
