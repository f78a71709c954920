"""What ``Grounder`` promises: which captions answer, and where a video is found again."""

import json
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.api import Event, Grounder, Settings
from agent.errors import QueryError, VideoError
from agent.graph.cancelling import THREAD, Background
from agent.graph.thread_files import threads_about
from agent.grounding import Grounding
from tests.drawing import draw_video, even_times, gray
from tests.fakes import BrightnessCaptioner, WordEmbedder
from tools.captioners.file import file_track
from tools.indexing import caption_writer
from tools.indexing.indexer import Progress
from tools.store.store import CaptionStore, VideoRecord

MADE = ("store", "embedder", "captioner", "reasoner", "choice")


@pytest.fixture(autouse=True)
def opened_embedders(monkeypatch: pytest.MonkeyPatch) -> list[WordEmbedder]:
    embedders: list[WordEmbedder] = []

    def open_one(*_: Any, **__: Any) -> WordEmbedder:
        embedders.append(WordEmbedder())
        return embedders[-1]

    monkeypatch.setattr("agent.watching.opened.open_embedder", open_one)
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")
    return embedders


@pytest.fixture
def road(tmp_path: Path) -> Path:
    return draw_video(tmp_path / "road.mp4", even_times(48, 8.0))


@pytest.fixture
def river(tmp_path: Path) -> Path:
    return draw_video(
        tmp_path / "river.mp4", even_times(24, 8.0), picture=lambda index: gray(50 - index)
    )


@pytest.fixture
def captioner() -> BrightnessCaptioner:
    return BrightnessCaptioner()


@pytest.fixture
def grounder(captioner: BrightnessCaptioner) -> Iterator[Grounder]:
    with Grounder(captioner=captioner) as opened:
        yield opened


@pytest.fixture
def auto() -> Iterator[Grounder]:
    """Without a captioner of the test's own: signals, or the captions of files."""
    with Grounder() as opened:
        yield opened


def write_captions(path: Path, *texts: str) -> Path:
    rows = [{"t": float(second), "caption": text} for second, text in enumerate(texts)]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def interrupt_after(captions: int) -> Callable[[int], None]:
    def interrupt(said: int) -> None:
        if said == captions:
            raise KeyboardInterrupt

    return interrupt


# --- opening and closing


def test_nothing_is_opened_or_loaded_before_it_is_needed(
    tmp_path: Path, opened_embedders: list[WordEmbedder]
) -> None:
    with Grounder() as grounder:
        assert not set(MADE) & set(vars(grounder._assembly.opened))
        assert not {"graph", "dependencies"} & set(vars(grounder._assembly))
    assert not (tmp_path / "home").exists()
    assert opened_embedders == []


def test_leaving_the_context_lets_go_of_the_store_and_a_later_question_opens_it(
    road: Path, grounder: Grounder
) -> None:
    with grounder:
        first, over_the_first = grounder.store, grounder.graph
        grounder.watch(road)
    assert "store" not in vars(grounder._assembly.opened)
    grounder.close()
    assert grounder.find(road, "brightness 0").video.path == str(road)
    assert grounder.store is not first
    assert grounder.graph is not over_the_first


@pytest.mark.parametrize("query", ["", " \n"])
def test_an_empty_query_is_refused_before_anything_is_opened(
    query: str, grounder: Grounder, road: Path
) -> None:
    with pytest.raises(QueryError, match="the query is empty"):
        grounder.find(road, query)
    assert "store" not in vars(grounder._assembly.opened)


def test_a_query_that_is_no_text_is_refused_and_shown_readably(
    grounder: Grounder, road: Path
) -> None:
    with pytest.raises(QueryError, match=r"the query 'a \\udcff' is not UTF-8 text"):
        grounder.find(road, "a \udcff")


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems know no such names")
def test_a_file_whose_name_is_no_text_is_refused(grounder: Grounder, road: Path) -> None:
    odd = road.rename(road.with_name("r\udcff.mp4"))
    with pytest.raises(VideoError, match=r"r\\udcff\.mp4' is not UTF-8; rename the file"):
        grounder.find(odd, "brightness 0")


