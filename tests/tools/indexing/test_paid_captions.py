"""Indexing with captions that cost money: what was answered is stored, and asked for once only."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.drawing import draw_video, even_times
from tests.fakes import WordEmbedder
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, Server, fails, rate_limited, refuses, says, serving
from tests.tiers import first_fast
from tools.captioners.looks import LookMode
from tools.captioners.openai import OpenAICaptioner
from tools.captioners.protocol import Description, NoCaption
from tools.errors import CaptionerError, EmbedderError
from tools.indexing.indexer import Progress, frame_track, index_video
from tools.indexing.journal import Journal
from tools.llm.budget import Budget, Limits
from tools.llm.client import Patience
from tools.llm.prices import Price
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Interval
from tools.video.reader import Video, probe

KEY = "sk-a-secret-of-the-user-0123456789"
SECONDS = 30


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    path = tmp_path_factory.mktemp("video") / "gray.mp4"
    return probe(draw_video(path, even_times(SECONDS, 1)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder="words") as opened:
        yield opened


def captioner_at(server: Server, **options: Any) -> OpenAICaptioner:
    given: dict[str, Any] = {"in_flight": 4, "patience": Patience(max_retries=1, backoff_s=0.001)}
    return OpenAICaptioner(
        "tiny",
        prompt="What is there?",
        prompt_version="v1",
        api_key=KEY,
        base_url=server.url,
        **(given | options),
    )


def index(
    video: Video,
    captioner: OpenAICaptioner,
    store: CaptionStore,
    *,
    embedder: Any = None,
    report: Callable[[Progress], None] = lambda _: None,
    journals: Path | None = None,
    budget: Budget | None = None,
) -> VideoRecord:
    return index_video(
        video,
        captioner,
        rate_hz=1,
        store=store,
        embedder=embedder or WordEmbedder(),
        report=report,
        # The drawn frames differ in brightness alone, less than what counts as new.
        every_frame=True,
        journals=journals,
        budget=budget,
    )


def second_of(asked: Asked) -> int:
    return round(float(asked.images[0].mean()) / 5)


def names_second(asked: Asked) -> Answer:
    return says(f"second {second_of(asked)}")


def seconds_asked(server: Server) -> Counter[int]:
    return Counter(map(second_of, server.asked))


def stored_seconds(video: Video, captioner: OpenAICaptioner, store: CaptionStore) -> list[int]:
    captions, _ = store.read(video.id, frame_track(captioner, 1, every_frame=True))
    # Each says which frame the server saw: it must be the one at whose time it is stored.
    assert [caption.text for caption in captions] == [f"second {int(c.start_s)}" for c in captions]
    return [int(caption.start_s) for caption in captions]


@pytest.mark.slow
def test_captions_that_come_in_any_order_hold_until_the_next_frame(
    video: Video, store: CaptionStore
) -> None:
    later = threading.Event()

    def first_comes_last(asked: Asked) -> Answer:
        if second_of(asked) == SECONDS - 1:
            later.set()
        answer = names_second(asked)
        return answer.after(later) if second_of(asked) == 0 else answer

    with serving(first_comes_last) as server:
        captioner = captioner_at(server)
        record = index(video, captioner, store)
    captions, _ = store.read(video.id, record.track)
    assert [caption.span for caption in captions] == [Interval(n, n + 1) for n in range(SECONDS)]
    assert stored_seconds(video, captioner, store) == list(range(SECONDS))
    assert (record.complete, record.captions, record.track.mode) == (True, SECONDS, "frame@1/s")


class Interruption:
    """Raises once, when the captions stored or about to be reach a number."""

    def __init__(self, error: BaseException, *, after: int) -> None:
        self._error: BaseException | None = error
        self._after = after
        self.embedder = WordEmbedder()
        self.name, self.dimension = self.embedder.name, self.embedder.dimension
        self._embedded = 0
        self.happened = threading.Event()

    def embed(self, texts: Any) -> Any:
        self._embedded += len(texts)
        if self._error and self._embedded >= self._after:
            error, self._error = self._error, None
            self.happened.set()
            raise error
        return self.embedder.embed(texts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error", first_fast(KeyboardInterrupt(), EmbedderError("gone"), ValueError("bug"))
)
def test_a_run_that_is_stopped_between_two_captions_pays_for_none_twice(
    video: Video, store: CaptionStore, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.indexing.caption_writer.BATCH_CAPTIONS", 5)
    interruption = Interruption(error, after=9)

    def late_at_the_end(asked: Asked) -> Answer:
        answer = names_second(asked)
        return answer.after(interruption.happened) if second_of(asked) >= 12 else answer

    with serving(late_at_the_end) as server:
        captioner = captioner_at(server)
        with pytest.raises(type(error)):
            index(video, captioner, store, embedder=interruption)
        asked_before = seconds_asked(server)
        assert 9 <= len(asked_before) < SECONDS
        # What was answered is stored, also what was under way and what could not be written.
        assert set(stored_seconds(video, captioner, store)) == set(asked_before)
        index(video, captioner, store)
        assert seconds_asked(server) == Counter(range(SECONDS))
    assert stored_seconds(video, captioner, store) == list(range(SECONDS))
    assert captioner.usage.captions == SECONDS


def test_a_run_that_the_service_ends_pays_for_no_answer_twice(
    video: Video, store: CaptionStore
) -> None:
    def fail_in_the_middle(asked: Asked) -> Answer:
        return fails(401) if second_of(asked) == 12 else names_second(asked)

    with serving(fail_in_the_middle) as server:
        captioner = captioner_at(server)
        with pytest.raises(CaptionerError, match="refuses the key"):
            index(video, captioner, store)
        answered = set(seconds_asked(server)) - {12}
        assert set(stored_seconds(video, captioner, store)) == answered
    with serving(names_second) as again:
        index(video, captioner_at(again), store)
        assert set(seconds_asked(again)) == set(range(SECONDS)) - answered
    assert stored_seconds(video, captioner, store) == list(range(SECONDS))


@pytest.mark.slow
def test_what_a_service_could_not_caption_is_asked_for_again_and_nothing_else(
    video: Video, store: CaptionStore
) -> None:
    def fail_some(asked: Asked) -> Answer:
        second = second_of(asked)
        if second == 12:
            return fails(500, "crashed")
        if second == 14:
            return fails(400, "no nudity", code="content_filter")
        return says("") if second == 16 else names_second(asked)

    with serving(fail_some) as server:
        record = index(video, captioner_at(server), store)
        assert record.complete
        assert "2 looks got no caption" in record.warning
        assert "whenabouts index" in record.warning
        assert "1 look at 0:14.0 got no caption for good (no nudity)" in record.warning
    gaps = store.gaps(video.id, record.track)
    assert [(gap.span.start_s, gap.is_final) for gap in gaps] == [
        (12, False),
        (14, True),
        (16, False),
    ]
    with serving(names_second) as again:
        record = index(video, captioner_at(again), store)
        assert set(seconds_asked(again)) == {12, 16}
    assert record.warning == "1 look at 0:14.0 got no caption for good (no nudity)"
    assert [gap.span.start_s for gap in store.gaps(video.id, record.track)] == [14]


def test_a_limit_of_minutes_cuts_what_is_under_way(video: Video, store: CaptionStore) -> None:
    released = threading.Event()

    def hang(asked: Asked) -> Answer:
        answer = names_second(asked)
        return answer.after(released) if second_of(asked) >= 5 else answer

    with serving(hang) as server:
        try:
            limits = Limits(max_minutes=1 / 60)
            record = index(video, captioner_at(server), store, budget=Budget(limits))
        finally:
            released.set()
    assert not record.complete
    assert "stopped at the limit of minutes: seen until" in record.warning
    assert set(stored_seconds(video, captioner_at(server), store)) <= set(range(5))


def test_looks_cut_off_by_the_minutes_are_asked_for_again_also_where_none_is_left_to_begin(
    store: CaptionStore, tmp_path: Path
) -> None:
    video, released = probe(draw_video(tmp_path / "short.mp4", even_times(3, 1))), threading.Event()

    def hang(asked: Asked) -> Answer:
        answer = names_second(asked)
        return answer.after(released) if second_of(asked) else answer

    with serving(hang) as server:
        try:
            # All three are under way at once, so no fourth is refused at the end.
            budget = Budget(Limits(max_minutes=2 / 60))
            record = index(video, captioner_at(server), store, budget=budget)
        finally:
            released.set()
    assert not record.complete
    assert "stopped at the limit of minutes: seen until" in record.warning
    there = set(stored_seconds(video, captioner_at(server), store))
    with serving(names_second) as again:
        record = index(video, captioner_at(again), store)
        assert set(seconds_asked(again)) == {0, 1, 2} - there
    assert record.complete


def test_a_wait_beyond_the_end_of_the_run_is_no_failure_of_the_service(
    store: CaptionStore, tmp_path: Path
) -> None:
    video = probe(draw_video(tmp_path / "short.mp4", even_times(3, 1)))
    with serving(lambda _: rate_limited(after_s=100)) as server:
        patience = Patience(max_retries=8)
        budget = Budget(Limits(max_minutes=3 / 60))
        record = index(video, captioner_at(server, patience=patience), store, budget=budget)
    assert not record.complete
    assert "stopped at the limit of minutes: seen until 0.0 s" in record.warning


@pytest.mark.slow
def test_captions_are_written_while_others_are_waited_for(
    video: Video, store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.indexing.caption_writer.BATCH_SECONDS", 0.05)
    monkeypatch.setattr("tools.llm.in_flight.TICK_S", 0.05)
    written = threading.Event()

    def all_but_one(asked: Asked) -> Answer:
        answer = names_second(asked)
        return answer.after(written) if second_of(asked) == 3 else answer

    def report(progress: Progress) -> None:
        if progress.captions == SECONDS - 1:
            written.set()

    with serving(all_but_one) as server:
        index(video, captioner_at(server), store, report=report)
    # Else the reply that waits for the report would have come only when patience ended.
    assert written.is_set()


def test_what_arrives_is_on_disk_at_once_also_while_the_writer_is_busy(
    video: Video, store: CaptionStore, tmp_path: Path
) -> None:
    journals = tmp_path / "journals"

    class Busy(WordEmbedder):
        def embed(self, texts: Any) -> Any:
            end_s = time.monotonic() + PATIENCE_S
            while len(written()) < SECONDS:
                assert time.monotonic() < end_s, f"only {len(written())} lines"
                time.sleep(0.005)
            return super().embed(texts)

    def written() -> list[bytes]:
        return [line for path in journals.glob("*") for line in path.read_bytes().splitlines()]

    with serving(names_second) as server:
        captioner = captioner_at(server)
        index(video, captioner, store, embedder=Busy(), journals=journals)
    assert stored_seconds(video, captioner, store) == list(range(SECONDS))
    # All of it is in the store now.
    assert list(journals.iterdir()) == []


def test_what_the_journal_holds_is_not_asked_for(
    video: Video, store: CaptionStore, tmp_path: Path
) -> None:
    with serving(names_second) as server:
        captioner = captioner_at(server)
        track = frame_track(captioner, 1, every_frame=True)
        journal = Journal(tmp_path, video_id=video.id, track=track)
        for second in (3, 4, SECONDS - 1):
            journal.append(Description(float(second), f"second {second}", "vision", float(second)))
        journal.append(NoCaption(7.0, "refused", 7.0))
        journal.close()
        index(video, captioner, store, journals=tmp_path)
        assert set(seconds_asked(server)) == set(range(SECONDS)) - {3, 4, 7, SECONDS - 1}
    assert stored_seconds(video, captioner, store) == [n for n in range(SECONDS) if n != 7]
    assert [gap.span for gap in store.gaps(video.id, track)] == [Interval(7, 8)]


PRICES = {"tiny": Price(100.0, 0.0, "", "")}
"""A reply of 100 tokens costs a cent."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limits", "reached"),
    first_fast((Limits(max_usd=0.095), "US dollars"), (Limits(max_captions=9), "captions")),
)
def test_at_a_limit_the_index_stops_says_so_and_goes_on_in_the_next_run(
    video: Video, store: CaptionStore, tmp_path: Path, limits: Limits, reached: str
) -> None:
    journals = tmp_path / "journals"
    with serving(names_second) as server:
        captioner = captioner_at(server, prices=PRICES)
        record = index(video, captioner, store, budget=Budget(limits), journals=journals)
        assert seconds_asked(server) == Counter(range(9))
        assert stored_seconds(video, captioner, store) == list(range(9))
        assert (record.complete, record.captions) == (False, 9)
        assert record.warning.endswith(f"stopped at the limit of {reached}: seen until 9.0 s")
        assert store.records(video.id) == [record]
        assert list(journals.iterdir()) == []
        record = index(video, captioner, store, budget=Budget(limits))
        assert seconds_asked(server) == Counter(range(18))
        record = index(video, captioner, store, budget=Budget(Limits(max_captions=12)))
    assert stored_seconds(video, captioner, store) == list(range(SECONDS))
    assert (record.complete, record.warning) == (True, "")


