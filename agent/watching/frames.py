"""The frames that captions stand for, read again for a model that is shown pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ReasonerError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tools.store.store import VideoRecord
    from tools.timeline import Caption


def frames_of(
    captions: Sequence[Caption],
    *,
    records: Callable[[str], Sequence[VideoRecord]],
    max_bytes: int,
) -> dict[float, bytes]:
    """JPEG pictures of the frames that captions stand for, by time; one pass over the video.

    Args:
        captions: Of one track of one video.
        records: The tracks of a video by its id.
        max_bytes: Largest picture.

    Raises:
        ReasonerError: If they do not stand for frames, or the file is another video now.
        VideoError: If it is gone or cannot be read.
    """
    from tools.captioners.looks import encode_jpeg
    from tools.indexing.same_video import shows
    from tools.video.reader import FrameReader, probe

    if not captions:
        return {}
    record = next(one for one in records(captions[0].video_id) if one.track == captions[0].track)
    if record.rate_hz is None:
        raise ReasonerError(
            f"the captions of {record.path} do not stand for frames that could be shown; index it "
            "with --captioner none"
        )
    wanted = {caption.start_s for caption in captions}
    video = probe(Path(record.path))
    if not shows(record, video.path):
        raise ReasonerError(f"the file {record.path} is another video now; index that one")
    return {
        frame.time_s: encode_jpeg(frame.image, max_bytes=max_bytes)
        for frame in FrameReader(video, rate_hz=record.rate_hz)
        if frame.time_s in wanted
    }
