"""One query to many videos, from Python and from the command line."""

import json
import shutil
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli import main
from agent.errors import QueryError
from tests.media.drawing import draw_video, even_times, gray
from tools.captioners.file import file_track

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
            rows = [{"t": float(at), "caption": text} for at, text in enumerate(texts)]
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


def test_only_the_videos_that_are_named_are_searched(films: Path) -> None:
    with Grounder() as grounder:
        answers = grounder.find_all(
            "a brown dog jumps", videos=[films / "cat.mp4", films / "road.mp4"]
        )
    assert {Path(answer.video.path).name for answer in answers} <= {"cat.mp4", "road.mp4"}


def test_what_is_not_there_is_found_in_no_video(films: Path) -> None:
    with Grounder() as grounder:
        answers = grounder.find_all("zebras paint trumpets", limit=2)
    assert len(answers) <= 2
    assert all(answer.verdict == "not_found" for answer in answers)


def test_with_nothing_indexed_there_is_nothing_to_search() -> None:
    with Grounder() as grounder, pytest.raises(QueryError, match="nothing is indexed yet"):
        grounder.find_all("a dog")


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


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--all", "road.mp4", "a dog"], "--all asks every indexed video; leave out road.mp4"),
        (["a dog"], "name a video before the query, or --all"),
        (["{empty}", "a dog"], "there is no video in"),
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


def test_of_a_video_with_several_tracks_the_one_that_says_most_is_asked(
    films: Path, tmp_path: Path
) -> None:
    with Grounder() as grounder:
        with Grounder(grounder.settings.model_copy(update={"captioner": "classical"})) as plain:
            plain.watch(films / "dog.mp4")
        answers = grounder.find_all("a brown dog jumps")
    assert answers[0].models.captioner == file_track(tmp_path / "dog.jsonl").model
