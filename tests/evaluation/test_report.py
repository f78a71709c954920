"""The report: what it says of runs of every kind, and that anybody's text stays text in it."""

import argparse
import html.parser
import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from agent.grounding import Cost
from evaluation.report import report_command as command
from evaluation.report.accuracy_plots import accuracy_plots, tenths
from evaluation.report.content import make_report
from evaluation.report.cost_plots import cost_plots
from evaluation.report.costs import nodes_of, seconds_of
from evaluation.report.length_plots import LENGTHS, bins_of
from evaluation.report.markdown import as_markdown
from evaluation.report.means import means
from evaluation.report.page import as_html
from evaluation.report.reported_runs import Run, read_runs
from evaluation.report.tables import Table, costs_table, outcomes_table, provenance_table
from evaluation.report.timelines import worst
from evaluation.report.words import usd
from evaluation.results import WHOLE, BenchmarkError, Result
from tests.tiers import first_fast
from tools.errors import VideoError

FOUND = Result(
    key="own:1",
    kind="own",
    qid="1",
    query="a dog jumps",
    video="park",
    duration_s=60.0,
    truth=((10.0, 20.0),),
    verdict="found",
    presence=0.9,
    confidence=0.8,
    intervals=((10.0, 20.0, 0.8),),
    candidates=((10.0, 20.0, 2.5), (8.0, 30.0, 1.5)),
    shown=((0.0, 40.0),),
    by="llm",
    attempts=1,
    costs={"captioner": Cost(), "reasoner": Cost(tokens_in=900, tokens_out=80, usd=0.002)},
    seconds={"watch": 0.01, "reason": 1.5},
    models={"captioner": "classical-4", "reasoner": "m", "prompts": {"reason": "0123456789ab"}},
)
NULL = replace(
    FOUND,
    key="random:1",
    kind="random",
    video="street",
    truth=(),
    intervals=(),
    verdict="not_found",
)
FAILED = replace(
    FOUND, key="own:2", qid="2", verdict="error", intervals=(), candidates=(), shown=(), by="",
    presence=None, confidence=0.0, costs={}, seconds={}, models={}, error="the service is away",
)  # fmt: skip
ELSEWHERE = replace(FOUND, key="own:3", qid="3", intervals=((30.0, 40.0, 0.7),), confidence=0.7)
ATTACK = "</title></svg><script>alert(1)</script><img src=x onerror=alert(1)>&{{ 7*7 }} $x$ | `_*"


def named(qid: int, **changes: Any) -> Result:
    return replace(FOUND, key=f"own:{qid}", qid=str(qid), **changes)


def run_of(*results: Result, name: str = "a run", summary: dict[str, Any] | None = None) -> Run:
    return Run(name, results, summary or {})


MIXED = run_of(
    FOUND,
    NULL,
    FAILED,
    ELSEWHERE,
    summary={
        "provenance": {"commit": "abc", "reasoner": "m"},
        "bad_lines": ["x:1", "x:7"],
        "bad_videos": {"videos": 0, "queries": 0, "examples": []},
    },
)


def written(folder: Path, results: Sequence[Result], summary: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "results.jsonl").write_text("".join(one.as_line() for one in results), "utf-8")
    if summary:
        (folder / "summary.json").write_text(summary, "utf-8")
    return folder


