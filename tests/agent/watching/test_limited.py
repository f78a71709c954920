"""Limits: a run that ends early answers from what was seen, and the next one goes on."""

import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times, gray
from tests.servers import Answer, Asked, Server, says, serving
from tools.signals.screen_reader import READING

pytestmark = pytest.mark.usefixtures("word_embedder")


def a_dog_at_the_end(request: Asked) -> Answer:
    return says("a brown dog jumps" if request.images[0].mean() > 150 else "an empty road")


def ask(
    server: Server, video: Path, query: str, *more: str, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    options = ["--captioner", "openai:tiny", "--reasoner", "similarity", "--no-refine"]
    return ["ask", str(video), query, "--every-frame", "--json", *options, *more]


@pytest.mark.slow
def test_a_limit_ends_the_describing_and_not_the_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    with serving(a_dog_at_the_end) as server:
        question = ask(server, video, "a brown dog jumps", monkeypatch=monkeypatch)
        assert main([*question, "--max-captions", "4"]) == 1
        first = json.loads(capsys.readouterr().out)
        assert len(server.asked) == 4
        assert main(question) == 0
        second = json.loads(capsys.readouterr().out)
        assert len(server.asked) == 12, "nothing is paid for twice"
    assert (first["verdict"], first["usage"]["captions"]) == ("cannot_tell", 4)
    assert "Only 4 of 12 s of this video have been described" in first["advice"]
    assert first["coverage"]["gaps"][-1]["end_s"] == first["video"]["duration_s"]
    assert second["verdict"] == "found"
    assert second["intervals"][0]["end_s"] == pytest.approx(12.0, abs=0.3)


@pytest.mark.slow
def test_what_was_seen_before_the_limit_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    with serving(a_dog_at_the_end) as server:
        question = ask(server, video, "an empty road", monkeypatch=monkeypatch)
        assert main([*question, "--max-captions", "4"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (interval,) = answer["intervals"]
    assert (interval["start_s"], interval["end_s"], interval["end_by"]) == (0.0, 4.0, "unseen")
    assert "4 captions" in answer["warning"] or "seen until" in answer["warning"]


@pytest.mark.slow
def test_more_of_what_cannot_show_it_is_no_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    question = [
        "ask",
        str(video),
        "a dog",
        "--anyway",
        "--captioner",
        "classical",
        "--max-captions",
        "2",
    ]
    assert main([*question, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["coverage"]["seen_s"] < 6
    assert "(classical-5) cannot show this" in answer["advice"].replace(f"-{READING}+ocr", "")


@pytest.mark.slow
def test_an_order_of_what_was_measured_in_part_is_one_of_that_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    levels = [0] * 8 + [20] * 8 + [0] * 8 + [20] * 24
    video = draw_video(
        tmp_path / "night.mp4", even_times(48, 2.0), picture=lambda index: gray(levels[index])
    )
    question = ["ask", str(video), "the last time the screen is black", "--json"]
    describe = ["--captioner", "classical", "--max-minutes", "5", "--every-frame"]
    assert main([*question, *describe, "--max-captions", "5"]) == 0
    in_part = json.loads(capsys.readouterr().out)
    assert "first, last" in in_part["warning"]
    assert main([*question, *describe]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert (whole["warning"], whole["intervals"][0]["start_s"]) == ("", 8.0)


def test_captions_of_half_a_video_cannot_tell_what_is_not_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    captions = tmp_path / "road.jsonl"
    rows = [{"start_s": t, "end_s": t + 1, "caption": "an empty road"} for t in range(5)]
    captions.write_text("\n".join(json.dumps(row) for row in rows))
    assert main(["ask", str(video), "zebras paint", "--captions", str(captions), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["verdict"] == "cannot_tell"
    assert "speak of 5 of the video's 12 s only" in answer["advice"]


@pytest.mark.slow
def test_closer_looks_come_out_of_the_same_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 1000, "out": 2000}}')  # 12 cents a caption.
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    with serving(a_dog_at_the_end) as server:
        question = ask(server, video, "a brown dog jumps", monkeypatch=monkeypatch)
        question.remove("--no-refine")
        for limit in (["--max-captions", "13"], ["--max-usd", "0.2"], ["--max-usd", "0.01"]):
            before = len(server.asked)
            assert main([*question, *limit]) == 0
            answer = json.loads(capsys.readouterr().out)
            assert "no closer look: " in answer["warning"]
            assert answer["intervals"][0]["start_by"] == "caption"
            assert len(server.asked) - before == (13 if limit[1] == "13" else 0)
        assert main(question) == 0
        answer = json.loads(capsys.readouterr().out)
        # This server's captions are no replies about edges.
        assert "gave no usable reply" in answer["warning"]


@pytest.mark.slow
def test_the_videos_of_one_run_share_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = [
        draw_video(tmp_path / f"road{seconds}.mp4", even_times(4 * seconds, 4.0))
        for seconds in (6, 7, 8)
    ]
    names = [str(video) for video in videos]
    with serving([says("an empty road")]) as server:
        options = ask(server, videos[0], "an empty road", monkeypatch=monkeypatch)[3:]
        options.append("--no-verify")
        assert main(["ask", *names, "an empty road", *options, "--max-captions", "9"]) == 0
        assert len(server.asked) == 9
        told = capsys.readouterr()
        assert len(json.loads(told.out)["answers"]) == 2
        (left_out,) = json.loads(told.out)["left_out"]
        assert "road8.mp4 is not described: the 9 captions of this run" in left_out["reason"]
        assert main(["ask", *names, "an empty road", *options]) == 0
        assert len(server.asked) == 6 + 7 + 8, "nothing is paid for twice"


@pytest.mark.parametrize(("dollars", "asked"), [("0.05", 1), ("0.005", 0), ("1", 3)])
def test_the_text_model_is_asked_only_as_long_as_dollars_allow(
    dollars: str,
    asked: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(24, 4.0))
    captions = tmp_path / "road.jsonl"
    captions.write_text(
        "\n".join(f'{{"t": {at}, "caption": "an empty road {at}"}}' for at in range(6))
    )
    prices = tmp_path / "prices.json"
    # 8,000 tokens of a reply are 4 cents; each takes 3, as the server counts.
    prices.write_text('{"tiny": {"in": 0, "out": 5}}')
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    usage = {"prompt_tokens": 10, "completion_tokens": 6000, "total_tokens": 6010}
    with serving([says("at about four", usage=usage)]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        words = ["ask", str(video), "an empty road", "--captions", str(captions), "--json"]
        assert main([*words, "--reasoner", "openai:tiny", "--max-usd", dollars]) == 0
        assert len(server.asked) == asked
    answer = json.loads(capsys.readouterr().out)
    assert answer["by"] == "fallback"
    assert answer["attempts"] == len(answer["refusals"]) == asked
    assert ("the text model was not asked: " in answer["warning"]) is (asked < 3)


@pytest.mark.slow
def test_an_index_that_a_limit_ends_did_what_was_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = [
        str(draw_video(tmp_path / f"road{seconds}.mp4", even_times(4 * seconds, 4.0)))
        for seconds in (6, 7, 8)
    ]
    with serving([says("an empty road")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        index = ["index", *videos, "--captioner", "openai:tiny", "--every-frame"]
        assert main([*index, "--max-captions", "9"]) == 0
        told = capsys.readouterr()
        assert len(server.asked) == 9
        assert "road8.mp4 is not described: the 9 captions of this run are used" in told.err
        assert main([*index, "--max-captions", "99"]) == 0
        assert len(server.asked) == 6 + 7 + 8


def test_what_the_senses_cannot_answer_is_said_before_they_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    video = draw_video(tmp_path / "road.mp4", even_times(48, 4.0))
    assert main(["ask", str(video), "a dog", "--captioner", "classical", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["verdict"], answer["coverage"]["seen_s"]) == ("cannot_tell", 0.0)
    assert "--anyway" in answer["advice"]
