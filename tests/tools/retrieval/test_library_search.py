"""One query to many videos: the right one first, in its own time; Chroma is real."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import WordEmbedder
from tools.retrieval.library_search import LibraryAnswer, LibraryRanking, search_library
from tools.store.reading import StoreReader
from tools.store.store import CaptionStore, VideoRecord
from tools.timeline import Caption, Interval, Source, Track

TRACK = Track("scripted", "", "frame@0.5/s")
EMBEDDER = WordEmbedder()
ROOMS = ("grey corridor", "tiled kitchen", "carpeted office", "wooden attic", "stone cellar")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder=EMBEDDER.name) as opened:
        yield opened


def shelve(
    store: CaptionStore,
    video_id: str,
    texts: list[str],
    *,
    step_s: float = 2.0,
    source: Source = "vision",
    track: Track = TRACK,
) -> VideoRecord:
    """Put a video into the store; every caption holds for ``step_s``."""
    captions = [
        Caption(video_id, Interval(n * step_s, (n + 1) * step_s), text, source, track)
        for n, text in enumerate(texts)
    ]
    store.add(captions, EMBEDDER.embed(texts))
    duration_s = captions[-1].end_s
    path = f"/films/{video_id}.mp4"
    record = VideoRecord(video_id, path, duration_s, track, 0.5, True, "", "", len(texts))
    store.put_record(record)
    return record


def film(count: int, *, seed: int, event: str = "", at: int = 0, length: int = 8) -> list[str]:
    """Rooms, ten captions each and no two alike, with an event somewhere."""
    rng = np.random.default_rng(seed)
    rooms = rng.integers(0, len(ROOMS), count // 10 + 1)
    texts = [f"an empty {ROOMS[rooms[n // 10]]} with number {seed}{n}" for n in range(count)]
    if event:
        texts[at : at + length] = [f"{event} {n % 3}" for n in range(length)]
    return texts


def ask(
    query: str, records: list[VideoRecord], store: CaptionStore, *, limit: int = 10
) -> list[LibraryAnswer]:
    ranking = search_library(query, records, store=store, embedder=EMBEDDER, limit=limit)
    return list(ranking.answers)


def test_the_video_that_shows_it_comes_first_with_its_own_times(store: CaptionStore) -> None:
    records = [
        shelve(
            store,
            f"v{seed}",
            film(60, seed=seed, event="a zebra gallops" * (seed == 3), at=30),
            step_s=2.1,
        )
        for seed in range(6)
    ]
    best, *others = ask("a zebra gallops", records, store)
    assert best.record.video_id == "v3"
    assert best.ranking.verdict == "found"
    assert best.ranking.windows[0].span == Interval(30 * 2.1, 38 * 2.1)
    assert all(other.ranking.verdict == "not_found" for other in others)
    assert len(best.ranking.relevance) == len(best.captions)


@pytest.mark.slow
def test_all_videos_that_show_it_are_answers(store: CaptionStore) -> None:
    records = [
        shelve(store, f"v{seed}", film(60, seed=seed, event="a zebra gallops" * (seed % 2), at=20))
        for seed in range(4)
    ]
    found = [one for one in ask("a zebra gallops", records, store) if one.ranking.events]
    assert {one.record.video_id for one in found} == {"v1", "v3"}
    assert all(one.ranking.events[0].span.iou(Interval(40, 56)) > 0.8 for one in found)


def test_confidence_orders_windows_of_all_videos(store: CaptionStore) -> None:
    records = [
        shelve(store, "near", film(60, seed=1, event="a zebra gallops", at=20)),
        shelve(store, "far", film(60, seed=2, event="a zebra sleeps in a tree", at=20)),
    ]
    answers = ask("a zebra gallops", records, store)
    heads = [one.ranking.windows[0].confidence for one in answers]
    assert [one.record.video_id for one in answers] == ["near", "far"]
    assert heads[0] > heads[1] > 0


@pytest.mark.slow
def test_of_hours_only_what_is_around_the_hits_is_read(
    store: CaptionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = shelve(store, "hours", film(1800, seed=1, event="a zebra gallops", at=900))
    monkeypatch.delattr(StoreReader, "read")
    best, *_ = ask("a zebra gallops", [record], store)
    assert best.ranking.windows[0].span == Interval(1800, 1816)
    assert len(best.captions) < 1500
    assert len({caption.id for caption in best.captions}) == len(best.captions)


@pytest.mark.slow
def test_an_event_in_a_larger_library_is_less_certain(store: CaptionStore) -> None:
    texts = film(60, seed=1, event="a zebra and a horse", at=20, length=2)
    records = [shelve(store, "v", texts)]
    alone = ask("a zebra gallops", records, store)[0].ranking.presence
    records += [shelve(store, f"w{seed}", film(60, seed=seed)) for seed in range(10, 20)]
    among_others = ask("a zebra gallops", records, store)[0].ranking.presence
    assert alone is not None
    assert among_others is not None
    assert among_others < alone


def test_tracks_that_were_not_asked_for_are_passed_over(store: CaptionStore) -> None:
    asked = shelve(store, "v", film(60, seed=1))
    shelve(store, "v", film(60, seed=1, event="a zebra gallops", at=5), track=Track("x", "", "y"))
    shelve(store, "w", film(60, seed=2, event="a zebra gallops", at=5))
    answers = ask("a zebra gallops", [asked], store)
    assert {one.record for one in answers} == {asked}
    assert {caption.track for one in answers for caption in one.captions} == {TRACK}


def test_signals_are_asked_by_what_they_measure(store: CaptionStore) -> None:
    signals = shelve(
        store,
        "signals",
        ["the screen is black"] * 5 + ["the picture is bright"] * 20,
        source="signal",
    )
    told = shelve(store, "told", film(60, seed=1))
    answers = ask("the screen is black", [signals, told], store)
    by_id = {one.record.video_id: one.ranking for one in answers}
    assert by_id["signals"].events[0].span == Interval(0, 10)
    assert by_id["signals"].presence is None


@pytest.mark.slow
def test_tracks_known_to_be_measured_are_all_asked_and_those_that_cannot_tell_are_left_out(
    store: CaptionStore,
) -> None:
    records = [
        shelve(
            store,
            f"s{n}",
            ["the picture is bright"] * 9 + ["the screen is black"] * (n % 2),
            source="signal",
        )
        for n in range(12)
    ]

    def search(query: str) -> LibraryRanking:
        return search_library(
            query, records, store=store, embedder=EMBEDDER, is_measured=lambda _: True
        )

    black = search("the screen is black")
    assert {one.record.video_id for one in black.answers} == {f"s{n}" for n in range(1, 12, 2)}
    assert black.left_out == ()
    zebra = search("a zebra gallops")
    assert zebra.answers == ()
    assert [record for record, _ in zebra.left_out] == records
    assert "zebra" in zebra.left_out[0][1]


def test_no_more_windows_than_wanted_over_all_videos(store: CaptionStore) -> None:
    records = [
        shelve(store, f"v{seed}", film(60, seed=seed, event="a zebra gallops", at=20))
        for seed in range(4)
    ]
    answers = ask("a zebra gallops", records, store, limit=3)
    assert sum(len(one.ranking.windows) for one in answers) == 3


def test_where_nothing_is_indexed_there_is_no_answer(store: CaptionStore) -> None:
    assert ask("a zebra", [], store) == []


def test_an_empty_query_is_an_error(store: CaptionStore) -> None:
    with pytest.raises(ValueError, match="query is empty"):
        ask(" ", [], store)
