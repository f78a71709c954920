"""A closer look at a drawn video: the right frames, kept, and not described twice."""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage

from agent.api import Grounder
from agent.reasoning.text_model import LLMReasoner
from agent.settings import load_settings
from tests.drawing import draw_video, even_times, index_of
from tests.fakes import ChatModelOf, WordEmbedder
from tools.captioners.protocol import Description, NoCaption
from tools.errors import CaptionerError, VideoError
from tools.indexing.closer_look import look_closer
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Frame, Interval, Track
from tools.video.reader import probe


class FrameCounter:
    """Says which frame it sees; the tenth it will not describe."""

    model = "counter"
    prompt_version = "v1"
    mode = "frame"

    def __init__(self, breaks_at: int | None = None) -> None:
        self.described: list[int] = []
        self._breaks_at = breaks_at

    def describe(
        self, frames: Iterable[Frame], *, seen: Container[float]
    ) -> Iterator[Description | NoCaption | None]:
        for frame in frames:
            if frame.time_s in seen:
                continue
            number = index_of(frame)
            if number == self._breaks_at:
                raise CaptionerError("no credit is left")
            self.described.append(number)
            if number == 10:
                yield NoCaption(frame.time_s, "I cannot describe this.")
            else:
                yield Description(frame.time_s, f"frame {number}", "vision")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "counting.mp4", even_times(40, 10.0))


@pytest.fixture
def record(video: Path, store: CaptionStore) -> VideoRecord:
    made = VideoRecord(
        video_id=probe(video).id,
        path=str(video),
        duration_s=3.94,
        track=Track("counter", "v0", "frame@1/s"),
        rate_hz=1.0,
        complete=True,
        warning="",
        indexed_at="2026-01-01T00:00:00+00:00",
        captions=4,
    )
    store.put_record(made)
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder="words") as opened:
        yield opened


def look(
    record: VideoRecord, store: CaptionStore, captioner: FrameCounter, *, until_s: float = 2.0
) -> tuple[list[tuple[float, float, str]], int]:
    captions, made = look_closer(
        record,
        captioner,
        Interval(1.0, until_s),
        rate_hz=5,
        store=store,
        embedder=WordEmbedder(),
    )
    return [(one.start_s, one.end_s, one.text) for one in captions], made


def test_every_frame_of_the_stretch_is_described_and_holds_until_the_next(
    record: VideoRecord, store: CaptionStore
) -> None:
    captions, made = look(record, store, FrameCounter())
    assert captions == [
        (1.2, 1.4, "frame 12"),
        (1.4, 1.6, "frame 14"),
        (1.6, 1.8, "frame 16"),
        (1.8, 2.0, "frame 18"),
    ]
    assert made == 4


def test_a_second_look_costs_nothing_and_does_not_ask_again_what_was_refused(
    record: VideoRecord, store: CaptionStore
) -> None:
    first, _ = look(record, store, FrameCounter())
    again = FrameCounter()
    assert look(record, store, again) == (first, 0)
    assert again.described == []


def test_what_was_described_before_a_failure_is_kept(
    record: VideoRecord, store: CaptionStore
) -> None:
    with pytest.raises(CaptionerError, match="credit"):
        look(record, store, FrameCounter(breaks_at=16))
    goes_on = FrameCounter()
    captions, made = look(record, store, goes_on)
    assert (len(captions), made) == (4, 2)
    assert goes_on.described == [16, 18]


def test_a_stretch_that_passes_the_end_ends_there(record: VideoRecord, store: CaptionStore) -> None:
    captions, _ = look(record, store, FrameCounter(), until_s=9.0)
    assert captions[-1] == (3.8, 3.94, "frame 38")


def test_a_closer_look_is_forgotten_with_its_video(
    record: VideoRecord, store: CaptionStore
) -> None:
    look(record, store, FrameCounter())
    assert store.forget(record.video_id) == 4


@pytest.mark.parametrize(
    ("span", "rate_hz", "told"),
    [
        (Interval(0, 3), 20, "60 frames; at most 48 are looked at: 2.4 s"),
        (Interval(0, 4), 31, "at most 30, not 31"),
        (Interval(5, 6), 2, "the video ends at 3.94 s"),
    ],
)
def test_too_much_of_a_look_says_what_would_do(
    span: Interval, rate_hz: float, told: str, record: VideoRecord, store: CaptionStore
) -> None:
    with pytest.raises(CaptionerError, match=told):
        look_closer(
            record, FrameCounter(), span, rate_hz=rate_hz, store=store, embedder=WordEmbedder()
        )


def test_a_file_that_is_gone_or_another_by_now_is_not_looked_at(
    record: VideoRecord, store: CaptionStore, video: Path
) -> None:
    draw_video(video, even_times(30, 10.0))
    with pytest.raises(CaptionerError, match="now holds another video"):
        look(record, store, FrameCounter())
    video.unlink()
    with pytest.raises(VideoError):
        look(record, store, FrameCounter())


@pytest.mark.slow
def test_asked_through_the_grounder_the_closer_captioner_is_shown_the_query(video: Path) -> None:
    queries: list[str] = []

    def captioner_for(query: str) -> FrameCounter:
        queries.append(query)
        return FrameCounter()

    def asks_first(messages: list[BaseMessage]) -> AIMessage | str:
        if isinstance(messages[-1], ToolMessage):
            # The coarse look gave seven captions: #8 is the first of these.
            return '{"found": true, "events": [{"first": 8, "last": 9}]}'
        arguments = {"start_s": 1, "end_s": 2, "rate_hz": 5}
        call = {"name": "look_closer", "args": arguments, "id": "1", "type": "tool_call"}
        return AIMessage("", tool_calls=[call])

    model = ChatModelOf(answers=asks_first, takes_tools=True)
    with Grounder(
        load_settings(rate_hz=2, refine=False),
        captioner=FrameCounter(),
        reasoner=LLMReasoner(model),
        closer=captioner_for,
    ) as grounder:
        grounder.__dict__["embedder"] = WordEmbedder()
        answer = grounder.find(video, "frame 14")
    assert queries == ["frame 14"]
    assert len(answer.look_ups[0].caption_ids) == 4
    # Frame 10 got no caption: before frame 12 lies a look of the coarse track, with steps of 0.5 s.
    # After frame 14 lies frame 16, with a step of 0.2 s. Each edge is moved by half of its step.
    (found,) = answer.intervals
    assert (found.start_s, found.end_s) == (0.95, 1.5)
    assert (found.start_precision_s, found.end_precision_s) == pytest.approx((0.45, 0.1))
