"""Frames with their presentation times in a message, in the two forms that servers understand.

A caller puts one block of ours among the blocks of a message. ``Habits`` sends it as a video made
of our own frames, as vLLM takes it, or as pictures, each after its time in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TYPE = "frames"

TICKS_HZ = 100
"""vLLM computes a frame's time as its index over the rate: indices are hundredths of a second."""


def frames_block(
    frames: Sequence[tuple[float, str]], *, duration_s: float, detail: str = "auto"
) -> dict[str, Any]:
    """A block of frames.

    Args:
        frames: Time in seconds and JPEG in base64 of each, in time order, all of one size.
        duration_s: Of the whole video.
        detail: How closely a model looks, where its service has such a setting.
    """
    return {"type": TYPE, "frames": list(frames), "duration_s": duration_s, "detail": detail}


def with_frames(messages: Sequence[Mapping[str, Any]], *, as_video: bool) -> dict[str, Any]:
    """The ``messages`` of a request with frames as its server reads them, and what goes along.

    Args:
        messages: At most one of their blocks is of frames.
        as_video: Whether the server takes videos.
    """
    told: list[dict[str, Any]] = []
    beside: dict[str, Any] = {}
    for message in messages:
        content: list[Any] = []
        for block in _blocks(message):
            if block.get("type") != TYPE:
                content.append(block)
            elif as_video:
                content.append(_video(block["frames"]))
                beside = {"media_io_kwargs": {"video": _times(block)}}
            else:
                content += pictures(block["frames"], block["detail"])
        told.append({**message, "content": content} if content else dict(message))
    return {"messages": told} | beside


def _video(frames: Sequence[tuple[float, str]]) -> dict[str, Any]:
    # Models of the Qwen family read frames in pairs, and one time for both: of two alike, the mean
    # is the time of either.
    jpegs = ",".join(jpeg for _, jpeg in frames for _ in range(2))
    return {"type": "video_url", "video_url": {"url": f"data:video/jpeg;base64,{jpegs}"}}


def _times(block: Mapping[str, Any]) -> dict[str, Any]:
    indices = [round(TICKS_HZ * time_s) for time_s, _ in block["frames"] for _ in range(2)]
    return {
        # Without it, all frames after the 32nd are dropped.
        "num_frames": -1,
        "fps": TICKS_HZ,
        "frames_indices": indices,
        "total_num_frames": max(round(TICKS_HZ * block["duration_s"]), indices[-1] + 1),
        "duration": block["duration_s"],
        "do_sample_frames": False,
    }


def pictures(frames: Sequence[tuple[float, str]], detail: str) -> list[dict[str, Any]]:
    """Frames as blocks that every image model reads: each a time in words, then the picture."""
    how = {} if detail == "auto" else {"detail": detail}
    blocks: list[dict[str, Any]] = []
    for time_s, jpeg in frames:
        blocks.append({"type": "text", "text": f"<{time_label(time_s)}>"})
        url = {"url": f"data:image/jpeg;base64,{jpeg}"}
        blocks.append({"type": "image_url", "image_url": url | how})
    return blocks


def time_label(time_s: float) -> str:
    """``12.0 seconds``, ``12.52 seconds``: as the processors of video models write times."""
    return f"{f'{time_s:.2f}'.removesuffix('0')} seconds"


def _blocks(message: Mapping[str, Any]) -> list[Any]:
    content = message.get("content")
    return content if isinstance(content, list) else []