# --- watching


def test_find_captions_what_is_missing_tells_of_it_and_counts_it(
    road: Path, grounder: Grounder
) -> None:
    events: list[Event] = []
    first = grounder.find(road, "brightness 40", on_event=events.append)
    told = [event for event in events if isinstance(event, Progress)]
    assert events == told
    assert (told[0].path, told[0].captions) == (str(road), 0)
    assert told[-1].captions == first.usage.captions == 6
    events.clear()
    second = grounder.find(road, "brightness 40", on_event=events.append)
    assert (events, second.usage.captions) == ([], 0)
    assert second.intervals == first.intervals
    assert set(second.usage.seconds) >= {"watch", "retrieve", "reason"}


@pytest.mark.slow
def test_a_resumed_index_counts_the_captions_of_this_time(road: Path) -> None:
    halves = BrightnessCaptioner(
        sources=("vision", "screen"), before_saying=interrupt_after(captions=6)
    )
    with Grounder(captioner=halves) as grounder, pytest.raises(KeyboardInterrupt):
        grounder.watch(road)
    whole = BrightnessCaptioner(sources=("vision", "screen"))
    with Grounder(captioner=whole) as grounder:
        assert grounder.find(road, "brightness 0").usage.captions == 6
        (record,) = grounder.records()
    assert record.captions == 12


def test_an_interruption_ends_the_describing_and_what_was_described_is_stored_before_it_is_raised(
    road: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_writer, "BATCH_SECONDS", 0.0)
    begun, left, leave = threading.Event(), threading.Event(), Background.leave

    def note_leaving(work: Background[Any, Any]) -> None:
        leave(work)
        left.set()

    def wait(said: int) -> None:
        if said == 3:
            begun.set()
            left.wait(60)

    def interrupt(event: Event) -> None:
        assert isinstance(event, Progress)
        begun.wait(60)
        raise KeyboardInterrupt

    monkeypatch.setattr(Background, "leave", note_leaving)
    captioner = BrightnessCaptioner(before_saying=wait)
    with Grounder(captioner=captioner) as grounder:
        with pytest.raises(KeyboardInterrupt):
            grounder.find(road, "brightness 0", on_event=interrupt)
        assert THREAD not in {thread.name for thread in threading.enumerate()}
        (record,) = grounder.records()
        assert not record.complete
        stored = grounder.store.count(record.video_id, record.track)
    assert 3 <= stored == len(captioner.described_s) < 6


# --- which captions answer


def test_captions_of_a_file_answer_afterwards_without_the_file(road: Path, auto: Grounder) -> None:
    path = write_captions(road.with_suffix(".jsonl"), "a road", "a dog", "a road")
    assert auto.watch(road).track.model == "classical-5"
    given = auto.find(road, "a dog", captions=path)
    path.unlink()
    later = auto.find(road, "a dog")
    assert later.models.captioner == given.models.captioner
    assert later.intervals == given.intervals


