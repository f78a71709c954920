"""A question about things, asked of a drawn video without any captions that name them."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times
from tests.tiny_joint import NOTHING, Thing, draw

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("word_embedder")]

SHOWN = [NOTHING, Thing("red", "circle", "left"), NOTHING, Thing("blue", "cross", "top"), NOTHING]
OTHER = [Thing("green", "ring", "right"), NOTHING, Thing("white", "square", "bottom"), NOTHING]


def drawn(path: Path, shown: list[Thing]) -> str:
    pictures = [draw(thing) for thing in shown]
    times_s = even_times(len(shown) * 24, 4.0)
    return str(draw_video(path, times_s, picture=lambda at: pictures[at // 24]))


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    main(["ask", *words, "--json"])
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return answer


def test_a_thing_is_found_by_its_looks_and_one_that_is_not_there_is_not(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = drawn(tmp_path / "drawn.mp4", SHOWN)
    main(["index", drawn(tmp_path / "other.mp4", OTHER), "--sight", str(tiny_joint)])
    capsys.readouterr()
    found = ask(capsys, video, "a blue cross on the top", "--sight", str(tiny_joint))
    assert found["verdict"] == "found"
    (interval, *_) = found["intervals"]  # type: ignore[misc]  # a list in the schema
    assert interval["start_s"] == pytest.approx(18.0, abs=1.1)  # type: ignore[has-type]
    assert interval["end_s"] == pytest.approx(24.0, abs=1.1)  # type: ignore[has-type]
    assert str(found["models"]["sight"]).startswith("sight:tiny@")  # type: ignore[index]

    without = ask(capsys, video, "a blue cross on the top", "--sight", "off")
    assert without["models"]["sight"] == ""  # type: ignore[index]


def test_captions_that_point_elsewhere_are_told_with_frames_that_do_not_agree(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video, captions = drawn(tmp_path / "drawn.mp4", SHOWN), tmp_path / "captions.jsonl"
    for from_s, agrees in ((18.0, True), (2.0, False)):
        shows = dict.fromkeys(range(int(from_s), int(from_s) + 6), "a blue cross on the top")
        lines = ({"t": float(at), "caption": shows.get(at, "an empty wall")} for at in range(30))
        captions.write_text("\n".join(map(json.dumps, lines)))
        words = (video, "a blue cross on the top", "--captions", str(captions))
        told = ask(capsys, *words, "--sight", str(tiny_joint))
        by_kind = {one["kind"]: one for one in told["sources"]}  # type: ignore[attr-defined]
        assert by_kind["seen"]["best"] == [18.0, 24.0]
        assert by_kind["described"]["best"] == [from_s, from_s + 6]
        # The surer one comes first, whichever it is, and the other one is measured by it.
        assert any(one["answers"] for one in by_kind.values())
        assert all(one["agrees"] for one in by_kind.values()) is agrees


def test_a_script_that_the_model_never_learned_is_not_guessed_at(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = drawn(tmp_path / "drawn.mp4", SHOWN)
    told = ask(capsys, video, "青い十字", "--sight", str(tiny_joint), "--captioner", "none")
    assert told["verdict"] == "cannot_tell"
    assert "learned words in Latin script alone, and these are CJK" in str(told["reasoning"])


def test_the_right_one_of_several_videos_comes_first(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, shown in (("one", SHOWN), ("two", OTHER)):
        main(["index", drawn(tmp_path / f"{name}.mp4", shown), "--sight", str(tiny_joint)])
    capsys.readouterr()
    told = ask(capsys, "--all", "a green ring on the right", "--sight", str(tiny_joint))
    (best, *_) = told["answers"]  # type: ignore[misc]  # a list in the schema
    assert best["video"]["path"].endswith("two.mp4")  # type: ignore[has-type]
    assert best["verdict"] == "found"  # type: ignore[has-type]


def test_frames_that_leave_it_open_are_told_as_frames_and_by_their_name(
    tiny_joint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    # Nothing is surely there, and nothing surely not.
    monkeypatch.setattr("tools.grounding.grounder.FOUND_PRESENCE", 2.0)
    monkeypatch.setattr("tools.grounding.grounder.OPEN_PRESENCE", -1.0)
    video = drawn(tmp_path / "drawn.mp4", SHOWN)
    assert main(["ask", video, "a blue cross on the top", "--sight", str(tiny_joint)]) == 1
    told = capsys.readouterr()
    assert "Frames are too much like what is asked for to rule it out" in told.out
    assert "answered by: frames (sight:tiny@" in told.out
    assert "reads the captions" not in told.out
    assert "whenabouts setup" in told.out


@pytest.mark.parametrize(
    "damaged", ["onnx/vision_model.onnx", "onnx/text_model.onnx", "preprocessor_config.json"]
)
def test_a_damaged_model_that_nobody_asked_for_takes_no_answer_away(
    damaged: str,
    tiny_joint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_joint, folder)
    (folder / damaged).write_bytes(b"half")
    monkeypatch.setattr("agent.watching.sight.sights_on_disk", lambda: [str(folder)])
    video = drawn(tmp_path / "drawn.mp4", SHOWN)
    for _ in range(2):
        assert main(["ask", video, "when does something red appear?", "--json"]) == 0
        told = capsys.readouterr()
        answer = json.loads(told.out)
        assert answer["verdict"] == "found"
        assert "frames are not searched: " in told.err
    assert main(["ask", "--all", "when does something red appear?"]) == 0
    capsys.readouterr()
    # What was asked for is not left out.
    assert main(["ask", video, "a blue cross", "--sight", str(folder)]) == 2
    assert "fetch" in capsys.readouterr().err


def test_a_folder_that_holds_no_model_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = drawn(tmp_path / "drawn.mp4", SHOWN)
    assert main(["ask", video, "a cross", "--sight", str(tmp_path)]) == 2
    assert "holds no joint image-text model in ONNX" in capsys.readouterr().err


def test_of_many_videos_those_that_the_model_has_not_seen_are_told_as_that(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen, unseen = (drawn(tmp_path / f"{name}.mp4", SHOWN) for name in ("seen", "unseen"))
    with open(unseen, "ab") as opened:  # noqa: PTH123  # Another video, of the same pictures.
        opened.write(b"free")
    main(["index", seen, "--sight", str(tiny_joint)])
    main(["index", unseen, "--sight", "off"])
    capsys.readouterr()
    told = ask(capsys, "--all", "a blue cross on the top", "--sight", str(tiny_joint))
    (answer,) = told["answers"]  # type: ignore[misc]  # a list in the schema
    assert answer["video"]["path"] == seen  # type: ignore[has-type]
    (left,) = told["left_out"]  # type: ignore[misc]
    assert left["path"] == unseen  # type: ignore[has-type]
    assert "Its frames were not looked at by sight:tiny@" in left["reason"]  # type: ignore[has-type]


def test_a_model_that_is_asked_for_and_not_there_is_one_line_for_many_videos_too(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["index", drawn(tmp_path / "drawn.mp4", SHOWN), "--sight", str(tiny_joint)])
    capsys.readouterr()
    assert main(["ask", "--all", "a blue cross", "--sight", str(tmp_path / "gone")]) == 2
    told = capsys.readouterr()
    assert f"there is no folder {tmp_path / 'gone'}" in told.err
    assert told.out == ""


def test_halves_of_two_models_are_told_as_that_for_many_videos_too(
    tiny_joint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_joint, folder)
    cut_words_short(folder / "onnx/text_model.onnx")
    main(["index", drawn(tmp_path / "drawn.mp4", SHOWN), "--sight", str(folder)])
    capsys.readouterr()
    assert main(["ask", "--all", "a blue cross", "--sight", str(folder)]) == 2
    assert "its halves are not of one model" in capsys.readouterr().err


def cut_words_short(file: Path) -> None:
    """Have a half for words give five numbers."""
    import onnx

    model = onnx.load(file)
    (output,) = model.graph.output
    five = onnx.numpy_helper.from_array(np.arange(5), "five")
    model.graph.initializer.append(five)
    model.graph.node.append(
        onnx.helper.make_node("Gather", [output.name, "five"], ["fewer"], axis=1)
    )
    model.graph.output.remove(output)
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("fewer", onnx.TensorProto.FLOAT, ["n", 5])
    )
    onnx.save(model, file)
