"""Talking about videos: turns read against earlier answers. Only ``terminal`` knows of one."""