@pytest.mark.slow
def test_a_changed_file_is_a_new_track_and_the_newest_complete_one_answers(
    road: Path, auto: Grounder, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = iter(range(1, 9))
    put = auto.store.put_record

    def put_on_its_own_day(record: VideoRecord) -> None:
        stamp = f"2026-01-0{next(days)}T00:00:00+00:00"
        put(replace(record, indexed_at=stamp))

    monkeypatch.setattr(auto.store, "put_record", put_on_its_own_day)
    path = road.with_suffix(".jsonl")
    first = auto.watch(road, captions=write_captions(path, "a road", "a dog"))
    second = auto.watch(road, captions=write_captions(path, "a road", "a cat"))
    assert first.track != second.track
    assert auto.watch(road).track == second.track

    # A third one that was interrupted does not answer.
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    write_captions(path, "a road", "a bird")
    with monkeypatch.context() as broken:
        broken.setattr(auto.store, "add", interrupt)
        with pytest.raises(KeyboardInterrupt):
            auto.watch(road, captions=path)
    assert len(auto.records()) == 3
    assert auto.watch(road).track == second.track
    assert auto.watch(road, captions=path).track == file_track(path)


@pytest.mark.slow
def test_a_captioner_that_was_asked_for_is_used_though_a_file_is_there(road: Path) -> None:
    path = write_captions(road.with_suffix(".jsonl"), "a road", "a dog")
    with Grounder() as auto:
        auto.watch(road, captions=path)
    with Grounder(Settings(captioner="classical")) as classical:
        assert classical.watch(road).track.model == "classical-5"
    with Grounder(captioner=BrightnessCaptioner()) as given:
        assert given.watch(road).track.model == "brightness"


# --- where a video is found again


def test_a_moved_video_is_found_by_content_and_all_its_records_follow(
    road: Path, grounder: Grounder, captioner: BrightnessCaptioner
) -> None:
    grounder.watch(road, captions=write_captions(road.with_suffix(".jsonl"), "a road"))
    grounder.watch(road)
    moved = road.rename(road.with_name("moved.mp4"))
    assert grounder.find(moved, "brightness 0").video.path == str(moved)
    assert len(captioner.described_s) == 6
    assert {record.path for record in grounder.records()} == {str(moved)}


def test_a_path_is_the_same_however_it_is_written(
    road: Path, grounder: Grounder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = road.parent / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    grounder.watch("../road.mp4")
    assert [record.path for record in grounder.records()] == [str(road)]
    road.unlink()
    assert grounder.find("../road.mp4", "brightness 0").video.path == str(road)


@pytest.mark.slow
def test_a_deleted_video_answers_by_its_id_the_start_of_it_and_its_former_path(
    road: Path, grounder: Grounder
) -> None:
    record = grounder.watch(road)
    before = grounder.find(road, "brightness 80")
    road.unlink()
    for name in (record.video_id, record.video_id[:6], road, str(road)):
        assert grounder.find(name, "brightness 80").intervals == before.intervals
        assert grounder.resolve(name) == [record]
    with pytest.raises(VideoError, match=f"there is no file {record.video_id[:5]}"):
        grounder.find(record.video_id[:5], "brightness 80")


def test_the_start_of_two_ids_names_neither_and_shows_both(road: Path, grounder: Grounder) -> None:
    record = grounder.watch(road)
    twin = record.video_id[:-1] + ("0" if record.video_id[-1] != "0" else "1")
    grounder.store.put_record(replace(record, video_id=twin, path="/elsewhere.mp4"))
    with pytest.raises(VideoError, match="may be any of 2 indexed videos") as error:
        grounder.find(record.video_id[:10], "brightness 0")
    assert record.video_id in str(error.value)
    assert twin in str(error.value)
    assert grounder.resolve(record.video_id) == [record]


@pytest.mark.parametrize("name", ["missing.mp4", "abcdef", "x" * 5000])
def test_an_unknown_name_is_a_video_error(name: str, grounder: Grounder) -> None:
    with pytest.raises(VideoError, match=r"there is no file|File name too long"):
        grounder.find(name, "brightness 0")
    with pytest.raises(VideoError):
        grounder.resolve(name)
    with pytest.raises(VideoError):
        grounder.forget(name)


def test_a_video_named_by_its_id_is_captioned_from_where_it_lies(
    road: Path, grounder: Grounder
) -> None:
    record = grounder.watch(road)
    with Grounder(Settings(rate_hz=2.0), captioner=BrightnessCaptioner()) as twice:
        assert twice.watch(record.video_id[:8]).captions == 12


def test_an_incomplete_index_of_a_video_that_is_gone_says_so(road: Path) -> None:
    stopped = BrightnessCaptioner(before_saying=interrupt_after(captions=3))
    with Grounder(captioner=stopped) as grounder, pytest.raises(KeyboardInterrupt):
        grounder.watch(road)
    road.unlink()
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        (record,) = grounder.records()
        with pytest.raises(VideoError, match=r"only in part, and its file is gone .*road\.mp4"):
            grounder.find(record.video_id, "brightness 0")


@pytest.mark.slow
@pytest.mark.parametrize("replaced", [False, True])
def test_captions_of_another_kind_for_a_video_that_is_gone_name_those_there_are(
    replaced: bool, road: Path, river: Path, grounder: Grounder
) -> None:
    record = grounder.watch(road)
    road.unlink()
    if replaced:
        shutil.copy(river, road)
    with (
        Grounder(captioner=BrightnessCaptioner(model="other")) as other,
        pytest.raises(VideoError, match=r"only by brightness \(frame@1/s\), and its file is gone"),
    ):
        other.find(record.video_id, "brightness 0")


def test_forgetting_deletes_the_captions_of_that_video_alone(
    road: Path, river: Path, grounder: Grounder
) -> None:
    kept = grounder.watch(river)
    grounder.watch(road)
    assert grounder.forget(road) == 6
    assert grounder.records() == [kept]
    assert grounder.resolve(road) == []
    assert grounder.forget(road) == 0
    assert road.exists()


def test_what_is_forgotten_while_it_is_asked_is_not_kept_in_a_thread(
    road: Path, grounder: Grounder
) -> None:
    record = grounder.watch(road)
    forgotten: list[int] = []

    def forget(step: str) -> None:
        if step == "answer":
            forgotten.append(grounder.forget(road))

    grounder.find(record.video_id, "brightness 0", thread="bright", on_step=forget)
    assert forgotten == [6]
    assert threads_about(grounder.settings.threads_file, {record.video_id}) == []


def test_numbers_are_printed_without_what_computing_leaves(road: Path) -> None:
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        answer = grounder.find(road, "brightness 120")
    noisy = answer.video.model_copy(update={"duration_s": 4.559999999999999})
    printed = answer.model_copy(update={"video": noisy}).to_json()
    assert json.loads(printed)["video"]["duration_s"] == 4.56
    assert Grounding.model_validate_json(answer.to_json()).video == answer.video


# --- many at once


@pytest.mark.slow
def test_many_threads_asking_at_once_get_the_answers_of_one_by_one(
    road: Path, opened_embedders: list[WordEmbedder], monkeypatch: pytest.MonkeyPatch
) -> None:
    queries = [f"brightness {level}" for level in range(0, 240, 30)]
    with Grounder(captioner=BrightnessCaptioner()) as grounder:
        alone = [grounder.find(road, query) for query in queries]
    opened_embedders.clear()
    opened_stores: list[object] = []
    open_store = CaptionStore.open

    def count_stores(*args: Any, **options: Any) -> Any:
        opened_stores.append(open_store(*args, **options))
        return opened_stores[-1]

    monkeypatch.setattr(CaptionStore, "open", count_stores)
    together = threading.Barrier(len(queries))
    with Grounder(captioner=BrightnessCaptioner()) as grounder:

        def ask(query: str) -> Any:
            together.wait()
            return grounder.find(road, query)

        with ThreadPoolExecutor(len(queries)) as threads:
            answers = list(threads.map(ask, queries))
    apart = {"usage"}
    assert [one.model_dump(exclude=apart) for one in answers] == [
        one.model_dump(exclude=apart) for one in alone
    ]
    assert (len(opened_stores), len(opened_embedders)) == (1, 1)


# --- files that are not what they say


@pytest.mark.slow
@pytest.mark.data
def test_the_answer_carries_what_is_wrong_with_the_file(
    grounder: Grounder, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caption_writer, "BATCH_SECONDS", 0.0)
    truncated = shared_data / "odd_videos" / "made_truncated_1500kB.mp4"
    answer = grounder.find(truncated, "brightness 100")
    assert "the file ends early: its header says 139.4 s, 62.9 s decode" in answer.warning
    assert answer.video.duration_s == pytest.approx(62.9)
    assert answer.coverage.gaps == ()