def test_a_limit_in_dollars_needs_a_price(video: Video, store: CaptionStore) -> None:
    with serving(names_second) as server:
        captioner = captioner_at(server)
        with pytest.raises(CaptionerError, match=r"the price of .* is not known"):
            index(video, captioner, store, budget=Budget(Limits(max_usd=1)))
        assert not server.asked
    assert store.records() == []


def test_a_refusal_is_no_caption_but_a_gap_and_is_not_paid_again(
    video: Video, store: CaptionStore
) -> None:
    def refuse_two(asked: Asked) -> Answer:
        return refuses("Not this.") if second_of(asked) in {4, 29} else names_second(asked)

    with serving(refuse_two) as server:
        captioner = captioner_at(server)
        record = index(video, captioner, store)
        index(video, captioner, store)
        assert seconds_asked(server) == Counter(range(SECONDS))
    assert set(stored_seconds(video, captioner, store)) == set(range(SECONDS)) - {4, 29}
    gaps = store.gaps(video.id, record.track)
    assert [(gap.span, gap.reason) for gap in gaps] == [
        (Interval(4, 5), "Not this."),
        (Interval(29, 30), "Not this."),
    ]
    assert record.captions == SECONDS - 2
    assert store.forget(video.id) == SECONDS - 2
    assert store.gaps(video.id, record.track) == []


