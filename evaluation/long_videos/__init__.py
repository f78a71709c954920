"""Long videos put together from short ones, and how grounding fares on them."""
