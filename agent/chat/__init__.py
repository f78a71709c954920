"""Talking about videos: turns resolved against earlier answers. Free of any terminal but one."""