@pytest.mark.slow
def test_a_grid_speaks_of_all_its_frames_and_has_a_track_of_its_own(
    video: Video, store: CaptionStore
) -> None:
    with serving([says("it grows lighter")]) as server:
        captioner = captioner_at(server, mode=LookMode("grid", 4))
        record = index(video, captioner, store)
        index(video, captioner, store)
        assert len(server.asked) == 8
        assert {len(asked.images) for asked in server.asked} == {1}
    captions, _ = store.read(video.id, record.track)
    assert [caption.span for caption in captions] == [
        Interval(start, min(start + 4, SECONDS)) for start in range(0, SECONDS, 4)
    ]
    assert record.track.mode == "grid4@1/s"
    assert (
        store.seen_starts(video.id, frame_track(captioner_at(server), 1, every_frame=True))
        == frozenset()
    )


def test_the_key_is_nowhere_in_the_store_or_the_log(
    video: Video, store: CaptionStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def tell_on_them(asked: Asked) -> Answer:
        if second_of(asked) == 7:
            return fails(
                400, f"declined for {asked.headers['authorization']}", code="content_filter"
            )
        return names_second(asked)

    with serving(tell_on_them) as server:
        record = index(video, captioner_at(server), store)
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert [gap.reason for gap in store.gaps(video.id, record.track)] == ["declined for Bearer …"]
    store.close()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    assert KEY not in caplog.text
