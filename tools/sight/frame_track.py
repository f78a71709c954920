"""Frames as a track: each is kept as a vector over the time until the next one that looks new."""

from __future__ import annotations

from tools.timeline import Caption, Interval, Track

PREFIX = "sight:"
"""Start of the name of every model whose tracks are frames."""


def sight_track(model: str, frame_mode: str) -> Track:
    """The track of a joint model.

    Args:
        model: Its name; see ``tools.sight.joint_model.JointModel``.
        frame_mode: Which frames it saw, such as ``frame@1/s distinct2``.
    """
    return Track(model, "", frame_mode)


def is_sight(track: Track) -> bool:
    """Whether a track holds frames by their looks, and no words."""
    return track.model.startswith(PREFIX)


def as_caption(video_id: str, span: Interval, track: Track) -> Caption:
    """A frame as the store keeps it: its text only tells it from others, and says nothing."""
    return Caption(video_id, span, f"frame {span.start_s!r}", "sight", track)
