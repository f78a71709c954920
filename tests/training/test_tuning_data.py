"""Data from a teacher: what is asked, what is kept, and what is refused."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.cli.main import main
from evaluation.datasets.query import Query
from tests.servers import Answer, Asked, fails, refuses, says, serving
from tests.training.lessons import INSIDE, OUTSIDE, lesson, tune
from training.contact_sheet import particular
from training.conversations import IMAGES, TuningError, TuningRow, read_data
from training.drawn_world import make_events
from training.exclusions import name_digest, read_lists, refuse_excluded, write_list
from training.samples import choose_samples, is_held_out
from training.teacher import NOT_SHOWN

WHOLE = json.dumps(
    {
        "images": ["images/x.jpg"],
        "prompt": [{"content": "a"}],
        "completion": [{"content": "b"}],
        "video": "v",
        "time_s": 0,
        "kind": "question",
        "inside": True,
    }
)


def test_the_teacher_is_shown_frames_inside_and_outside_of_events(
    videos: Path, tmp_path: Path, served: Any
) -> None:
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big") == 0
        texts = [asked.text for asked in server.asked]
        assert sum(INSIDE in text for text in texts) == 6
        assert sum(OUTSIDE in text for text in texts) == 3
        assert all(len(asked.jpegs) == 1 for asked in server.asked)
    data = read_data(tmp_path / "data")
    # A description and a question for each sample; one video is held out.
    assert (len(data.train), len(data.held_out)) == (12, 6)
    assert not {one.video_id for one in data.train} & {one.video_id for one in data.held_out}
    for row in data.train:
        assert row.completion.startswith(NOT_SHOWN) == (
            row.kind == "description" and not row.inside
        )
    assert data.manifest["teacher"] == "openai:big"


@pytest.mark.slow
def test_asked_again_it_pays_for_nothing_twice(videos: Path, tmp_path: Path, served: Any) -> None:
    out = tmp_path / "data"
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, "--teacher", "openai:big") == 0
        asked = len(server.asked)
        replies = out / "replies.jsonl"
        lines = replies.read_bytes().splitlines(keepends=True)
        # As a killed process leaves it: the last line unfinished.
        replies.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
        assert tune(videos, out, "--teacher", "openai:big") == 0
        assert len(server.asked) == asked + 1
        assert tune(videos, out, "--teacher", "openai:big") == 0
        assert len(server.asked) == asked + 1


@pytest.mark.slow
def test_a_lesson_that_contradicts_itself_is_refused_with_the_reason(
    videos: Path, tmp_path: Path, served: Any
) -> None:
    def contrary(asked: Asked) -> Answer:
        if "was not accepted" in asked.text:
            return lesson(asked)
        return says('{"visible": true, "description": "Not shown. A wall.", "questions": []}')

    with serving(contrary) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big") == 0
        refusals = [one.text for one in server.asked if "was not accepted" in one.text]
        assert refusals
        assert all("visible is true" in text for text in refusals)


def test_what_a_teacher_declines_is_counted_and_the_rest_is_kept(
    videos: Path, tmp_path: Path, served: Any
) -> None:
    with serving(lambda asked: lesson(asked) if INSIDE in asked.text else refuses()) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big") == 0
    data = read_data(tmp_path / "data")
    assert data.manifest["dropped"] == {"refused": 3}
    assert all(row.inside for row in data.train)


def test_a_teacher_that_sees_no_event_where_it_was_marked_teaches_nothing_there(
    videos: Path, tmp_path: Path, served: Any
) -> None:
    unseen = '{"visible": false, "description": "Not shown. A wall.", "questions": []}'
    with serving(lambda _: says(unseen)) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big") == 0
    data = read_data(tmp_path / "data")
    assert data.manifest["dropped"] == {"teacher and annotation disagree": 6}


@pytest.mark.slow
def test_a_service_that_fails_keeps_what_was_bought(
    videos: Path, tmp_path: Path, served: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "data"
    count = 0

    def dies(asked: Asked) -> Answer:
        nonlocal count
        count += 1
        return lesson(asked) if count <= 4 else fails(401, "who are you?")

    with serving(dies) as server:
        served(server.url)
        assert tune(videos, out, "--teacher", "openai:big") == 2
    assert "kept" in capsys.readouterr().err
    bought = len((out / "replies.jsonl").read_text().splitlines())
    assert bought >= 4
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, out, "--teacher", "openai:big") == 0
        assert len(server.asked) == 9 - bought


def test_people_stand_in_for_the_teacher(videos: Path, tmp_path: Path) -> None:
    assert tune(videos, tmp_path / "data", "--teacher", "human") == 0
    said = {row.completion for row in read_data(tmp_path / "data").train if row.inside}
    assert all(text.startswith("the ") and text.endswith(".") for text in said)


def test_a_dry_run_tells_the_price_and_asks_nobody(
    videos: Path, tmp_path: Path, served: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lesson) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big", "--dry-run") == 0
        assert not server.asked
    told = capsys.readouterr().err
    assert "9 samples of 3 videos" in told
    assert "tokens in" in told
    assert not (tmp_path / "data").exists()


def test_a_dry_run_needs_no_key(
    videos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert tune(videos, tmp_path / "data", "--teacher", "openai:gpt-5-mini", "--dry-run") == 0
    assert "9 samples of 3 videos" in capsys.readouterr().err
    assert tune(videos, tmp_path / "data", "--teacher", "openai:gpt-5-mini") == 2


def test_a_limit_that_cannot_be_enforced_is_refused_before_anything_is_asked(
    videos: Path, tmp_path: Path, served: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lesson) as server:
        served(server.url)
        more = ("--teacher", "openai:big", "--max-usd", "1")
        assert tune(videos, tmp_path / "data", *more) == 2
        assert not server.asked
    assert "the price of openai:big is not known" in capsys.readouterr().err


def test_a_limit_is_not_passed_unseen_where_tokens_are_not_told(
    videos: Path, tmp_path: Path, served: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"big": {"in": 1, "out": 1}}')
    settings = tmp_path / "settings.env"
    settings.write_text(f"WHENABOUTS_PRICES={prices}\nWHENABOUTS_IN_FLIGHT=1\n")
    reply = json.dumps({"visible": True, "description": "It waits.", "questions": []})
    with serving(lambda _: says(reply, usage=None)) as server:
        served(server.url)
        more = ("--max-usd", "1", "--env", str(settings))
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big", *more) == 2
        assert len(server.asked) < 9
    assert "does not tell how many tokens" in capsys.readouterr().err
    assert (tmp_path / "data" / "replies.jsonl").read_text()


@pytest.mark.parametrize(
    "command",
    [["data", "--inside", "0"], ["train", "--device-batch", "0"], ["inspect", "--count", "0"]],
)
def test_a_count_of_none_is_refused(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["tune", *command])
    assert "must be 1 or more" in capsys.readouterr().err


def test_a_sentence_with_another_kind_of_line_break_stays_one_line(
    videos: Path, tmp_path: Path, served: Any
) -> None:
    def odd(asked: Asked) -> Answer:
        answer = lesson(asked)
        return replace(answer, body=answer.body.replace(b"grey floor", b"grey\\u2028floor"))

    with serving(odd) as server:
        served(server.url)
        assert tune(videos, tmp_path / "data", "--teacher", "openai:big") == 0
    said = [row.completion for row in read_data(tmp_path / "data").train]
    assert any("\u2028" in one for one in said)


def test_a_sentence_that_is_annotated_twice_is_absent_from_neither_place() -> None:
    def query(start_s: float, text: str = "he cuts.") -> Query:
        windows = np.array([[start_s, start_s + 20.0]])
        return Query(qid="", text=text, video_id="a", duration_s=60.0, windows=windows)

    queries = [query(0.0), query(40.0, "He cuts"), query(0.0)]
    samples = choose_samples(queries, {"a": 60.0}, inside=2, outside=4)
    assert all(19 < one.time_s < 41 for one in samples if not one.inside)
    assert not any(one.others for one in samples)
    assert len({one.key for one in samples}) == len(samples)


def test_excerpts_of_one_video_are_held_out_together() -> None:
    for number in range(50):
        assert is_held_out(f"v{number}_0_150") == is_held_out(f"x/v{number}_150_300.mp4")


def test_an_excluded_video_is_refused_by_name(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "test.list"
    labels = str(videos / "labels.csv")
    arguments = ["--dataset", "own", "--annotations", labels, "--out", str(listed)]
    assert main(["tune", "exclude", *arguments]) == 0
    assert "v0" not in listed.read_text()
    more = ("--teacher", "human", "--exclude", str(listed))
    assert tune(videos, tmp_path / "data", *more) == 2
    assert "must not be trained on" in capsys.readouterr().err


def test_an_excerpt_and_its_source_are_one_video(tmp_path: Path) -> None:
    assert name_digest("bO9cyWTc1G0_60.0_210.0.mp4") == name_digest("bO9cyWTc1G0")
    write_list(["abc.mp4"], tmp_path / "list")
    with pytest.raises(TuningError, match="abc_0_10"):
        refuse_excluded(["abc_0_10", "def"], read_lists([tmp_path / "list"]))


def test_a_list_that_is_none_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_text("# videos\nabc\n")
    with pytest.raises(TuningError, match="line 2"):
        read_lists([tmp_path / "list"])


@pytest.mark.parametrize("harm", ["changed", "image", "image_gone", "no_manifest", "empty"])
def test_data_that_is_not_as_its_manifest_says_is_refused(
    videos: Path, tmp_path: Path, harm: str
) -> None:
    out = tmp_path / "data"
    assert tune(videos, out, "--teacher", "human") == 0
    picture = next((out / IMAGES).iterdir())
    if harm == "changed":
        (out / "train.jsonl").write_text("{}\n")
    elif harm == "image":
        picture.write_bytes(picture.read_bytes()[:100])
    elif harm == "image_gone":
        picture.unlink()
    elif harm == "no_manifest":
        (out / "manifest.json").unlink()
    else:
        (out / "manifest.json").write_text("")
    with pytest.raises(TuningError):
        read_data(out)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        WHOLE.replace("x.jpg", "../x.jpg"),
        WHOLE.replace('"b"', '" "'),
    ],
)
def test_a_line_that_is_no_conversation_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        TuningRow.from_line(line)


def test_samples_outside_keep_away_from_every_window() -> None:
    from training.drawn_lessons import queries_of

    drawn = {"a": make_events(random.Random(0))}
    queries = queries_of(drawn)
    ends_s = {"a": drawn["a"][-1].end_s}
    for sample in choose_samples(queries, ends_s, inside=3, outside=2):
        (start_s, end_s), *_ = sample.query.windows
        if sample.inside:
            assert start_s < sample.time_s < end_s
        else:
            assert not start_s - 1 <= sample.time_s <= end_s + 1


def test_a_sample_is_shown_with_what_is_looked_for_in_it(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "data"
    assert tune(videos, out, "--teacher", "human") == 0
    rows = read_data(out).train
    for row in rows:
        assert particular(row, rows) in (videos / "labels.csv").read_text()
    assert particular(rows[0], rows[:1]) == rows[0].prompt


@pytest.mark.slow
def test_inspect_draws_what_is_in_the_data(videos: Path, tmp_path: Path) -> None:
    out, sheet = tmp_path / "data", tmp_path / "sheet.of_mine"
    assert tune(videos, out, "--teacher", "human") == 0
    assert main(["tune", "inspect", "--data", str(out), "--out", str(sheet)]) == 0
    assert sheet.read_bytes()[:4] == b"\x89PNG"
