"""Experiments: what they are made of, and how the command line fills them in."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.grounding import Cost
from agent.settings import Settings
from evaluation.datasets.annotation_files import read_durations
from evaluation.datasets.registry import DATASETS
from evaluation.experiments.arms import Arm, differing, needs, plan_arms
from evaluation.experiments.catalog import Experiment, experiment_names, open_experiment
from evaluation.experiments.conduct import spent_usd
from evaluation.experiments.contrast import write_report
from evaluation.results import BenchmarkError
from evaluation.runs.selection import select
from tests.made_results import made, missed
from tests.package.source_imports import ROOT
from tools.indexing.indexer import Report
from tools.store.store import VideoRecord

EVERYTHING = {
    "captioner": ["openai:sees"],
    "reasoner": ["openai:thinks"],
    "adapter": ["tuned", "tuned-otherwise"],
    "out": ["runs/x"],
}
ASKED_FOR = {
    "captioner-input": "captioner reasoner",
    "context": "captioner reasoner",
    "models": "captioner reasoner",
    "one-shot": "captioner reasoner",
    "paths": "captioner reasoner",
    "prompt": "captioner reasoner",
    "stage-costs": "captioner reasoner",
    "teachers": "captioner reasoner adapter adapter",
    "tuning": "captioner reasoner adapter",
}


def experiment(**changes: object) -> Experiment:
    plain = {
        "name": "mine",
        "title": "Mine",
        "question": "Is it?",
        "dataset": "own",
        "settings": {"captioner": "$captioner", "reasoner": "$reasoner"},
        "arms": {"slow": {"rate_hz": 1}, "quick": {"rate_hz": 4}},
    }
    return Experiment.model_validate({**plain, **changes})


def given(**values: object) -> dict[str, list[str]]:
    """What of the command line a test is about, and nothing of the rest."""
    return {name: list(map(str, of)) for name, of in values.items() if isinstance(of, list)}


TWO = given(captioner=["a"], reasoner=["b"])
TWO_SET = {"captioner": "a", "reasoner": "b"}


def test_there_is_an_experiment_for_each_question_of_the_paper() -> None:
    assert experiment_names() == sorted(ASKED_FOR)


@pytest.mark.parametrize("name", sorted(ASKED_FOR))
def test_every_arm_of_every_experiment_has_settings_that_can_be_used(name: str) -> None:
    asked = Counter([*ASKED_FOR[name].split(), "out"])
    wanted = given(**{one: EVERYTHING[one][:count] for one, count in asked.items()})
    arms = plan_arms(open_experiment(name), wanted)
    assert all(isinstance(arm.load(), Settings) for arm in arms)
    assert len({str(arm.load()) for arm in arms}) == len(arms), "no two arms are the same"


@pytest.mark.parametrize("name", sorted(set(ASKED_FOR) - {"stage-costs"}))
def test_nothing_looks_closer_at_captions_where_captions_are_compared(name: str) -> None:
    settings = open_experiment(name).settings
    assert (settings["refine"], settings["max_look_ups"]) == (False, 0)


def test_placeholders_are_filled_by_place_and_stand_inside_of_words_too() -> None:
    arms = plan_arms(
        experiment(
            settings={"home": "$out/home"},
            arms={
                "one": {"captioner": "$captioner", "reasoner": "frames:$reasoner"},
                "two": {"captioner": "$captioner_2", "reasoner": "$reasoner_1"},
            },
        ),
        given(captioner=["a", "b"], reasoner=["r"], out=["runs"]),
    )
    assert [arm.settings for arm in arms] == [
        {"home": "runs/home", "captioner": "a", "reasoner": "frames:r"},
        {"home": "runs/home", "captioner": "b", "reasoner": "r"},
    ]


def test_what_an_experiment_needs_and_was_not_given_is_named_all_at_once() -> None:
    with pytest.raises(BenchmarkError) as caught:
        plan_arms(open_experiment("tuning"), given(reasoner=["r"]))
    assert str(caught.value) == (
        "experiment tuning needs --captioner (for captioner of arm base) and --adapter (for "
        "adapter of arm tuned)"
    )
    second = experiment(arms={"one": {"captioner": "$captioner_2"}})
    with pytest.raises(BenchmarkError, match="needs 2 times --captioner"):
        plan_arms(second, TWO)


def test_a_model_that_no_arm_asks_for_is_not_left_out_silently() -> None:
    with pytest.raises(BenchmarkError, match="no arm of experiment mine asks for --adapter x"):
        plan_arms(experiment(), {**TWO, "adapter": ["x"]})
    with pytest.raises(BenchmarkError, match="no arm of experiment mine asks for --captioner z"):
        plan_arms(experiment(), given(captioner=["a", "z"], reasoner=["b"]))


def test_a_list_makes_an_arm_of_each_and_two_lists_of_every_pair() -> None:
    arms = plan_arms(
        open_experiment("models"),
        given(captioner=["openai:a", "local:hub/b"], reasoner=["similarity", "openai:c"]),
    )
    assert [(arm.name, arm.settings["captioner"], arm.settings["reasoner"]) for arm in arms] == [
        ("openai-a+similarity", "openai:a", "similarity"),
        ("openai-a+openai-c", "openai:a", "openai:c"),
        ("local-hub-b+similarity", "local:hub/b", "similarity"),
        ("local-hub-b+openai-c", "local:hub/b", "openai:c"),
    ]
    with pytest.raises(BenchmarkError, match="would have 2 arms of the name openai-a"):
        plan_arms(
            open_experiment("models"), given(captioner=["openai:a", "openai:A"], reasoner=["x"])
        )


def test_settings_of_an_arm_or_of_every_arm_can_be_changed() -> None:
    changes = ["quick.rate_hz=8", "*.every_frame=true", "slow.adapter=null"]
    slow, quick = plan_arms(experiment(), TWO, changes=changes)
    assert slow.settings == {**TWO_SET, "rate_hz": 1, "every_frame": True, "adapter": None}
    assert quick.settings == {**TWO_SET, "rate_hz": 8, "every_frame": True}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("rate_hz=8", "--set rate_hz=8: expected ARM.SETTING=VALUE"),
        ("quick.rate_hz", "--set quick.rate_hz: expected ARM.SETTING=VALUE"),
        ("fast.rate_hz=8", "there is no arm 'fast'; there are slow, quick"),
        ("quick.ratehz=8", "arm quick: there is no setting 'ratehz' to choose; there are adapter,"),
        ("quick.openai_api_key=k", "there is no setting 'openai_api_key' to choose"),
        ("quick.store=x", "there is no setting 'store' to choose"),
        ("quick.rate_hz=[", r"'\[' is no value"),
    ],
)
def test_a_change_that_changes_nothing_is_refused(change: str, complaint: str) -> None:
    with pytest.raises(BenchmarkError, match=complaint):
        plan_arms(experiment(), TWO, changes=[change])


def test_an_arm_that_cannot_be_is_named_with_its_value() -> None:
    _, quick = plan_arms(experiment(), TWO, changes=["quick.rate_hz=0"])
    with pytest.raises(BenchmarkError, match="arm quick: option rate_hz is 0: input should be gre"):
        quick.load()


def test_an_arm_without_something_does_not_get_it_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = Arm("base", {"adapter": None})
    assert base.load().adapter is None
    monkeypatch.setenv("WHENABOUTS_ADAPTER", "mine")
    with pytest.raises(BenchmarkError, match="arm base is without adapter, and WHENABOUTS_ADAPTER"):
        base.load()


@pytest.mark.parametrize("value", [True, False, 4, 0.5, "clip4", None])
def test_an_arm_has_its_own_settings_and_the_environment_decides_over_the_others(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = {bool: "every_frame", int: "max_attempts", float: "rate_hz", str: "mode"}.get(
        type(value), "refine"
    )
    monkeypatch.setenv("WHENABOUTS_EVIDENCE_TOKENS", "999")
    before = dict(os.environ)
    settings = Arm("one", {name: value}).load()
    assert getattr(settings, name) == value
    assert settings.evidence_tokens == 999
    assert dict(os.environ) == before


def test_where_captions_are_given_nothing_is_said_of_frames() -> None:
    arms = plan_arms(open_experiment("context"), given(reasoner=["r"]), recorded=True)
    assert len(arms) == 7
    assert set(arms[0].settings) == {"reasoner", "max_look_ups", "context", "evidence_tokens"}
    models = plan_arms(open_experiment("models"), given(reasoner=["r", "s"]), recorded=True)
    assert [arm.name for arm in models] == ["r", "s"]
    with pytest.raises(BenchmarkError, match=r"about how frames are looked at \(mode, rate_hz\)"):
        plan_arms(open_experiment("captioner-input"), TWO, recorded=True)
    with pytest.raises(BenchmarkError, match="asks for --captioner a where captions are given"):
        plan_arms(open_experiment("context"), TWO, recorded=True)
    with pytest.raises(BenchmarkError, match="mode is about videos"):
        plan_arms(
            open_experiment("context"), given(reasoner=["r"]), changes=["*.mode=x"], recorded=True
        )


def test_what_differs_between_arms_is_told_in_the_order_of_the_arms() -> None:
    arms = plan_arms(open_experiment("captioner-input"), TWO)
    assert differing(arms) == ["mode", "rate_hz"]
    assert differing(plan_arms(open_experiment("one-shot"), TWO)) == ["captioner", "reasoner"]
    on = Arm("on", {"refine": True})
    assert differing([on, Arm("one", {"refine": 1})]) == ["refine"]
    assert differing([on, Arm("other", {})]) == ["refine"]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("models", ["--videos or --captions", "--captioner …", "--reasoner …"]),
        ("tuning", ["--videos", "--captioner", "--reasoner", "--adapter"]),
    ],
)
def test_what_an_experiment_needs_follows_from_its_arms(name: str, options: list[str]) -> None:
    assert needs(open_experiment(name)) == options


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("arms: [", "mine.yaml is no YAML"),
        ("- a", "mine.yaml holds no experiment"),
        ("title: x", "mine.yaml: question: field required"),
        ("title: x\nquestion: y\ndataset: own\narms: {}", "mine.yaml: arms: dictionary should"),
        ("title: x\nquestion: y\ndataset: ten\narms: {a: {}}", "there is no dataset 'ten'"),
        ("title: x\nquestion: y\ndataset: own\nlimits: 3\narms: {a: {}}", "limits: extra inputs"),
        ("title: x\nquestion: y\ndataset: own\narms: {a: 3}", "mine.yaml: arms.a: input should"),
        ("title: x\nquestion: y\ndataset: own\narms: {../b: {}}", "mine.yaml: arms.* should match"),
    ],
)
def test_a_file_that_is_no_experiment_is_named_with_what_is_wrong(
    text: str, complaint: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(BenchmarkError, match=complaint):
        open_experiment(str(path))


def test_a_name_that_is_none_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="no experiment 'costs'; there are captioner-input, "):
        open_experiment("costs")
    with pytest.raises(BenchmarkError, match=r"cannot read .*gone\.yaml: No such file"):
        open_experiment(str(tmp_path / "gone.yaml"))


def test_the_list_shows_every_experiment_with_its_arms_and_needs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["eval", "experiment", "--list"]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ASKED_FOR)
    assert "frame, grid4, clip4" in printed


def test_a_plan_shows_what_differs_and_asks_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "experiment", "tuning", "--plan", "--captioner", "local:base"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "captioner: local:base" in lines
    assert "reasoner: $reasoner" in lines
    assert [line.split() for line in lines[-3:]] == [
        ["arm", "adapter"],
        ["base", "null"],
        ["tuned", "$adapter"],
    ]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "name an experiment; whenabouts eval experiment --list"),
        (["prompt"], "--out DIR is missing"),
        (["prompt", "--out", "x", *("--captioner", "a", "--reasoner", "b")], "give --annotations"),
        (
            ["prompt", *("--out", "x", "--captioner", "a", "--reasoner", "b"), "--set", "a.mode=1"],
            "there is no arm 'a'",
        ),
    ],
)
def test_bad_options_are_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "experiment", *arguments]) == 2
    message = capsys.readouterr().err
    assert complaint in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("limit", ["0", "-1", "some"])
def test_a_limit_is_a_number_from_one_on_or_all(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["eval", "experiment", "prompt", "--limit", limit])
    assert f"must be at least 1, or all, not {limit}" in capsys.readouterr().err


class Everywhere:
    """Stands for a folder that holds every video."""

    place = "everywhere"

    def __contains__(self, name: object) -> bool:
        return True

    def problems(self, names: Iterable[str]) -> dict[str, str]:
        return {}

    def duration_s(self, name: str) -> float | None:
        raise AssertionError(f"the annotations say how long {name} is")

    def asked_as(self, name: str) -> str:
        return name

    def watch(self, name: str, grounder: Grounder, *, report: Report) -> VideoRecord:
        raise AssertionError("nobody is asked")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "annotations", "durations", "says"),
    [
        (
            "charades-sta",
            "charades-sta/charades_sta_test.txt",
            "charades-sta/Charades_v1_test.csv",
            ["these are about {videos} videos, T = {total:,} s"],
        ),
        (
            "tacos",
            "tacos/test.json",
            "",
            ["they are about all {videos}, T = {total:,} s"],
        ),
    ],
)
def test_the_documentation_says_how_much_128_questions_are(
    shared_data: Path, name: str, annotations: str, durations: str, says: list[str]
) -> None:
    formats, dataset = shared_data / "formats", DATASETS[name]
    lengths_s = read_durations(formats / durations) if durations else {}
    selection = select(
        dataset.read(formats / annotations, lengths_s),
        Everywhere(),
        source_of=dataset.source_of,
        limit=128,
        shuffle=True,
        seed=0,
    )
    lengths_s = {one.video_id: one.known_duration_s for one in selection.queries}
    documentation = " ".join((ROOT / "docs" / "experiments.md").read_text().split())
    facts = {
        "videos": len(lengths_s),
        "total": round(sum(lengths_s.values())),
    }
    assert all(sentence.format(**facts) in documentation for sentence in says)


def test_the_documentation_shows_every_experiment_and_commands_that_are_understood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documentation = (ROOT / "docs" / "experiments.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \|", documentation, re.MULTILINE)
    assert set(rows) >= set(ASKED_FOR)
    carried_out: list[tuple[str, int]] = []

    def note(one: Experiment, arms: Sequence[Arm], _: object) -> int:
        carried_out.append((one.name, len(arms)))
        return 0

    monkeypatch.setattr("evaluation.experiments.conduct.conduct", note)
    variables = dict(re.findall(r'^([A-Z]+)="(.+)"$', documentation, re.MULTILINE))
    for command in re.findall(r"^whenabouts ((?:.+\\\n)*.+)$", documentation, re.MULTILINE):
        for variable, text in variables.items():
            command = command.replace(f"${variable}", text)  # noqa: PLW2901 - it is filled in
        assert main(shlex.split(command.replace("\\\n", " "))) == 0
    assert dict(carried_out).keys() == set(ASKED_FOR)
    assert dict(carried_out)["models"] == 9


def own_run(tmp_path: Path) -> list[str]:
    """An experiment over captions of two videos, by the LLM-free grounder."""
    captions, labels = tmp_path / "captions", tmp_path / "labels.csv"
    captions.mkdir()
    (captions / "a.jsonl").write_text('{"t": 0, "caption": "a dog"}\n{"t": 5, "caption": "a cat"}')
    labels.write_text("video,query,start,end,duration\na,a dog,0,5,10\na,a cat,5,10,10\n")
    return [
        *("eval", "experiment", "context", "--dataset", "own", "--reasoner", "similarity"),
        *("--captions", str(captions), "--annotations", str(labels), "--out", str(tmp_path / "o")),
    ]


@pytest.mark.slow
def test_another_experiment_or_setting_is_not_taken_for_what_was_begun(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = own_run(tmp_path)
    plan = tmp_path / "o" / "experiment.json"
    # Something is wrong with the annotations, so that only the plan is written.
    (tmp_path / "labels.csv").write_text("nothing")
    assert main(arguments) == 2
    assert "arm all-4000: " in capsys.readouterr().err
    written = json.loads(plan.read_text())
    assert written["arms"]["all-1000"]["evidence_tokens"] == 1000
    assert "openai_api_key" not in written["arms"]["all-1000"]
    assert main([*arguments, "--set", "all-1000.evidence_tokens=2000"]) == 2
    complaint = "holds arm all-1000 with evidence_tokens 1000, and this is 2000; give another --out"
    assert complaint in capsys.readouterr().err
    monkeypatch.setenv("WHENABOUTS_MAX_ATTEMPTS", "5")
    assert main(arguments) == 2
    assert "with max_attempts 3, and this is 5" in capsys.readouterr().err
    monkeypatch.delenv("WHENABOUTS_MAX_ATTEMPTS")
    arguments[2] = "models"
    assert main(arguments) == 2
    assert "this is experiment models with arms similarity" in capsys.readouterr().err
    plan.write_text("{")
    assert main(arguments) == 2
    assert "cannot read" in capsys.readouterr().err


def test_what_a_killed_run_has_spent_holds_captions_of_questions_without_an_answer(
    tmp_path: Path,
) -> None:
    assert spent_usd(tmp_path) == 0
    one = made("q1", costs={"captioner": Cost(usd=1.0), "reasoner": Cost(usd=0.5)})
    (tmp_path / "results.jsonl").write_text(one.as_line() + '{"key": "own:q2", "cut')
    lines = [
        json.dumps({"key": key, "seconds": 1, "captions": 1, "usd": usd})
        for key, usd in (("own:q1", 1.0), ("own:q2", 0.25), ("own:q2", 0.25))
    ]
    (tmp_path / "captioning.jsonl").write_text("\n".join(lines) + '\n{"key": "own')
    assert spent_usd(tmp_path) == 2.0
    with (tmp_path / "captioning.jsonl").open("a") as file:
        file.write('", "usd": null}\n')
    assert spent_usd(tmp_path) is None


@pytest.mark.slow
def test_a_report_puts_what_each_arm_differs_by_before_everything_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arms = plan_arms(experiment(), TWO)
    for arm, makes in zip(arms, ([missed, missed], [made, missed]), strict=True):
        folder = tmp_path / arm.name
        folder.mkdir()
        lines = [makes[number % 2](str(number)).as_line() for number in range(16)]
        (folder / "results.jsonl").write_text("".join(lines))
    write_report(experiment(), arms, tmp_path)
    markdown = (tmp_path / "report.md").read_text()
    arms_at, differences_at, figures_at = (
        markdown.index(f"## {title}") for title in ("Arms", "Differences from slow", "Figures")
    )
    assert arms_at < differences_at < figures_at
    assert "| rate\\_hz | 1 | 4 |" in markdown
    assert "| R@1 IoU=0.5 | +50.0 \\[+25.0, +75.0\\] better |" in markdown
    assert "| questions of both | 16 |" in markdown
    printed = capsys.readouterr().out
    assert "minus slow" in printed
    assert "+50.0 [+25.0, +75.0] better" in printed


@pytest.mark.slow
def test_arms_that_answer_everything_alike_are_pointed_out(tmp_path: Path) -> None:
    one = experiment(arms={name: {"mode": name} for name in ("frame", "grid4", "clip4")})
    arms = plan_arms(one, TWO)
    for arm, make in zip(arms, (made, made, missed), strict=True):
        (tmp_path / arm.name).mkdir()
        (tmp_path / arm.name / "results.jsonl").write_text(make().as_line())
    write_report(one, arms, tmp_path)
    markdown = (tmp_path / "report.md").read_text()
    assert "**frame, grid4 answered every question alike:" in markdown
    assert markdown.count("alike") == 1


@pytest.mark.slow
def test_arms_without_results_are_left_out_of_the_report(tmp_path: Path) -> None:
    arms = plan_arms(experiment(), TWO)
    write_report(experiment(), arms, tmp_path)
    assert not (tmp_path / "report.html").exists()
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "results.jsonl").write_text(made().as_line())
    write_report(experiment(), arms, tmp_path)
    assert "Differences" not in (tmp_path / "report.md").read_text()
