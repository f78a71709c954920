"""Talking about videos: turns read against earlier answers. It knows no terminal."""