def report(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return command.run(parser.parse_args(["report", *map(str, arguments)]))


class Elements(html.parser.HTMLParser):
    """What a browser would make of a page: its elements with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, attribute: str) -> list[str]:
        return [value for _, has in self.found if (value := has.get(attribute)) is not None]


@pytest.fixture(scope="module")
def page() -> str:
    """A page about two runs with something of everything."""
    other = run_of(FOUND, NULL, ELSEWHERE, name="other")
    return as_html(make_report([MIXED, other]))


@pytest.fixture
def unrendered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots are painted, but not rendered, which takes most of the time: the page has none."""

    def write_empty(_: Figure, file: io.StringIO, **__: Any) -> None:
        file.write('<svg viewBox="0 0 1 1"></svg>')

    monkeypatch.setattr(Figure, "savefig", write_empty)


def cells(table: Table, row: str) -> list[str]:
    """The cells of the row with this name, notes and all."""
    (found,) = [one for one in table.rows if one[0].text == row]
    return [f"{cell.text} {cell.note}".strip() for cell in found[1:]]


@pytest.mark.slow
def test_the_page_asks_no_host_and_has_no_script(page: str) -> None:
    elements = Elements(page)
    assert "://" not in page
    assert not {tag for tag, _ in elements.found} & {"script", "link", "img", "iframe", "object"}
    assert not [name for _, has in elements.found for name in has if name.startswith("on")]
    assert not elements.all("src")
    assert all(link.startswith("#") for link in elements.all("href"))
    assert "default-src 'none'" in page


@pytest.mark.slow
def test_every_link_in_the_page_leads_to_one_element(page: str) -> None:
    elements = Elements(page)
    ids = elements.all("id")
    assert len(ids) == len(set(ids))
    links = elements.all("href") + re.findall(r"url\((#[^)]+)\)", page)
    assert links
    assert {link[1:] for link in links} <= set(ids)


@pytest.mark.slow
def test_plots_have_the_colours_of_the_page_in_light_and_dark(page: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\}", page, re.DOTALL)
    defined = set(re.findall(r"(--[\w-]+):", light))
    assert set(re.findall(r"var\((--[\w-]+)\)", page)) <= defined
    assert defined - {"--sans"} == set(re.findall(r"(--[\w-]+):", dark))
    _, body = page.split("</style>")
    assert "<figure>" in body
    assert not re.search(r"(?:fill|stroke)[:=]\s*\"?#[0-9a-f]{6}", body)


@pytest.mark.slow
def test_text_in_plots_is_text_that_can_be_searched(page: str) -> None:
    assert "R@1, % of queries</text>" in page
    assert "reasoning miss</text>" in page


@pytest.mark.slow
def test_anybodys_text_stays_text() -> None:
    attacked = replace(
        ELSEWHERE,
        query=ATTACK,
        video=ATTACK,
        refusals=({"kind": ATTACK, "message": ATTACK},),
        models={ATTACK: ATTACK},
        seconds={ATTACK: 1.0},
        costs={ATTACK: Cost(usd=None)},
    )
    failed = replace(FAILED, error=ATTACK, query=ATTACK)
    runs = [
        run_of(attacked, failed, NULL, name=name, summary={"provenance": {ATTACK: [ATTACK]}})
        for name in (ATTACK, f"_{ATTACK}")
    ]
    made = make_report(runs)
    elements = Elements(as_html(made))
    assert not {tag for tag, _ in elements.found} & {"script", "img"}
    assert elements.text.count(ATTACK) > 10
    assert "49 $x$" not in elements.text
    assert "<" not in re.sub(r"\\.", "", as_markdown(made))


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_a_line_break_or_a_bar_does_not_break_a_markdown_table() -> None:
    made = make_report([run_of(FOUND, name="a|b\nc", summary={"provenance": {"x\n|": "1|2\n3"}})])
    blocks = [block for block in as_markdown(made).strip().split("\n\n") if block.startswith("|")]
    assert len(blocks) == 5
    for block in blocks:
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in block.split("\n")}
        assert len(bars) == 1


@pytest.mark.slow
def test_equal_results_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name / "run", MIXED.results, '{"commit": "abc"}')
        report(tmp_path / name / "run", "--out", tmp_path / f"{name}.html")
    for ending in ("html", "md"):
        one, two = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("one", "two"))
        assert one == two


KINDS = {
    "no null query": [FOUND, ELSEWHERE],
    "null queries alone": [NULL],
    "nothing found": [named(4, verdict="not_found", intervals=()), NULL],
    "one query": [FOUND],
    "all errors": [FAILED, replace(FAILED, key="own:9", qid="9")],
    "nothing measured": [named(5, presence=None, costs={}, seconds={})],
    "cost not known": [named(6, costs={"reasoner": Cost(usd=None)})],
    "nothing shown": [named(7, candidates=(), shown=())],
    "a very short video": [named(8, duration_s=0.4, truth=((0.0, 0.4),))],
    "a very long video": [named(9, duration_s=36e3, truth=((3e4, 3.5e4),))],
    "a wide range of times": [named(n, seconds={"reason": 10.0**n}) for n in range(-2, 3)],
    "many": [named(n, confidence=0.9 - n / 50) for n in range(30)],
}


