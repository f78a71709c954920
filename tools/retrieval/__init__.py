"""Which windows and captions answer a query, over all tracks of one video or of many."""
