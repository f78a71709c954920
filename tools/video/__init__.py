"""Video files: what they are, their frames, their sound, and clips cut out of them."""
