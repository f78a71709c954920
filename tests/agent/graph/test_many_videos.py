"""One query to many videos, from Python and from the command line."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.errors import QueryError
from agent.reasoning.text_model import LLMReasoner
from agent.watching.video_names import expand_videos
from tests.drawing import draw_video, even_times, gray
from tests.servers import Answer, Asked, fails, says, serving
from tests.tiers import first_fast
from tools.captioners.file import file_track
from tools.timeline import Interval

pytestmark = pytest.mark.usefixtures("word_embedder")


ROAD, DOG, CAT = "an empty grey road", "a brown dog jumps over a fence", "a cat sleeps on a sofa"


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Three films with captions: a dog in one, a cat in another, an empty road in a third."""
    folder = tmp_path / "films"
    folder.mkdir()
    with Grounder() as grounder:
        for place, (name, texts) in enumerate(
            {
                "dog": [ROAD] * 8 + [DOG] * 4 + [ROAD] * 8,
                "cat": [ROAD] * 4 + [CAT] * 6 + [ROAD] * 10,
                "road": [ROAD] * 20,
            }.items()
        ):
            video = draw_video(
                folder / f"{name}.mp4",
                even_times(20, 1.0),
                picture=lambda index, place=place: gray(index + place),  # type: ignore[misc]
            )
            rows = [
                {"start_s": float(at), "end_s": at + 1.0, "caption": text}
                for at, text in enumerate(texts)
            ]
            captions = tmp_path / f"{name}.jsonl"
            captions.write_text("\n".join(json.dumps(row) for row in rows))
            grounder.watch(video, captions=captions)
    return folder


def test_the_answer_names_the_video_and_the_seconds_in_it(films: Path) -> None:
    with Grounder() as grounder:
        answers = grounder.find_all("a brown dog jumps")
    first = answers[0]
    assert (first.video.path, first.verdict) == (str(films / "dog.mp4"), "found")
    assert (first.intervals[0].start_s, first.intervals[0].end_s) == (8.0, 12.0)
    surest = [answer.candidates[0].confidence for answer in answers]
    assert surest == sorted(surest, reverse=True)


@pytest.mark.slow
def test_only_the_videos_that_are_named_are_searched(films: Path) -> None:
    with Grounder() as grounder:
        answers = grounder.find_all(
            "a brown dog jumps", videos=[films / "cat.mp4", films / "road.mp4"]
        )
    assert {Path(answer.video.path).name for answer in answers} <= {"cat.mp4", "road.mp4"}


@pytest.mark.slow
def test_one_refused_prompt_leaves_the_answers_of_all_other_videos(films: Path) -> None:
    def respond(asked: Asked) -> Answer:
        if CAT in asked.text:
            return fails(400, "inappropriate content", code="data_inspection_failed")
        return says('{"steps": [], "found": false, "events": []}')

    with serving(respond) as server:
        reasoner = LLMReasoner("openai:tiny", base_url=server.url)
        with Grounder(reasoner=reasoner) as grounder:
            answers = grounder.find_all("the cat sleeps", limit=3)
    by_name = {Path(answer.video.path).name: answer for answer in answers}
    assert by_name["cat.mp4"].by == "fallback"
    assert "inappropriate content" in by_name["cat.mp4"].warning
    assert {answer.by for name, answer in by_name.items() if name != "cat.mp4"} <= {"llm"}


def test_among_several_videos_no_model_is_told_that_it_happens_in_this_one(films: Path) -> None:
    granted = "takes it for granted"
    with serving(lambda _: says('{"steps": [], "found": false}')) as server:
        reasoner = LLMReasoner("openai:tiny", base_url=server.url)
        with Grounder(reasoner=reasoner) as grounder:
            grounder.find_all("why does the brown dog jump over a fence?")
            among = list(server.asked)
            grounder.find(films / "dog.mp4", "why does the brown dog jump over a fence?")
    assert among
    assert not any(granted in str(asked.body) for asked in among)
    assert granted in str(server.asked[-1].body)


def test_what_is_not_there_is_found_in_no_video(films: Path) -> None:
    with Grounder() as grounder:
        answers = grounder.find_all("zebras paint trumpets", limit=2)
    assert len(answers) <= 2
    assert all(answer.verdict == "not_found" for answer in answers)


def test_with_nothing_indexed_there_is_nothing_to_search() -> None:
    with Grounder() as grounder, pytest.raises(QueryError, match="nothing is indexed yet"):
        grounder.find_all("a dog")


@pytest.mark.slow
def test_an_order_is_asked_of_each_video_by_itself(films: Path) -> None:
    with Grounder() as grounder:
        first = grounder.find_all("an empty road after the brown dog jumps")[0]
        never = grounder.find_all("a cat sleeps after the brown dog jumps")
    assert Path(first.video.path).name == "dog.mp4"
    (interval,) = first.intervals
    assert interval.span.iou(Interval(12.0, 20.0)) > 0.99
    assert {answer.verdict for answer in never} == {"not_found"}