@pytest.mark.parametrize("kind", first_fast(*KINDS, fast=3))
@pytest.mark.usefixtures("unrendered")
def test_a_run_of_any_kind_gives_a_page(kind: str) -> None:
    made = make_report([run_of(*KINDS[kind])])
    assert not re.search(r"\bnan\b", as_markdown(made))
    assert "Provenance" in Elements(as_html(made)).text


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_any_kind_gives_plots(kind: str) -> None:
    page = as_html(make_report([run_of(*KINDS[kind])]))
    assert page.count("<svg") >= page.count("<figure>") > 0


@pytest.mark.slow
def test_runs_of_all_kinds_give_one_page() -> None:
    made = make_report([run_of(*results, name=kind) for kind, results in KINDS.items()])
    assert not re.search(r"\bnan\b", as_markdown(made))
    assert len(Elements(as_html(made)).all("stroke-dasharray")) >= len(KINDS)


def test_where_no_run_knows_its_costs_there_is_no_plot_of_them() -> None:
    silent = run_of(*KINDS["nothing measured"])
    assert cost_plots([silent]) == []
    assert cost_plots([silent, replace(silent, name="other")]) == []


def test_the_worst_are_the_lowest_iou_then_the_surest_and_no_errors() -> None:
    results = [
        FOUND,
        named(4, intervals=((30.0, 40.0, 0.2),), confidence=0.2),
        named(5, intervals=((30.0, 40.0, 0.6),), confidence=0.6),
        named(6, intervals=((10.0, 15.0, 0.9),), confidence=0.9),
        FAILED,
        NULL,
    ]
    order = [one.result.qid for one in worst(run_of(*results))]
    assert order == ["5", "4", "6", "1"]
    assert len(worst(run_of(*(named(n) for n in range(30))))) == 20


def test_a_window_past_the_end_of_the_video_is_still_on_the_axis() -> None:
    (line,) = worst(run_of(named(1, intervals=((50.0, 80.0, 0.5),))))
    bars = [bar for band in line.bands for bar in band.bars]
    assert max(bar.x + bar.width for bar in bars) == pytest.approx(100)
    (truth,) = line.bands[0].bars
    assert (truth.x, truth.width) == pytest.approx((100 * 10 / 80, 100 * 10 / 80))
    assert [clock for _, clock in line.ticks][-1] == "1:20"


def test_overlapping_candidates_lie_below_one_another() -> None:
    candidates = ((10.0, 20.0, 3.0), (15.0, 30.0, 2.0), (20.0, 25.0, 1.0))
    (line,) = worst(run_of(named(1, candidates=candidates)))
    (band,) = [band for band in line.bands if band.name == "candidates"]
    first, second, third = band.bars
    assert first.y == third.y < second.y
    assert first.opacity > second.opacity > third.opacity
    assert second.y + second.height <= line.bands[-1].y


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_a_refusal_is_told_beside_the_timeline() -> None:
    refused = named(1, refusals=({"kind": "json", "message": "no JSON object in it"},))
    assert (
        "refused (json): no JSON object in it"
        in Elements(as_html(make_report([run_of(refused)]))).text
    )


def test_a_cost_that_is_not_known_is_not_nothing() -> None:
    unknown = named(2, costs={"reasoner": Cost(tokens_in=5, usd=None)})
    assert cells(costs_table([run_of(unknown)]), "reasoner")[-2:] == ["not known"] * 2
    partly = costs_table([run_of(FOUND, unknown)])
    assert cells(partly, "reasoner")[1:] == [
        "0", "0", "905", "80", "492", "at least $0.0020 (1 of 2 not known)", "$0.0020",
    ]  # fmt: skip
    assert cells(costs_table([run_of(FOUND, NULL)]), "all stages")[-2:] == ["$0.0040", "$0.0020"]


