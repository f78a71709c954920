"""How files of video begin, so that what only calls itself one is never opened by a decoder."""

import re
from typing import Final

HEAD_BYTES: Final = 400
"""How much of a file has to be looked at."""

_MAGIC: Final = re.compile(
    rb"....(?:ftyp|moov|mdat|wide|free|skip|pnot)|\x1a\x45\xdf\xa3|RIFF....AVI |FLV\x01|OggS"
    rb"|\x00\x00\x01[\xb3\xba]|\x30\x26\xb2\x75\x8e\x66\xcf\x11|\x47.{187}\x47|.{4}\x47.{191}\x47",
    re.DOTALL,
)
"""FFmpeg also reads play lists, which name further files to open."""


def begins_as_video(head: bytes) -> bool:
    """Whether the first ``HEAD_BYTES`` of a file are those of a container of video."""
    return _MAGIC.match(head[:HEAD_BYTES]) is not None
