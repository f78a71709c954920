"""Which videos are meant by names of files and folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agent.errors import VideoError
from tools.video.identity import is_video_name


def expand_videos(names: Sequence[str]) -> list[str]:
    """The names, every folder replaced by the video files in and below it, by path; each once.

    Folders whose name begins with a dot are passed over, and links to folders are not followed.

    Raises:
        VideoError: If there is no video in a folder, or it cannot be looked into.
    """
    expanded: list[str] = []
    for name in names:
        if not os.path.isdir(name):  # noqa: PTH112  # no error where a name is too long for one
            expanded.append(name)
            continue
        inside: list[str] = []
        shut: list[OSError] = []
        for where, below, files in os.walk(name, onerror=shut.append):
            below[:] = [one for one in below if not one.startswith(".")]
            inside += [str(one) for file in files if is_video_name(one := Path(where, file))]
        if not inside and shut:
            raise VideoError(
                f"{shut[0].filename} cannot be looked into: {shut[0].strerror}; give it read "
                "permission, or name another folder"
            )
        if not inside:
            raise VideoError(f"there is no video in or below {name}; name files, or another folder")
        expanded += sorted(inside)
    return list(dict.fromkeys(expanded))
