"""Which captions a question is answered from: those that are there, or those that are made now."""

from __future__ import annotations

import errno
import os
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import QueryError, VideoError
from agent.grounding import Cost
from agent.watching.allowance import Allowance, UsedUpError
from agent.watching.choice import Choice, with_an_eye_on
from agent.watching.moved_files import warning_of
from agent.watching.side_tracks import Beside
from prompts.catalog import prompt_version
from tools.captioners.file import file_track
from tools.captioners.protocol import Metered
from tools.indexing.indexer import Report, frame_track, index_captions_file, index_video, location
from tools.llm.prices import Usage as CaptioningUsage
from tools.retrieval.tracks import Opened, is_beside
from tools.video.identity import content_id, is_video_name
from tools.video.reader import probe

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agent.settings import Settings
    from tools.captioners.protocol import Captioner
    from tools.store.store import VideoRecord
    from tools.timeline import Track
    from tools.video.reader import Video

MIN_ID = 6
"""Characters of a video id that name it, if no other starts with them."""


class Watcher:
    """Makes sure that videos have their captions in the store, and knows which tracks there are.

    Several threads may ask at the same time; one video is described at a time.

    Args:
        settings: How to describe.
        opened: The store, and who describes and embeds.
        choice: Who was chosen to describe where the settings leave it open; None where a captioner
            was given.
        allowance: What the run under way may still take.
        tell: Told, in a line, who that is.
        name_host: Called with a captioner's name before frames are described by it.
    """

    def __init__(
        self,
        settings: Settings,
        opened: Opened,
        *,
        choice: Callable[[], Choice] | None,
        allowance: Callable[[], Allowance],
        tell: Callable[[str], None],
        name_host: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._opened = opened
        self._name_host = name_host
        self._choice = choice if settings.captioner == "auto" else None
        self._allowance = allowance
        self._tell = tell
        self._beside = Beside(settings, opened, allowance=allowance, tell=tell)
        self.describing = threading.RLock()

    def records(self) -> list[VideoRecord]:
        """Every indexed track of every video."""
        return self._opened.store.records()

    def answerable(self) -> list[VideoRecord]:
        """Of every indexed video, the track that says most; complete ones before others."""
        by_video: dict[str, VideoRecord] = {}
        for record in sorted(self.records(), key=self._worth):
            if not is_beside(record.track):
                by_video[record.video_id] = record
        return list(by_video.values())

    def _worth(self, record: VideoRecord) -> tuple[bool, bool, str]:
        return record.complete, self._is_seen(record), record.indexed_at

    def resolve(self, video: str | Path) -> list[VideoRecord]:
        """The indexed tracks of one video, named by file, id, start of an id, or former path.

        Raises:
            VideoError: If it is neither a readable video nor an indexed one.
        """
        if is_there(video):
            return self._opened.store.records(probe(Path(video)).id)
        return self._by_name(str(video))

    def forget(self, video: str | Path) -> int:
        """Delete a video's captions from the store, never the file; returns how many there were."""
        records = self.resolve(video)
        return self._opened.store.forget(records[0].video_id) if records else 0

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
            WhenaboutsError: If the video or the captions cannot be had; what was made is kept.
        """
        video = probe(Path(name)) if is_there(name) else None
        records = self._opened.store.records(video.id) if video else self._by_name(name)
        if video:
            records = [self._note_move(record, video.path) for record in records]
        settled = self._settled(records, captions, query)
        if settled and not self._wants_more(video, records):
            return settled if video else in_its_place(settled), Cost()
        # One video at a time: whoever waits for the same captions then finds them.
        with self.describing:
            records = self._opened.store.records(video.id) if video else self._by_name(name)
            settled = self._settled(records, captions, query)
            if settled and not self._wants_more(video, records):
                return settled, Cost()
            wanted = self._wanted_track(captions, query)
            video = video or self._found_again(name, records, wanted)
            record, cost = settled, Cost()
            if record is None:
                self._beside.check()
                record, cost = self._describe(video, captions, report, query, wanted)
            self._beside.add(video, record, report=report)
            return record, cost

    def _wants_more(self, video: Video | None, records: list[VideoRecord]) -> bool:
        """Whether something is to be put beside captions that are there, or has changed since."""
        changed = video is not None and self._beside.has_changed(video, records)
        return changed or self._beside.is_asked_for

    def _settled(
        self, records: list[VideoRecord], captions: Path | None, query: str
    ) -> VideoRecord | None:
        """The complete record to answer from, if there is one."""
        ready = [record for record in records if record.complete]
        if not captions and self._takes_whatis_there():
            # Captions of a file, or of an image model that was paid: they say more than signals do.
            seen = [record for record in ready if self._is_seen(record)]
            if seen:
                return max(seen, key=lambda record: record.indexed_at)
        if not ready:
            return None
        wanted = self._wanted_track(captions, query)
        return next((record for record in ready if record.track == wanted), None)

    def _takes_whatis_there(self) -> bool:
        """Whether nobody was named, nor anything else said of how to describe."""
        return self._choice is not None and self._settings.strategy == "general"

    def _is_seen(self, record: VideoRecord) -> bool:
        track = record.track
        if track.mode == "file":
            return True
        by_model = Choice(track.model).is_model
        general = prompt_version("describe_general")
        mode = track.mode.startswith(f"{self._settings.mode}@")
        return by_model and mode and track.prompt_version in {"", general}

    def _describe(
        self, video: Video, captions: Path | None, report: Report, query: str, wanted: Track
    ) -> tuple[VideoRecord, Cost]:
        before = self._opened.store.count(video.id, wanted)
        if captions:
            record = index_captions_file(
                video,
                captions,
                store=self._opened.store,
                embedder=self._opened.embedder,
                report=report,
            )
            return record, Cost(captions=record.captions - before)
        try:
            limits = self._allowance().left()
        except UsedUpError as exc:
            raise UsedUpError(
                f"{video.path.name} is not described: {exc}; the next run goes on"
            ) from None
        captioner = self._describer(query)
        if self._choice:
            self._tell(self._choice().why)
        self._name_host(captioner.model)
        before_use = metered(captioner)
        record = index_video(
            video,
            captioner,
            rate_hz=self._settings.rate_hz,
            store=self._opened.store,
            embedder=self._opened.embedder,
            report=report,
            every_frame=self._settings.every_frame or None,
            journals=self._settings.journal_folder,
            limits=limits,
        )
        return record, cost_between(record.captions - before, before_use, metered(captioner))

    def _describer(self, query: str) -> Captioner:
        """Who describes frames, as the strategy says."""
        if self._settings.strategy == "general":
            return self._opened.captioner
        if not query:
            raise QueryError(
                "the activity strategy shows the question to the image model, so that there is "
                "nothing to index before one is asked; ask one, or use --strategy general"
            )
        return with_an_eye_on(self._opened.captioner, query)

    def _wanted_track(self, captions: Path | None, query: str) -> Track:
        """The track of the captions file, or of frames described as the settings say."""
        if captions:
            return file_track(captions)
        every_frame = self._settings.every_frame or None
        return frame_track(self._describer(query), self._settings.rate_hz, every_frame=every_frame)

    def _found_again(self, name: str, records: list[VideoRecord], wanted: Track) -> Video:
        """The video of these records, from where it was last seen, to caption what is missing."""
        for path in dict.fromkeys(Path(record.path) for record in records):
            if is_there(path) and content_id(path) == records[0].video_id:
                return probe(path)
        has = sorted({_track_name(record.track) for record in records if record.complete})
        known = f"is indexed only by {', '.join(has)}" if has else "is indexed only in part"
        raise VideoError(
            f"{name} {known}, and its file is gone ({records[0].path}); give the file's new path "
            f"to have captions by {_track_name(wanted)}"
        )

    def _by_name(self, name: str) -> list[VideoRecord]:
        if exactly := self._opened.store.records(name):
            return exactly
        known = self._opened.store.records()
        path = str(location(Path(name)))
        ids = {
            record.video_id
            for record in known
            if record.path == path or (len(name) >= MIN_ID and record.video_id.startswith(name))
        }
        if len(ids) > 1:
            raise VideoError(
                f"{name} may be any of {len(ids)} indexed videos; give one's whole id: "
                f"{', '.join(sorted(ids))}"
            )
        if not ids:
            raise VideoError(
                f"there is no file {name}, and no indexed video of that path or id; "
                "`whenabouts list` shows those there are"
            )
        return [record for record in known if record.video_id in ids]

    def _note_move(self, record: VideoRecord, path: Path) -> VideoRecord:
        """Remember where the file lies now; its content says that it is the same video."""
        moved = record.at(location(path))
        if moved != record:
            self._opened.store.put_record(moved)
        return moved


def in_its_place(record: VideoRecord) -> VideoRecord:
    """The record, its warning saying so where another video lies in its place by now."""
    warning = "; ".join(filter(None, (record.warning, warning_of(record))))
    return replace(record, warning=warning)


def expand_videos(names: Sequence[str]) -> list[str]:
    """The names with every folder replaced by the video files in and below it, by path; each once.

    Folders whose name begins with a dot are passed over, and links to folders are not followed.

    Raises:
        VideoError: If there is no video in a folder.
    """
    expanded: list[str] = []
    for name in names:
        if not os.path.isdir(name):  # noqa: PTH112  # no error where a name is too long for one
            expanded.append(name)
            continue
        inside: list[str] = []
        for where, below, files in os.walk(name):
            below[:] = [one for one in below if not one.startswith(".")]
            inside += [str(one) for file in files if is_video_name(one := Path(where, file))]
        if not inside:
            raise VideoError(f"there is no video in or below {name}; name files, or another folder")
        expanded += sorted(inside)
    return list(dict.fromkeys(expanded))


def is_there(name: str | Path) -> bool:
    """Whether it names a file, also one that cannot be looked at: ``probe`` then says why.

    Raises:
        VideoError: If its name is no text, so that no answer could name it.
    """
    if not is_text(str(name)):
        raise VideoError(f"the name {str(name)!a} is not UTF-8; rename the file")
    try:
        return Path(name).exists()
    except OSError as exc:
        # Longer than any name of a file, it may still be meant for something else.
        return exc.errno != errno.ENAMETOOLONG


def is_text(words: str) -> bool:
    """Whether it can be written as UTF-8: bytes that are not come in as halves of characters."""
    try:
        words.encode()
    except UnicodeEncodeError:
        return False
    return True


def metered(captioner: Captioner) -> CaptioningUsage:
    """What a captioner has used so far: nothing, if it is free."""
    return captioner.usage if isinstance(captioner, Metered) else CaptioningUsage()


def cost_between(made: int, before: CaptioningUsage, now: CaptioningUsage) -> Cost:
    """What making so many captions took, by the captioner's meter before and after."""
    is_known = before.usd is not None and now.usd is not None
    return Cost(
        captions=made,
        tokens_in=now.tokens_in - before.tokens_in,
        tokens_out=now.tokens_out - before.tokens_out,
        usd=now.usd - before.usd if is_known else None,  # type: ignore[operator]  # is_known
    )


def _track_name(track: Track) -> str:
    return f"{track.model} ({track.mode})"
