"""Every named experiment end to end, over HTTP, on drawn clips; its figures mean nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.main import main
from evaluation.results import Result, read_results
from tests.drawing import Picture, draw_video, even_times, halves
from tests.package.source_imports import ROOT
from tests.patience import PATIENCE_S
from tests.servers import Answer, Asked, Server, says, serving
from tests.tiny_models import save_adapter, save_idefics3

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("word_embedder")]

QUERIES = ["a person opens a door", "a person sits down", "a person turns a light on"]
FOUND = '{"steps": [], "found": true, "events": [{"first": 1, "last": 2}]}'
FRAMES_AT_ONCE = "You are shown frames of it in time order"
LONG = " and so on" * 25
"""Some hundred tokens with what is around it, so that a budget has something to choose."""


def answer(asked: Asked) -> Answer:
    """Describes pictures, each with words of its own, and finds everything in the first two."""
    if "sum the scene up" in asked.text.lower():
        return says('{"summary": "colours come and go"}')
    if "You find out when something happens in a video. You are shown" in asked.text and (
        "media_io_kwargs" in asked.body
    ):
        return says("1 - 4 seconds")
    if "Do they show it?" in asked.text:
        return says("part")
    if not asked.jpegs:
        return says(FOUND)
    if FRAMES_AT_ONCE in asked.text:
        return says(FOUND)
    return says(f"picture {hashlib.sha256(asked.jpegs[0]).hexdigest()[:6]}{LONG}")


def described(asked: Asked) -> bool:
    """Whether a request shows pictures to have them described."""
    return bool(asked.jpegs) and FRAMES_AT_ONCE not in asked.text


def colours(index: int) -> Picture:
    """Every frame looks like no other, so that none is left out."""
    return halves((index * 10 % 250, 60, 90), (200, 255 - index * 10 % 250, index * 30 % 250))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(answer, models=["tiny"]) as running:
        monkeypatch.setenv("OPENAI_BASE_URL", running.url)
        yield running


@pytest.fixture
def data(tmp_path: Path) -> list[str]:
    """Two clips of 6 s, and three queries as Charades-STA has them."""
    folder = tmp_path / "clips"
    folder.mkdir()
    draw_video(folder / "AAAAA.mp4", even_times(48, 8), picture=colours)
    draw_video(folder / "BBBBB.mp4", even_times(48, 8), picture=lambda index: colours(index + 7))
    lines = [
        f"{video} 1.0 4.0##{query}"
        for video, query in zip(("AAAAA", "BBBBB", "BBBBB"), QUERIES, strict=True)
    ]
    annotations = tmp_path / "charades_sta_test.txt"
    annotations.write_text("\n".join(lines) + "\n")
    return ["--dataset", "charades-sta", "--videos", str(folder), "--annotations", str(annotations)]


TINY = ["--captioner", "openai:tiny", "--reasoner", "openai:tiny"]


def conduct(
    name: str, arguments: list[str], out: Path, *, code: int = 0
) -> dict[str, list[Result]]:
    """Carry an experiment out; the results of its arms, and a report that names them all."""
    assert main(["eval", "experiment", name, *arguments, "--out", str(out)]) == code
    arms = json.loads((out / "experiment.json").read_text())["arms"]
    page, markdown = ((out / f"report.{kind}").read_text() for kind in ("html", "md"))
    results = {}
    for arm in arms:
        results[arm] = read_results(out / arm / "results.jsonl")
        assert arm in page
        assert arm in markdown
    return results


def pictures_a_request(server: Server) -> Counter[int]:
    return Counter(len(asked.jpegs) for asked in server.asked if described(asked))


def captions_shown(asked: Asked) -> list[str]:
    return re.findall(r"^#\d+ \[.*$", asked.text, re.MULTILINE)


def test_captioner_input_shows_one_frame_or_four_in_one_picture_or_in_four(
    data: list[str], server: Server, tmp_path: Path
) -> None:
    results = conduct("captioner-input", [*data, *TINY], tmp_path / "out")
    assert {arm: len(of_arm) for arm, of_arm in results.items()} == dict.fromkeys(
        ("frame", "grid4", "clip4"), 3
    )
    # Twelve seconds in all: a caption each in every arm, of one picture or, of a clip, four.
    assert pictures_a_request(server) == {1: 24, 4: 12}
    sizes = {asked.images[0].shape for asked in server.asked if len(asked.jpegs) == 1}
    assert len(sizes) == 2, "a grid is larger than a frame"
    assert {one.costs["captioner"].captions for of in results.values() for one in of} == {0, 6}
    assert "WHENABOUTS_MODE" not in os.environ, "what is set for an arm is set for it alone"


def test_prompt_shows_the_question_to_the_captioner_in_one_arm(
    data: list[str], server: Server, tmp_path: Path
) -> None:
    results = conduct("prompt", [*data, *TINY], tmp_path / "out")
    assert [len(of_arm) for of_arm in results.values()] == [3, 3]
    shown = Counter(
        next((query for query in QUERIES if query in asked.text), "none")
        for asked in server.asked
        if described(asked)
    )
    assert shown == {"none": 12, **dict.fromkeys(QUERIES, 6)}


def test_models_asks_every_reasoner_about_every_captioner_and_describes_once_for_all(
    data: list[str], server: Server, tmp_path: Path
) -> None:
    models = [
        *("--captioner", "openai:small", "--captioner", "openai:large"),
        *("--reasoner", "openai:wise", "--reasoner", "similarity"),
    ]
    results = conduct("models", [*data, *models, "--limit", "2"], tmp_path / "out")
    assert [f"openai-{one}" for one in ("small", "large")] == sorted(
        {arm.split("+")[0] for arm in results}, reverse=True
    )
    assert {arm.split("+")[1] for arm in results} == {"openai-wise", "similarity"}
    assert [len(of_arm) for of_arm in results.values()] == [2, 2, 2, 2]
    videos = {one.video for one in results["openai-small+similarity"]}
    asked = Counter(one.body["model"] for one in server.asked)
    assert asked == {"small": 6 * len(videos), "large": 6 * len(videos), "wise": 4}
    assert {one.by for one in results["openai-large+similarity"]} == {"similarity"}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "openai-small+similarity answers from the captions of openai-small+openai-wise" in page
    assert "openai-large+openai-wise answers from" not in page


def test_tuning_compares_a_model_with_itself_and_an_adapter(
    data: list[str], tmp_path: Path
) -> None:
    base = save_idefics3(tmp_path / "tiny")
    adapter = save_adapter(base, tmp_path / "tuned")
    models = ["--captioner", f"local:{base}", "--adapter", str(adapter), "--reasoner", "similarity"]
    changes = ["--set", "*.rate_hz=0.25", "--set", "*.device=cpu"]
    results = conduct("tuning", [*data, *models, *changes, "--limit", "2"], tmp_path / "out")
    captioners = {arm: {one.models["captioner"] for one in of} for arm, of in results.items()}
    (of_base,), (of_tuned,) = captioners["base"], captioners["tuned"]
    assert of_base.startswith("local:tiny@")
    assert of_tuned.startswith("local:tiny+tuned@")
    assert all(one.intervals or one.candidates for of in results.values() for one in of)


def test_teachers_compares_what_two_adapters_of_one_model_see(
    data: list[str], tmp_path: Path
) -> None:
    base = save_idefics3(tmp_path / "tiny")
    adapters = [str(save_adapter(base, tmp_path / name)) for name in ("people", "model")]
    models = ["--captioner", f"local:{base}", "--reasoner", "similarity"]
    models += [argument for one in adapters for argument in ("--adapter", one)]
    changes = ["--set", "*.rate_hz=0.25", "--set", "*.device=cpu"]
    results = conduct("teachers", [*data, *models, *changes, "--limit", "2"], tmp_path / "out")
    captioners = {arm: str(of[0].models["captioner"]) for arm, of in results.items()}
    assert captioners["human"].startswith("local:tiny+people@")
    assert captioners["synthetic"].startswith("local:tiny+model@")


def test_context_shows_other_captions_in_every_way_and_more_of_them_the_more_may_be_shown(
    server: Server, tmp_path: Path
) -> None:
    # Scenes are those of long videos; a frame every five seconds is enough for that.
    draw_video(tmp_path / "AAAAA.mp4", even_times(132, 0.2), picture=colours)
    annotations = tmp_path / "charades_sta_test.txt"
    annotations.write_text(f"AAAAA 30.0 60.0##{QUERIES[0]}\nAAAAA 90.0 120.0##{QUERIES[1]}\n")
    files = ["--videos", str(tmp_path), "--annotations", str(annotations)]
    changes = ["--set", "*.rate_hz=0.2", "--set", "*.every_frame=true"]
    results = conduct(
        "context", ["--dataset", "charades-sta", *files, *TINY, *changes], tmp_path / "out"
    )
    assert len(results) == 7
    assert {len(of_arm) for of_arm in results.values()} == {2}
    assert pictures_a_request(server) == {1: 132}, "captions are made once for all arms"
    asked = [one for one in server.asked if captions_shown(one)]
    shown = dict(zip(results, zip(asked[::2], asked[1::2], strict=True), strict=True))
    for way in ("all", "retrieved"):
        counts = [len(captions_shown(shown[f"{way}-{most}"][0])) for most in (1000, 4000, 16000)]
        assert counts[0] < counts[1] < counts[2] == 132
    ways = [shown[arm][0].text for arm in ("all-4000", "retrieved-4000", "scenes")]
    assert len(set(ways)) == 3
    assert "colours come and go" in ways[2]


def test_one_shot_shows_all_frames_at_once_and_describes_none(
    data: list[str], server: Server, tmp_path: Path
) -> None:
    results = conduct("one-shot", [*data, *TINY], tmp_path / "out")
    assert [len(of_arm) for of_arm in results.values()] == [3, 3]
    at_once = [asked for asked in server.asked if FRAMES_AT_ONCE in asked.text]
    assert [sum(block["type"] == "image_url" for block in asked.blocks) for asked in at_once] == [
        6
    ] * 3
    assert pictures_a_request(server) == {1: 12}
    assert {one.models["reasoner"] for one in results["one-shot"]} == {"frames:openai:tiny"}
    assert all(one.costs["captioner"].tokens_in == 0 for one in results["one-shot"])


def test_stage_costs_counts_tokens_dollars_and_seconds_and_pays_for_captions_of_its_own(
    data: list[str], server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 1000, "out": 10000}}')
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    conduct("prompt", [*data, *TINY, "--limit", "1"], tmp_path / "before")
    results = conduct("stage-costs", [*data, *TINY], tmp_path / "out")
    totals = {
        arm: json.loads((tmp_path / "out" / arm / "summary.json").read_text())["cost"]
        for arm in results
    }
    # 100 tokens in and 10 out a request, at a tenth of a cent and a cent.
    assert totals["plain"]["captioner"]["captions"] == 12
    assert totals["plain"]["captioner"]["usd"] == pytest.approx(12 * 0.2)
    assert totals["plain"]["reasoner"]["usd"] == pytest.approx(3 * 0.2)
    assert totals["look-ups"]["captioner"]["captions"] == 0
    assert totals["look-ups-and-edges"]["captioner"]["tokens_in"] > 0
    offered = [bool(one.body.get("tools")) for one in server.asked if not one.jpegs]
    assert offered[-9:] == [False] * 3 + [True] * 6
    assert all(sum(one.seconds.values()) > 0 for of in results.values() for one in of)
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "look-ups: captioner" in markdown
    assert "Time by graph node" in markdown


def test_paths_compares_captions_likeness_a_judge_and_frames_with_what_each_takes(
    data: list[str], server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = conduct("paths", [*data, *TINY], tmp_path / "out")
    assert {arm: len(of) for arm, of in results.items()} == dict.fromkeys(
        ("captions", "similarity", "judge", "captions-judge", "direct", "agreement"), 3
    )
    calls, alone = (
        {
            arm: {stage: sum(costs[stage].calls for costs in of_arm) for stage in of_arm[0]}
            for arm, of_arm in every.items()
        }
        for every in (
            {arm: [one.costs for one in of] for arm, of in results.items()},
            {arm: [one.costs_alone for one in of] for arm, of in results.items()},
        )
    )
    assert calls["similarity"] == {"captioner": 0, "reasoner": 0, "judge": 0, "direct": 0}
    assert (calls["captions"]["reasoner"], calls["captions"]["judge"]) == (3, 0)
    assert calls["direct"] == {"captioner": 0, "reasoner": 0, "judge": 0, "direct": 3}
    # What the video model said is kept: the arm before has paid for it.
    assert (calls["agreement"]["reasoner"], calls["agreement"]["direct"]) == (3, 0)
    # But what it takes alone is told.
    assert (alone["agreement"]["reasoner"], alone["agreement"]["direct"]) == (3, 3)
    assert {one.by for one in results["direct"]} == {"direct"}
    printed = capsys.readouterr().out.rpartition("a question")[2]
    rows = {cells[0]: cells[1:] for line in printed.splitlines() if len(cells := line.split()) == 4}
    assert rows["similarity"][0] == "0.0"
    assert rows["direct"][0] == "1.0"
    for arm, of in results.items():
        assert all(one.costs_alone["judge"].calls <= 10 for one in of)
        costs = [cost for one in of for cost in one.costs_alone.values()]
        tokens = sum(cost.tokens_in + cost.tokens_out for cost in costs)
        assert rows[arm][2] == f"{tokens / 3:,.1f}"


def test_a_killed_experiment_goes_on_and_asks_nothing_twice_that_was_answered(
    data: list[str], server: Server, tmp_path: Path
) -> None:
    arguments = ["eval", "experiment", "prompt", *data, *TINY, "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "tests.eval_alone", "5", *arguments]
    # The second arm's second answer is cut off in the middle of its line.
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=False,
        timeout=PATIENCE_S,
        capture_output=True,
        env=dict(os.environ),
    )
    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "report.html").exists()
    before = len(server.asked)
    results = conduct("prompt", [*data, *TINY], tmp_path / "out")
    assert [len(of_arm) for of_arm in results.values()] == [3, 3]
    after = server.asked[before:]
    # The captions of the answer that was cut off are kept; those of the last question are made.
    assert sum(described(one) for one in after) == 6
    assert sum(not described(one) for one in after) == 2
    asked = len(server.asked)
    conduct("prompt", [*data, *TINY], tmp_path / "out")
    assert len(server.asked) == asked, "what is finished asks nothing any more"


def test_the_limit_of_dollars_is_of_all_arms_together(
    data: list[str],
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 1000, "out": 10000}}')
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    arguments = ["eval", "experiment", "prompt", *data, *TINY, "--out", str(tmp_path / "out")]
    # The first arm takes fifteen requests of 20 cents; the second stops a dollar later.
    assert main([*arguments, "--max-usd", "4"]) == 1
    printed = capsys.readouterr().out
    assert "arm general, 1 of 2, with $4.00 of --max-usd 4 left" in printed
    assert "arm activity, 2 of 2, with $1.00 of --max-usd 4 left" in printed
    assert re.search(r"stopped: \$\d\.\d+ of --max-usd 1 are spent", printed)
    spent = 0.2 * len(server.asked)
    assert 4 <= spent < 4 + 0.2 * 16
    asked = len(server.asked)
    assert main([*arguments, "--max-usd", "2"]) == 1
    assert "--max-usd 2 is spent; a higher limit goes on" in capsys.readouterr().out
    assert len(server.asked) == asked
    conduct("prompt", [*data, *TINY, "--max-usd", "40"], tmp_path / "out")
    # Thirty captions and six answers; nothing was paid twice.
    assert len(server.asked) == 36
