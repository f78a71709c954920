"""Subtitles as captions: files beside a video, and tracks inside it."""
