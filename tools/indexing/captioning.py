"""One run of a captioner over a video: its stages side by side, and nothing that it says lost."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from tools.captioners.looks import LookMode
from tools.captioners.protocol import Description, Metered
from tools.indexing.caption_writer import CaptionWriter
from tools.indexing.frame_feed import FrameFeed
from tools.indexing.frame_gate import FrameGate, Gate
from tools.indexing.progress import Pace, Progress, Report
from tools.indexing.scenes import SceneFinder, write_scenes
from tools.llm.budget import Budget
from tools.llm.prices import TokenUsage
from tools.store.store import CaptionGap
from tools.text import shorten
from tools.timeline import MAX_CAPTION_CHARS, Caption, Interval
from tools.video.near_duplicates import DistinctFrames

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tools.captioners.protocol import Captioner, NoCaption
    from tools.embedders.embedder import Embedder
    from tools.indexing.journal import Journal
    from tools.indexing.sight_first import SightFirst
    from tools.indexing.sight_pass import SightPass
    from tools.store.store import CaptionStore, VideoRecord
    from tools.timeline import Frame
    from tools.video.reader import FrameReader


class Captioning:
    """Has every frame described that has no caption yet, and puts what is said into the store.

    Args:
        record: Of the track that is written.
        captioner: Describes the frames.
        reader: Reads them.
        every_frame: Whether those that look like the one before are described too.
        store: Says what is there already, and receives the rest.
        embedder: Embeds each new caption.
        journal: Where what is said is written down at once; None for nowhere.
        total_s: How long the video is thought to be.
        budget: Where this run ends.
        sight: Also watches every frame that is read; None where nobody does.
        first: Chooses among the frames that would be described; None where all are.
    """

    def __init__(
        self,
        record: VideoRecord,
        captioner: Captioner,
        reader: FrameReader,
        *,
        every_frame: bool,
        store: CaptionStore,
        embedder: Embedder,
        journal: Journal | None,
        total_s: float | None,
        budget: Budget,
        sight: SightPass | None = None,
        first: SightFirst | None = None,
    ) -> None:
        self._sight = sight
        self._first = first
        self._record = record
        self._captioner = captioner
        self._store = store
        self._reader = reader
        self._journal = journal
        self._total_s = total_s
        self._used_before = _usage(captioner)
        self._pace = Pace()
        stored = store.seen_starts(record.video_id, record.track)
        self._stored_before = store.count(record.video_id, record.track)
        self._placed: set[float] = set(stored)
        # What an earlier run was told and could not store; where it ends is found out again.
        self._waiting: list[Description | NoCaption] = [
            said for said in (journal.read() if journal else ()) if said.time_s not in stored
        ]
        self._seen = stored | {said.time_s for said in self._waiting}
        self._seen_s = max(self._seen, default=0.0)
        self._gate = FrameGate(
            budget,
            frames_per_look=LookMode.parse(captioner.mode).frames,
            seen=self._seen,
            usage=lambda: _usage(captioner),
            model=captioner.model,
        )
        self._writer = CaptionWriter(store, embedder, during=record)
        self._distinct = None if every_frame else DistinctFrames()
        self._scenes = SceneFinder()
        self._feed = FrameFeed(
            reader,
            choose=self._choose,
            gate=lambda frame: (
                self._gate.at(frame.time_s) if self._writer.has_room() else Gate.WAIT
            ),
            on_out=lambda frame: self._gate.count(frame.time_s),
        )

    def run(self, report: Report, *, go_on: Callable[[], None] = lambda: None) -> str:
        """Do it; ``report`` is called in this thread, at the beginning and as batches are written.

        Args:
            report: Receives progress.
            go_on: Called in this thread with everything that is said, and every now and then while
                a service says nothing; what it raises ends the run.

        Returns:
            Which limit ended the run, and until when the video was seen then; else nothing.

        Raises:
            WhenaboutsError: If something cannot go on. Whatever it is, also Ctrl-C: what is under
                way at the captioner is waited for and kept.
        """
        report(self._progress())
        reported = 0
        answers = self._captioner.describe(self._feed, seen=self._seen)
        try:
            for said in answers:
                self._note(said)
                go_on()
                self._place()
                self._writer.raise_error()
                if self._writer.written != reported:
                    reported = self._writer.written
                    report(self._progress())
            self._feed.unfinished_s = None
            given_up_s = self._gate.end()
            if self._gate.reached:
                self._feed.finish()
        except BaseException as exc:
            # No new frame is begun, but what is under way may be paid for.
            self._feed.stop()
            for said in self._last_answers(answers, exc):
                self._note(said)
            self._feed.finish()
            raise
        finally:
            self._end()
        until_s = self._feed.handed_out_until_s if given_up_s is None else given_up_s
        self._seen_s = until_s if self._gate.reached else self._reader.decoded_until_s
        report(self._progress())
        if not self._gate.reached:
            scenes = self._scenes.scenes(self._reader.decoded_until_s)
            write_scenes(self._store, self._record.video_id, scenes, during=self._record)
            return ""
        return f"stopped at {self._gate.reached}: seen until {until_s:.1f} s"

    def settle(self, record: VideoRecord) -> VideoRecord:
        """Write what became of the run, once all is there that was seen before or written by it.

        Raises:
            ForgottenError: If the video was forgotten meanwhile.
            StoreError: If something is missing.
        """
        least = self._stored_before + self._writer.written
        return self._store.settle(record, starts=self._placed, captions=least)

    def _last_answers(
        self, answers: Iterator[Description | NoCaption | None], error: BaseException
    ) -> Iterator[Description | NoCaption | None]:
        """What is said until nothing is under way any more.

        A service is told of the error, so that only what is paid for is waited for.
        """
        if isinstance(self._captioner, Metered) and isinstance(answers, Generator):
            try:
                yield answers.throw(error)
            except BaseException as exc:
                if exc is not error:
                    raise
        yield from answers

    def _choose(self, frame: Frame) -> Sequence[Frame]:
        self._scenes.watch(frame)
        chosen = [frame] if self._distinct is None else self._distinct.choose(frame)
        if self._first:
            chosen = self._first.choose(chosen)
        if self._sight:
            self._sight.watch(frame)
        return chosen

    def _note(self, said: Description | NoCaption | None) -> None:
        if said is None:
            return
        self._feed.said_of(said.time_s)
        self._gate.note(said.time_s)
        self._waiting.append(said)
        self._seen_s = max(self._seen_s, said.time_s)
        if self._journal:
            self._journal.append(said)

    def _place(self) -> None:
        """Hand over to the writer what has an end and is finished."""
        # A frame that has a caption in the store is not described again, so all of its captions go
        # there at once. A captioner that costs says one thing of a frame, and that is kept as soon
        # as it is said.
        but_s = None if isinstance(self._captioner, Metered) else self._feed.unfinished_s
        placed: list[Caption | CaptionGap] = []
        waiting = []
        for said in self._waiting:
            end_s = self._feed.end_s(said.time_s if said.last_s is None else said.last_s)
            if end_s is None or said.time_s == but_s:
                waiting.append(said)
            else:
                placed.append(self._with_span(said, Interval(said.time_s, end_s)))
        self._waiting = waiting
        self._placed.update(one.span.start_s for one in placed)
        self._writer.take(placed)

    def _with_span(self, said: Description | NoCaption, span: Interval) -> Caption | CaptionGap:
        video_id, track = self._record.video_id, self._record.track
        if isinstance(said, Description):
            text = shorten(said.text, MAX_CAPTION_CHARS)
            return Caption(video_id, said.exact or span, text, said.source, track)
        return CaptionGap(video_id, span, said.reason, track, is_final=said.is_final)

    def _end(self) -> None:
        try:
            self._place()
            self._writer.close()
            if self._journal and not self._waiting:
                self._journal.delete()
        finally:
            self._feed.close()
            if self._journal:
                self._journal.close()

    def _progress(self) -> Progress:
        used, before = _usage(self._captioner), self._used_before
        self._pace.mark(seen_s=self._seen_s, captions=self._writer.written)
        return Progress(
            path=self._record.path,
            model=self._record.track.model,
            seen_s=self._seen_s,
            total_s=self._total_s,
            captions=self._writer.written,
            resumed=bool(self._seen),
            frames=self._feed.frames_read,
            skipped=self._feed.frames_skipped,
            captions_per_s=self._pace.captions_per_s(),
            left_s=self._pace.left_s(self._total_s),
            tokens=used.tokens_in + used.tokens_out - before.tokens_in - before.tokens_out,
            usd=None if used.usd is None or before.usd is None else used.usd - before.usd,
        )


def _usage(captioner: Captioner) -> TokenUsage:
    return captioner.usage if isinstance(captioner, Metered) else TokenUsage()
