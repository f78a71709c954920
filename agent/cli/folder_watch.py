"""``whenabouts watch``: what is new or changed in folders is indexed, until somebody stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from agent.api import Grounder
from agent.errors import QueryError, SettingsError, UsedUpError, VideoError, WhenaboutsError
from agent.watching.video_names import expand_videos
from tools.indexing.progress import Progress, Report
from tools.store.store import VideoRecord
from tools.video.identity import stamp_of

SETTLED_S = 3.0
"""A file that was not written to for this long is whole: copies write all the time."""

LOOK_EVERY_MS = 500


@dataclass(slots=True)
class Arrivals:
    """The videos of some folders, and which of them have to be looked at now.

    Attributes:
        folders: Videos in and below them count.
    """

    folders: Sequence[Path]
    _done: dict[str, str] = field(default_factory=dict)
    _waiting: dict[str, tuple[str, float]] = field(default_factory=dict)

    def look(self, now_s: float) -> list[str]:
        """Look at the folders; returns new and changed files that have settled, by path.

        Args:
            now_s: By a clock that only goes forward.
        """
        there = {path: stamp for path in _videos(self.folders) if (stamp := _stamp(path))}
        waiting = {}
        for path, stamp in there.items():
            if self._done.get(path) != stamp:
                known, since_s = self._waiting.get(path, ("", now_s))
                waiting[path] = (stamp, since_s if known == stamp else now_s)
        self._waiting = waiting
        return [path for path, (_, since_s) in waiting.items() if now_s - since_s >= SETTLED_S]

    def is_waiting(self) -> bool:
        """Whether some file has yet to settle."""
        return bool(self._waiting)

    def take(self, path: str) -> None:
        """Note that a file is dealt with as it was when last looked at, whatever came of it."""
        stamp, _ = self._waiting.pop(path)
        self._done[path] = stamp


@dataclass(slots=True)
class _Counted:
    """Passes on what it is told of an index, and counts it."""

    told: Report = field(default=lambda _: None)
    times: int = 0

    def __call__(self, progress: Progress) -> None:
        self.times += 1
        self.told(progress)


def watch_folders(
    folders: Sequence[Path],
    grounder: Grounder,
    *,
    report: Callable[[], AbstractContextManager[Report]],
    show: Callable[[VideoRecord], None],
    complain: Callable[[str], None],
    say: Callable[[str], None],
) -> None:
    """Index what is there and what comes, one video after another, until interrupted.

    Args:
        folders: To be watched, with those below them.
        grounder: Describes.
        report: Opens something that is told how far a video is.
        show: Receives each video that was described; one that was before is none.
        complain: Receives a line for each that could not be.
        say: Receives what else the user should know.

    Raises:
        SettingsError: If the extra is missing, or the system does not let folders be watched.
        QueryError: If a folder is none.
    """
    for folder in folders:
        if not folder.is_dir():
            raise QueryError(f"{folder} is not a folder; name folders to watch")
    arrivals = Arrivals(folders)
    say(f"watching {', '.join(map(str, folders))} (Ctrl-C stops it; what is indexed is kept)")
    with grounder.within_limits():
        for _ in _wake_ups(folders, arrivals):
            for path in arrivals.look(time.monotonic()):
                counted = _Counted()
                try:
                    with report() as counted.told:
                        record = grounder.watch(path, report=counted)
                except UsedUpError as exc:
                    complain(str(exc))
                    return
                except WhenaboutsError as exc:
                    complain(str(exc))
                else:
                    if counted.times:
                        show(record)
                arrivals.take(path)


def _wake_ups(folders: Sequence[Path], arrivals: Arrivals) -> Iterator[None]:
    """Once at the start, after every change, and while files settle."""
    try:
        import watchfiles
    except ImportError:
        raise SettingsError(
            "watching folders needs the package watchfiles: pip install 'whenabouts[watch]'"
        ) from None
    yield
    changes = watchfiles.watch(
        *folders,
        watch_filter=None,
        rust_timeout=LOOK_EVERY_MS,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    try:
        for changed in changes:
            if changed or arrivals.is_waiting():
                yield
    except OSError as exc:
        raise SettingsError(
            f"the system does not let these folders be watched ({exc}); WATCHFILES_FORCE_POLLING=1 "
            "in the environment looks at them every 0.3 s instead"
        ) from None


def _videos(folders: Sequence[Path]) -> list[str]:
    found: list[str] = []
    for folder in folders:
        try:
            found += expand_videos([str(folder)])
        except VideoError:  # There is none in it now.
            continue
    return sorted(dict.fromkeys(found))


def _stamp(path: str) -> str:
    try:
        return stamp_of(Path(path))
    except (OSError, VideoError):  # It has gone in between.
        return ""