@pytest.mark.slow
def test_one_file_that_cannot_be_used_stops_no_other(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "broken.mp4").write_text("no video")
    assert main(["ask", str(films), "a brown dog jumps", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["answers"][0]["video"]["path"] == str(films / "dog.mp4")
    ((one),) = told["left_out"]
    assert one["path"] == str(films / "broken.mp4")
    assert "broken.mp4" in one["reason"]
    assert main(["ask", str(films), "a brown dog jumps"]) == 0
    assert "no answer for: broken.mp4:" in capsys.readouterr().out


def test_where_no_file_can_be_used_the_first_error_is_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.mp4", "two.mp4"):
        (tmp_path / name).write_text("no video")
    assert main(["ask", str(tmp_path), "a dog"]) == 2
    assert "one.mp4" in capsys.readouterr().err


@pytest.mark.slow
def test_videos_seen_in_part_and_those_only_measured_are_left_out_by_name(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = films / "other.mp4"
    draw_video(other, even_times(30, 1.0), picture=lambda index: gray(index % 25))
    measured = films / "measured.mp4"
    draw_video(measured, even_times(20, 1.0), picture=lambda index: gray(30 + index))
    plain = ["--captioner", "classical"]
    assert main(["index", str(measured), *plain]) == 0
    assert main(["index", str(other), *plain, "--max-captions", "2"]) == 0
    capsys.readouterr()
    assert main(["ask", "--all", "zebras paint trumpets", "--json"]) == 1
    reasons = {
        Path(one["path"]).name: one["reason"]
        for one in json.loads(capsys.readouterr().out)["left_out"]
    }
    assert set(reasons) == {"other.mp4", "measured.mp4"}
    assert "only a part of it was described" in reasons["other.mp4"]
    assert "zebras" in reasons["measured.mp4"]


@pytest.mark.slow
def test_a_video_in_which_nothing_was_measured_of_it_is_told_of_too(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured = films / "measured.mp4"
    draw_video(measured, even_times(20, 1.0), picture=lambda index: gray(10 + index % 10))
    assert main(["index", str(measured), "--captioner", "classical"]) == 0
    capsys.readouterr()
    assert main(["ask", "--all", "a black screen", "--json"]) in {0, 1}
    told = json.loads(capsys.readouterr().out)
    verdicts = {Path(one["video"]["path"]).name: one["verdict"] for one in told["answers"]}
    assert verdicts["measured.mp4"] == "not_found"
    assert not told["left_out"]


@pytest.mark.slow
def test_the_command_line_asks_all_a_folder_or_several(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", "--all", "a brown dog jumps", "--json"]) == 0
    everywhere = json.loads(capsys.readouterr().out)
    assert everywhere["query"] == "a brown dog jumps"
    assert everywhere["answers"][0]["video"]["path"] == str(films / "dog.mp4")
    assert main(["ask", str(films), "a cat sleeps"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].startswith("found  “a cat sleeps”  in cat.mp4")
    several = [str(films / "cat.mp4"), str(films / "road.mp4"), "a brown dog jumps"]
    assert main(["ask", *several]) == 1


def test_folders_below_a_folder_are_asked_too_but_not_hidden_ones(tmp_path: Path) -> None:
    for name in ("b.mp4", "below/deep/a.mp4", ".cache/c.mp4", "below/notes.txt", "below/.d.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [str(tmp_path / name) for name in ("b.mp4", "below/deep/a.mp4")]
    assert expand_videos([str(tmp_path)]) == found
    assert expand_videos([found[1], str(tmp_path)]) == [found[1], found[0]]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--all", "road.mp4", "a dog"], "--all asks every indexed video; leave out road.mp4"),
        (["a dog"], "name a video before the query, or --all"),
        (["{empty}"], "say what to look for in"),
        (["{empty}", "a dog"], "there is no video in or below"),
    ],
)
def test_what_cannot_be_asked_is_said(
    words: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["ask", *[word.format(empty=empty) for word in words]]) == 2
    assert complaint in capsys.readouterr().err


def test_the_list_says_which_files_are_gone_have_moved_or_are_others_by_now(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "dog.mp4").rename(films / "hound.mp4")
    (films / "road.mp4").unlink()
    shutil.copy(films / "hound.mp4", films / "cat.mp4")
    assert main(["list", "--json"]) == 0
    states = {Path(row["path"]).name: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert states["dog.mp4"].startswith("moved to ")
    assert states["dog.mp4"].endswith(("hound.mp4", "cat.mp4"))
    assert states["road.mp4"] == "file gone"
    assert states["cat.mp4"] == "another video lies there now"


@pytest.mark.slow
def test_a_file_that_was_replaced_is_answered_for_with_a_warning_and_never_cut(
    films: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Grounder() as grounder:
        (video_id,) = {one.video_id for one in grounder.resolve(films / "dog.mp4")}
    shutil.copy(films / "road.mp4", films / "dog.mp4")
    clip = tmp_path / "clip.mp4"
    for words in ([video_id], ["--all"]):
        assert main(["ask", *words, "a brown dog jumps", "--clip", str(clip)]) == 2
        told = capsys.readouterr()
        assert "dog.mp4 is another video now" in " ".join(told.out.split())
        assert "is another video now, and not the one that was asked" in told.err
    assert not clip.exists()


@pytest.mark.slow
def test_the_list_finds_moved_files_below_and_says_what_was_seen_of_a_part(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (films / "below").mkdir()
    (films / "dog.mp4").rename(films / "below" / "hound.mp4")
    other = draw_video(films / "other.mp4", even_times(30, 1.0), picture=lambda i: gray(i % 25))
    assert main(["index", str(other), "--captioner", "classical", "--max-captions", "3"]) == 0
    capsys.readouterr()
    assert main(["list", "--json"]) == 0
    rows = {Path(row["path"]).name: row for row in json.loads(capsys.readouterr().out)}
    assert rows["dog.mp4"]["state"] == f"moved to {films / 'below' / 'hound.mp4'}"
    assert (
        rows["other.mp4"]["state"] == "in part (stopped at the limit of captions: seen until 3.0 s)"
    )
    assert rows["other.mp4"]["captions"] == 3
    shutil.copy(other, films / "dog.mp4")
    assert main(["list"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"moved to {films / 'below' / 'hound.mp4'}; another video lies there now" in told
    assert "3 captions by classical-5" in told


@pytest.mark.slow
def test_the_captions_of_an_index_that_was_broken_off_are_counted(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Grounder() as grounder:
        (done,) = grounder.resolve(films / "dog.mp4")
        grounder.store.put_record(replace(done, complete=False, captions=0))
    assert main(["list"]) == 0
    told = capsys.readouterr().out
    assert f"20 captions by {done.track.model} {done.track.mode}: in part\n" in told


@pytest.mark.slow
def test_of_a_video_with_several_tracks_the_one_that_says_most_is_asked(
    films: Path, tmp_path: Path
) -> None:
    with Grounder() as grounder:
        with Grounder(grounder.settings.model_copy(update={"captioner": "classical"})) as plain:
            plain.watch(films / "dog.mp4")
        answers = grounder.find_all("a brown dog jumps")
    assert answers[0].models.captioner == file_track(tmp_path / "dog.jsonl").model


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    first_fast(
        "why does a brown dog jump over a fence?",
        "why does the dog sleep?",
        "how does an animal rest?",
        "a brown cat jumps",
        "a dog jumps after a cat sleeps",
    ),
)
def test_what_a_video_leaves_open_when_asked_alone_is_not_denied_among_others(
    query: str, films: Path
) -> None:
    with Grounder() as grounder:
        among = {answer.video.path: answer.verdict for answer in grounder.find_all(query)}
        alone = {path: grounder.find(path, query).verdict for path in among}
    assert len(among) == 3
    for path, verdict in among.items():
        assert not (verdict == "not_found" and alone[path] == "cannot_tell")
        if query.startswith("why"):
            assert not (verdict == "not_found" and alone[path] == "found")


@pytest.mark.slow
def test_videos_that_answer_beyond_the_limit_are_named(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The road is in all three, and only one answer is wanted."""
    assert main(["ask", str(films), "an empty grey road", "--limit", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    shown = {Path(one["video"]["path"]).name for one in told["answers"]}
    left_out = {Path(one["path"]).name: one["reason"] for one in told["left_out"]}
    assert len(shown) == 1
    assert shown | set(left_out) == {"dog.mp4", "cat.mp4", "road.mp4"}
    main(["ask", str(films), "an empty grey road", "--limit", "1"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in left_out)


def test_what_is_said_of_the_stretches_is_said_of_those_that_are_shown(films: Path) -> None:
    with Grounder() as grounder:
        for answer in grounder.find_all("an empty grey road", limit=3):
            if answer.verdict == "found" and len(answer.intervals) == 1:
                assert "stretches are" not in answer.reasoning


@pytest.mark.slow
def test_all_the_times_in_each_video_are_named_on_request(films: Path) -> None:
    """The road is there before and after the dog, and asked for by words or by the option."""
    with Grounder() as grounder:
        wanted = grounder.find_all("an empty grey road", every_time=True)
        worded = grounder.find_all("every time an empty grey road is there")
        (alone,) = [
            one
            for one in grounder.find_all("whenever a cat is there")
            if Path(one.video.path).name == "cat.mp4"
        ]
    for answers in (wanted, worded):
        dog = next(one for one in answers if Path(one.video.path).name == "dog.mp4")
        assert [(one.start_s, one.end_s) for one in dog.intervals] == [(0.0, 8.0), (12.0, 20.0)]
    assert [(one.start_s, one.end_s) for one in alone.intervals] == [(4.0, 10.0)]


def test_the_option_names_all_the_times_of_one_video(
    films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", str(films / "dog.mp4"), "an empty grey road", "--every", "--json"]) == 0
    intervals = json.loads(capsys.readouterr().out)["intervals"]
    assert [one["start_s"] for one in intervals] == [0.0, 12.0]
