"""Which captions a question is answered from: those that are there, or those that are made now."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from agent.errors import VideoError
from agent.grounding import Cost
from agent.watching.choice import Choice, means_model
from agent.watching.describing import Describing
from agent.watching.foresight import foreseen
from agent.watching.indexed import Indexed, is_there
from agent.watching.moved_files import in_its_place
from agent.watching.side_tracks import Beside
from tools.captioners.blank import BlankCaptioner
from tools.indexing.indexer import Report, frame_track
from tools.indexing.same_video import MOVED, shows
from tools.retrieval.tracks import is_beside, kind_of
from tools.video.identity import location
from tools.video.reader import probe

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from agent.grounding import Grounding
    from agent.settings import Settings
    from agent.watching.opened import Opened
    from agent.watching.runs import Runs
    from prompts.catalog import Prompts
    from tools.store.store import VideoRecord
    from tools.timeline import Track
    from tools.video.reader import Video


class AskedVideo(Protocol):
    """The part of a question that matters for captions; see ``agent.graph.state.Question``."""

    @property
    def video(self) -> str: ...

    @property
    def query(self) -> str: ...

    @property
    def captions(self) -> str | None: ...


class UnderWay(Protocol):
    """Work whose caller waits for it, and may leave; see ``agent.graph.cancelling``."""

    def go_on(self) -> None:
        """Raises where nobody is waiting any more."""
        ...

    def in_order(self) -> AbstractContextManager[None]:
        """The caller does not leave while what is done inside is under way."""
        ...


class Watcher:
    """Makes sure that videos have their captions in the store, and knows which tracks there are.

    Several threads may ask at the same time; one video is described at a time.

    Args:
        settings: How to describe.
        opened: The store, and who describes and embeds.
        prompts: What an image model is told.
        runs: Say what the run under way may still take, and are told what was spent.
        under_way: The work that this is done for.
        tell: Receives, in a line, who describes where no captioner was named.
        name_host: Called with a captioner's name before frames are described by it.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        prompts: Prompts,
        runs: Runs,
        under_way: Callable[[], UnderWay],
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._prompts = prompts
        self._runs = runs
        self._under_way = under_way
        self._tell = tell
        self._indexed = Indexed(settings, opened, tell=tell)
        self._describing = Describing(
            settings, opened, prompts=prompts, runs=runs, tell=tell, name_host=name_host
        )
        self._beside = Beside(settings, opened, runs=runs, tell=tell)
        self.describing = threading.RLock()

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video, also those of frames alone."""
        return self._indexed.records()

    def holds(self, video_id: str) -> bool:
        """Whether anything of a video is in the store: not after it was forgotten."""
        return self._indexed.holds(video_id)

    def answerable(self) -> list[VideoRecord]:
        """The track of every indexed video that says most; complete ones before others."""
        by_video: dict[str, VideoRecord] = {}
        for record in sorted(self._opened.store.records(), key=self._worth):
            if not is_beside(record.track):
                by_video[record.video_id] = record
        return list(by_video.values())

    def _worth(self, record: VideoRecord) -> tuple[bool, bool, str]:
        return record.complete, self._is_seen(record), record.indexed_at

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """See ``Indexed.resolve``."""
        return self._indexed.resolve(video)

    def forget(self, video: str | Path) -> int:
        """See ``Indexed.forget``."""
        return self._indexed.forget(video)

    def foresee(self, name: str, query: str) -> Grounding | None:
        """The answer, if it is known before frames are described; see ``foreseen``.

        Raises:
            VideoError, SettingsError: As ``watch``.
        """
        if self._opened.given_captioner or self._settings.strategy != "general":
            return None
        video, records = self._indexed.look_up(name)
        if video is None or any(one.complete for one in records):
            return None
        if means_model(self._settings) or self._settings.captioner not in {"auto", "classical"}:
            return None
        if self._opened.sight.name:
            return None  # Frames themselves may show it.
        return foreseen(query, video, self._settings, self._prompts)

    def watch_for(self, question: AskedVideo, *, report: Report) -> tuple[VideoRecord, Cost]:
        """The record that answers a question; see ``watch``."""
        captions = Path(question.captions) if question.captions else None
        return self.watch(question.video, captions=captions, query=question.query, report=report)

    def watch(
        self, name: str, *, captions: Path | None, query: str, report: Report
    ) -> tuple[VideoRecord, Cost]:
        """The record to answer from, and what it took to make it complete.

        Args:
            name: A video file, or the id of an indexed video, or the start of it.
            captions: A captions file to answer from.
            query: What is asked; with the activity strategy the captions are those made for it.
            report: Receives progress.

        Raises:
            WhenaboutsError: If the video or the captions cannot be used; what was made is kept.
        """
        video, records = self._indexed.look_up(name)
        if video:
            records = [self._note_move(record, video) for record in records]
        settled = self._settled(records, captions, query)
        if settled and not (
            self._wants_more(video, records, settled, query) or self._lacks(settled, query)
        ):
            return settled if video else in_its_place(settled), Cost()
        work = self._under_way()
        # One video at a time: those who wait for the same captions then find them.
        with self.describing, work.in_order():
            records = self._opened.store.records(video.id) if video else self._indexed.by_name(name)
            settled = self._settled(records, captions, query)
            lacking = self._lacks(settled, query) if settled else 0
            if settled and not (self._wants_more(video, records, settled, query) or lacking):
                return settled, Cost()
            wanted = self._describing.wanted_track(captions, query)
            if settled and lacking and settled.track == wanted:
                looks = "1 look" if lacking == 1 else f"{lacking} looks"
                self._tell(
                    f"asking again for {looks} at {Path(settled.path).name} that got no caption"
                )
                settled = None
            video = video or self._found_again(name, records, wanted)
            record, cost = settled, Cost()
            if record is None:
                self._beside.check()
                record, cost = self._describing.describe(
                    video, captions, report, query, go_on=work.go_on
                )
                self._runs.budget().spend_captions(cost.captions, cost.usd)
            self._beside.add(video, record, report=report, query=query, go_on=work.go_on)
            if record.complete:
                self._opened.sight.look(video, report=report, go_on=work.go_on)
            return record, cost

    def watch_frames(self, name: str, *, report: Report) -> VideoRecord:
        """Make sure that a joint model has looked at a video; nobody is asked to describe it.

        Returns:
            The record of its captions; of a video without any, of captions that mark frames.

        Raises:
            WhenaboutsError: If the video cannot be used, or the model; what was made is kept.
        """
        video, records = self._indexed.look_up(name)
        work, sight = self._under_way(), self._opened.sight
        with self.describing, work.in_order():
            if video:
                records = [self._note_move(one, video) for one in records]
            ready = [one for one in records if one.complete and not is_beside(one.track)]
            best = max(ready, key=self._worth, default=None)
            if video is None and best and sight.read(best.video_id):
                return in_its_place(best)
            blank = BlankCaptioner()
            track = frame_track(blank, self._settings.rate_hz)
            video = video or self._found_again(name, records, track)
            if best is None:
                best = self._describing.caption(video, blank, report, go_on=work.go_on)
            sight.look(video, report=report, go_on=work.go_on)
            return best

    def _wants_more(
        self, video: Video | None, records: list[VideoRecord], record: VideoRecord, query: str
    ) -> bool:
        """Whether side tracks have to be added to existing captions, or have changed since."""
        if self._beside.is_asked_for:
            return True
        return video is not None and (
            self._beside.subtitles.has_changed(video, records)
            or self._opened.sight.lacks(video)
            or self._beside.is_to_be_measured(record, records, query)
        )

    def _lacks(self, record: VideoRecord, query: str) -> int:
        """How many looks without a caption an index, which has no query, asks for once more."""
        if query:
            return 0
        gaps = self._opened.store.gaps(record.video_id, record.track)
        return sum(not gap.is_final for gap in gaps)

    def _settled(
        self, records: list[VideoRecord], captions: Path | None, query: str
    ) -> VideoRecord | None:
        """The complete record to answer from, if there is one."""
        ready = [record for record in records if record.complete]
        if not captions and self._takes_whatis_there():
            # Captions from a file, or from an image model, say more than signals do.
            seen = [record for record in ready if self._is_seen(record)]
            if seen:
                return max(seen, key=lambda record: record.indexed_at)
        if not ready:
            return None
        wanted = self._describing.wanted_track(captions, query)
        return next((record for record in ready if record.track == wanted), None)

    def _takes_whatis_there(self) -> bool:
        """Whether no captioner was named, and no way to describe."""
        return self._describing.is_left_open and self._settings.strategy == "general"

    def _is_seen(self, record: VideoRecord) -> bool:
        track = record.track
        if kind_of(track) == "file":
            return True
        by_model = Choice(track.model).is_model
        general = self._prompts.version("describe_general")
        mode = track.mode.startswith(f"{self._settings.mode}@")
        return by_model and mode and track.prompt_version in {"", general}

    def _found_again(self, name: str, records: list[VideoRecord], wanted: Track) -> Video:
        """The video of these records, from where it was last seen, to caption what is missing."""
        for path in dict.fromkeys(Path(record.path) for record in records):
            if is_there(path) and shows(records[0], path):
                return replace(probe(path), id=records[0].video_id)
        has = sorted({_track_name(record.track) for record in records if record.complete})
        known = f"is indexed only by {', '.join(has)}" if has else "is indexed only in part"
        raise VideoError(
            f"{name} {known}, and its file is gone ({records[0].path}); give the file's new path "
            f"to have captions by {_track_name(wanted)}"
        )

    def _note_move(self, record: VideoRecord, video: Video) -> VideoRecord:
        """Remember where the file lies now; its content says that it is the same video."""
        place = location(video.path)

        def moved(now: VideoRecord) -> VideoRecord:
            stamp = video.file_stamp or now.file_stamp
            known = replace(now, content_id=video.content_id, file_stamp=stamp)
            if not (now.content_id or now.path == str(place) or _is_known_whole(now, video)):
                known = replace(known, warning="; ".join(filter(None, (now.warning, MOVED))))
            return known.at(place)

        if moved(record) == record:
            return record
        return self._opened.store.change_record(record, moved)


def _is_known_whole(record: VideoRecord, video: Video) -> bool:
    """Whether the id of a record is a hash of every byte, and this video's."""
    return record.video_id == video.content_id


def _track_name(track: Track) -> str:
    return f"{track.model} ({track.mode})"