def test_a_run_whose_cost_is_not_known_is_named_and_has_no_point() -> None:
    unknown = run_of(named(2, costs={"reasoner": Cost(usd=None)}), name="dear")
    against_usd, against_seconds = cost_plots([MIXED, unknown])
    assert "because it is not known: dear" in against_usd.note
    assert "alone for which it is known: a run" in against_usd.note
    assert against_usd.svg.count("--run-1") == 0
    assert against_seconds.svg.count("--run-1") > 0


@pytest.mark.slow
@pytest.mark.parametrize(("count", "bands"), [(4, 4), (5, 0)])
def test_bands_that_would_hide_one_another_are_left_out(count: int, bands: int) -> None:
    recall, *_ = accuracy_plots([replace(MIXED, name=str(number)) for number in range(count)])
    assert recall.svg.count("fill-opacity: 0.15") == bands
    assert ("Bands are" in recall.note) == bool(bands)


@pytest.mark.slow
def test_a_single_run_shows_what_its_questions_cost() -> None:
    titles = [plot.title for plot in cost_plots([MIXED])]
    assert titles == ["The cost of a question", "The time of a question"]


def test_shares_of_outcomes_are_of_own_and_of_null_queries() -> None:
    table = outcomes_table([MIXED])
    assert cells(table, "right") == ["1 (33.3%)"]
    assert cells(table, "reasoning miss") == ["1 (33.3%)"]
    assert cells(table, "error (own)") == ["1 (33.3%)"]
    assert cells(table, "right: not there") == ["1 (100.0%)"]


def test_the_time_of_a_question_from_end_to_end_is_no_node_and_counted_once() -> None:
    result = named(5, seconds={"retrieve": 0.25, "reason": 0.5, WHOLE: 0.875})
    assert seconds_of(result) == 0.875
    assert nodes_of([result]) == {"retrieve": [0.25], "reason": [0.5]}


def test_provenance_says_who_took_part_and_what_went_wrong() -> None:
    table = provenance_table([MIXED])
    said = {row[0].text: row[1].text for row in table.rows}
    assert said["questions"] == "own 3, random 1"
    assert (said["errors"], said["bad lines left out"]) == ("1", "2")
    assert said["bad videos left out"] == "0"
    assert (said["reasoner"], said["prompts reason"]) == ("m", "0123456789ab")
    assert said["commit"] == "abc"


@pytest.mark.slow
@pytest.mark.usefixtures("unrendered")
def test_runs_that_were_asked_different_things_are_told_apart() -> None:
    one, other = run_of(FOUND, NULL), run_of(FOUND, ELSEWHERE, name="other")
    (warning,) = make_report([one, other]).warnings
    assert "1 of 3 questions" in warning
    assert not make_report([one, replace(one, name="other")]).warnings


@pytest.mark.usefixtures("unrendered")
def test_a_run_that_is_not_complete_is_said_to_be_so() -> None:
    stopped = run_of(FOUND, NULL, summary={"questions": {"of": 4}, "stopped": "--max-usd 1"})
    assert make_report([stopped]).warnings == (
        "a run is not complete: 2 of 4 questions were asked.",
    )
    said = {row[0].text: row[1].text for row in provenance_table([stopped]).rows}
    assert said["stopped early"] == "--max-usd 1"


def test_of_a_question_that_was_asked_again_the_last_answer_counts(tmp_path: Path) -> None:
    again = replace(FAILED, verdict="found", error="")
    (run,) = read_runs([written(tmp_path / "run", [FAILED, FOUND, again])])
    assert run.results == (again, FOUND)


def test_runs_in_folders_of_one_name_go_by_their_paths(tmp_path: Path) -> None:
    folders = [written(tmp_path / part / "run", [FOUND]) for part in ("a", "b")]
    assert [run.name for run in read_runs(folders)] == [str(folder) for folder in folders]
    assert read_runs(folders[:1])[0].name == "run"
    with pytest.raises(BenchmarkError, match="given twice"):
        read_runs([folders[0], folders[0]])


