"""Answers as pictures: what is drawn where, and what is refused."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from agent.api import Grounder, load_settings
from agent.cli.main import main
from agent.errors import QueryError, VideoError
from agent.grounding import Grounding
from agent.plotting import answer_plot
from agent.plotting.answer_plot import COLOURS, describe, plot_answer
from agent.plotting.picture import Picture
from agent.plotting.relevance import NO_CURVE, curve_of, relevance_curve
from tests.drawing import draw_video
from tests.fakes import WordEmbedder
from tests.road import GOOD_REPLY, QUESTION, RECORD, ScriptedReasoner, ask, graph_with
from tools.store.store import CaptionStore
from tools.timeline import Interval
from tools.video.reader import probe

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture
def answer(store: CaptionStore) -> Grounding:
    """A dog from 8 s to 14 s in a video of 24 s."""
    return ask(graph_with(store, ScriptedReasoner(GOOD_REPLY)), QUESTION)


@pytest.fixture
def red_then_blue(tmp_path: Path) -> Path:
    return draw_video(
        tmp_path / "colours.mp4",
        times_s=[index / 2 for index in range(48)],
        picture=lambda index: np.full((48, 64, 3), RED if index < 24 else BLUE, np.uint8),
    )


def pixels(picture: Picture) -> NDArray[np.int16]:
    decoded = cv2.imdecode(np.frombuffer(picture.png, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return decoded[:, :, ::-1].astype(np.int16)


def columns_of(image: NDArray[np.int16], colour: str) -> NDArray[np.intp]:
    """Where, from left to right, a colour stands."""
    wanted = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])
    return np.flatnonzero((np.abs(image - wanted).max(axis=2) < 6).any(axis=0))


def strip_of(image: NDArray[np.int16]) -> NDArray[np.int16]:
    top = round(answer_plot.HEAD_IN * answer_plot.DPI)
    return image[top + 20 : top + round(answer_plot.STRIP_IN * answer_plot.DPI) - 20]


def column_of(image: NDArray[np.int16], share: float) -> int:
    side = answer_plot.SIDE_IN / answer_plot.WIDTH_IN
    return int(image.shape[1] * (side + share * (1 - 2 * side)))


@pytest.mark.slow
def test_the_frames_stand_at_their_times_and_the_interval_is_marked_over_them(
    answer: Grounding, red_then_blue: Path
) -> None:
    strip = strip_of(pixels(plot_answer(answer, NO_CURVE, probe(red_then_blue))))
    first, second = strip[20, column_of(strip, 0.40)], strip[20, column_of(strip, 0.55)]
    assert first[0] - first[2] > 100
    assert second[2] - second[0] > 100
    marked = columns_of(strip, COLOURS["found"])
    assert abs(marked.min() - column_of(strip, 8 / 24)) < 5
    assert abs(marked.max() - column_of(strip, 14 / 24)) < 5


@pytest.mark.slow
def test_what_is_not_the_answer_is_paler(answer: Grounding, red_then_blue: Path) -> None:
    strip = strip_of(pixels(plot_answer(answer, NO_CURVE, probe(red_then_blue))))
    inside, outside = strip[20, column_of(strip, 0.4)], strip[20, column_of(strip, 0.2)]
    assert outside.sum() > inside.sum() + 100


@pytest.mark.slow
def test_an_answer_without_an_interval_or_a_file_is_drawn_too(answer: Grounding) -> None:
    gone = answer.model_copy(
        update={"verdict": "not_found", "intervals": (), "query": "$x_{1}$ 猫\n\x1b[31m"}
    )
    image = pixels(plot_answer(gone, NO_CURVE, None))
    whole = pixels(plot_answer(answer, NO_CURVE, None))
    assert image.shape[0] < whole.shape[0]


@pytest.mark.slow
def test_equal_answers_give_equal_bytes(answer: Grounding) -> None:
    assert plot_answer(answer, NO_CURVE, None).png == plot_answer(answer, NO_CURVE, None).png


def test_the_curve_is_high_where_the_answer_is(answer: Grounding, store: CaptionStore) -> None:
    store.put_record(RECORD)
    curve = relevance_curve(answer, store, WordEmbedder())
    assert len(curve.spans) == 12
    best = curve.spans[int(np.argmax(curve.values))]
    assert answer.intervals[0].start_s <= best.start_s < answer.intervals[0].end_s


def test_there_is_no_curve_of_captions_that_were_forgotten(
    answer: Grounding, store: CaptionStore
) -> None:
    store.put_record(RECORD)
    store.forget(answer.video.id)
    assert relevance_curve(answer, store, WordEmbedder()) == NO_CURVE


def test_of_captions_of_one_moment_the_best_stands_in_the_curve() -> None:
    curve = curve_of([Interval(0, 2), Interval(0, 2), Interval(2, 4)], [0.1, 0.7, 0.2])
    assert curve.values == (0.7, 0.2)


def test_a_picture_says_in_words_what_it_shows(answer: Grounding) -> None:
    assert describe(answer) == "“a dog jumps”: found, 0:08.0–0:14.0"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("out.gif", "ends in .png"),
        ("no/out.png", "no directory"),
        ("folder.png", "a directory"),
        ("there.png", "is there already"),
    ],
)
def test_a_place_where_no_picture_can_go_is_refused_before_anything_is_done(
    name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "there.png").write_bytes(b"mine")
    # There is no such video: nothing was looked at.
    assert main(["ask", "none.mp4", "a dog", "--plot", str(tmp_path / name)]) == 2
    assert why in capsys.readouterr().err
    assert (tmp_path / "there.png").read_bytes() == b"mine"


def test_an_existing_picture_is_replaced_only_if_that_is_asked_for(tmp_path: Path) -> None:
    out, picture = tmp_path / "out.png", Picture(b"new", "")
    out.write_bytes(b"old")
    with pytest.raises(VideoError, match="already"):
        picture.save(out)
    assert out.read_bytes() == b"old"
    picture.save(out, overwrite=True)
    assert out.read_bytes() == b"new"
    assert list(tmp_path.glob("*.png")) == [out]


def test_without_matplotlib_the_message_says_what_to_install(
    answer: Grounding, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    blocked: dict[str, Any] = {"matplotlib": None, "matplotlib.figure": None}
    for name, module in blocked.items():
        monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(QueryError, match=r"whenabouts\[plot\]"):
        plot_answer(answer, NO_CURVE, None)


@pytest.mark.slow
@pytest.mark.usefixtures("word_embedder")
def test_ask_writes_the_picture_and_leaves_stdout_to_the_answer(
    red_then_blue: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captions = tmp_path / "captions.jsonl"
    captions.write_text(
        '{"t": 0, "caption": "a red wall"}\n{"t": 12, "caption": "a blue wall"}\n', encoding="utf-8"
    )
    out = tmp_path / "out.png"
    command = ["ask", str(red_then_blue), "a blue wall", "--captions", str(captions), "--json"]
    main([*command, "--plot", str(out)])
    printed = capsys.readouterr()
    assert Grounding.model_validate_json(printed.out).query == "a blue wall"
    assert f"written to {out}" in printed.err
    assert pixels(Picture(out.read_bytes(), "")).shape[1] == 1200


@pytest.mark.slow
@pytest.mark.usefixtures("word_embedder")
def test_no_frames_are_drawn_of_another_video_under_the_same_name(
    red_then_blue: Path, tmp_path: Path
) -> None:
    from agent.errors import VideoError

    captions = tmp_path / "captions.jsonl"
    captions.write_text('{"t": 0, "caption": "a wall"}\n', encoding="utf-8")
    with Grounder() as grounder:
        answer = grounder.find(red_then_blue, "a wall", captions=captions)
        draw_video(red_then_blue, times_s=[0, 1, 2])
        with pytest.raises(VideoError, match="another video now"):
            grounder.plot(answer)
        red_then_blue.unlink()
        assert grounder.plot(answer).png.startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_curve_is_of_the_evidence_that_decided(tmp_path: Path) -> None:
    video = draw_video(
        tmp_path / "dark.mp4",
        times_s=[index / 4 for index in range(48)],
        picture=lambda index: np.full((48, 64, 3), 0 if 16 <= index < 32 else 120, np.uint8),
    )
    told = tmp_path / "dark.jsonl"
    told.write_text("".join(f'{{"t": {at}, "caption": "a room"}}\n' for at in range(12)))
    with Grounder(load_settings(store=tmp_path / "store")) as grounder:
        answer = grounder.find(video, "the screen is black", captions=told)
        curve = relevance_curve(answer, grounder.store, grounder.embedder)
    assert [source.kind for source in answer.sources if source.answers] == ["measured"]
    assert curve.of == "measured"
    best = curve.spans[int(np.argmax(curve.values))]
    assert answer.intervals[0].span.overlap_s(best) > 0
