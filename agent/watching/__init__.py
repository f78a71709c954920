"""Which captions answer a question, and making those that are missing."""