@pytest.mark.usefixtures("unrendered")
def test_the_command_writes_a_page_and_markdown_and_says_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = written(tmp_path / "run", MIXED.results)
    out = tmp_path / "new" / "my.html"
    assert report(run, "--out", out) == 0
    assert capsys.readouterr().out.splitlines() == [str(out), str(out.with_suffix(".md"))]
    assert out.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert out.with_suffix(".md").read_text("utf-8").startswith("# whenabouts: run\n")


@pytest.mark.parametrize(
    ("results", "summary", "out", "message"),
    [
        ([], "", "r.html", "holds no result yet"),
        ([FOUND], "{", "r.html", "cannot read .*summary.json"),
        ([FOUND], "[]", "r.html", "holds no JSON object"),
        ([FOUND], '{"bad_lines": 3}', "r.html", "summary.json is no summary.*'bad_lines'"),
        ([FOUND], "", "report.pdf", "--out must name an HTML page.*report.pdf"),
        ([FOUND], "", "run/results.jsonl/r.html", "cannot write"),
    ],
)
@pytest.mark.usefixtures("unrendered")
def test_what_cannot_be_reported_is_said_in_a_line(
    results: list[Result], summary: str, out: str, message: str, tmp_path: Path
) -> None:
    run = written(tmp_path / "run", results, summary)
    with pytest.raises(BenchmarkError, match=message) as caught:
        report(run, "--out", tmp_path / out)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_without_the_extra_the_install_line_is_said(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    run = written(tmp_path / "run", [FOUND])
    with pytest.raises(BenchmarkError, match=re.escape("pip install 'whenabouts[eval]'")):
        report(run, "--out", tmp_path / "r.html")


def test_an_iou_at_a_bound_is_in_the_bin_below_it() -> None:
    assert tenths(np.array([0.0, 1e-6, 0.1 + 0.2, 0.3, 0.301, 1.0])).tolist() == [0, 1, 3, 3, 4, 10]


def test_a_length_at_a_bound_is_in_the_bin_below_it() -> None:
    bins = bins_of([2.0, 2.1, 10.0, 150.0, 1e6])
    assert [LENGTHS[bin_] for bin_ in bins] == ["to 2 s", "2–5 s", "5–10 s", "2–5 min", "over 4 h"]


def test_rows_of_one_query_are_drawn_together() -> None:
    values = np.array([[0.0], [1.0], [0.0], [1.0]])
    together = means(values, ["a", "a", "b", "b"])
    apart = means(values, ["a", "b", "c", "d"])
    assert (together.low[0], together.value[0], together.high[0]) == (0.5, 0.5, 0.5)
    assert apart.low[0] < 0.5 < apart.high[0]


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "not known"), (0.0, "$0.00"), (1234.5, "$1,234.50"), (0.00042, "$0.00042")],
)
def test_dollars_keep_two_digits_that_say_something(amount: float | None, text: str) -> None:
    assert usd(amount) == text


@pytest.mark.data
@pytest.mark.slow
def test_a_thousand_queries_of_the_benchmark_give_a_page_in_seconds(shared_data: Path) -> None:
    lines = (shared_data / "qvhighlights" / "val.jsonl").read_text("utf-8").splitlines()[:1000]
    results = []
    for row in map(json.loads, lines):
        truth = tuple((float(start), float(end)) for start, end in row["relevant_windows"])
        start_s = truth[0][0] + int(row["qid"]) % 7
        results.append(
            named(row["qid"], query=row["query"], video=row["vid"], duration_s=row["duration"],
                  truth=truth, intervals=((start_s, start_s + 10, 0.5),))
        )  # fmt: skip
    text = as_html(make_report([run_of(*results)]))
    assert len(text.encode()) < 500_000
    assert len(re.findall(r'<article class="query">', text)) == 20


def test_a_report_replaces_an_earlier_report_and_nothing_else(tmp_path: Path) -> None:
    runs = written(tmp_path / "run", [FOUND])
    page, notes = tmp_path / "notes.html", tmp_path / "notes.md"
    notes.write_text("# my own notes")
    with pytest.raises(VideoError, match=r"notes\.md is there already"):
        report(runs, "--out", page)
    assert (notes.read_text(), page.exists()) == ("# my own notes", False)
    notes.unlink()
    assert report(runs, "--out", page) == 0
    assert report(runs, "--out", page) == 0
