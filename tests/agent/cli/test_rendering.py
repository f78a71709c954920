"""Clock times and the timeline bar."""

from dataclasses import replace

import pytest
from rich.padding import Padding

from agent.cli.printing import say
from agent.cli.provenance import agreement_line
from agent.cli.rendering import progress_line, render_answer, timeline_bar
from agent.grounding import AskedSource, Candidate, Grounding
from tests.road import ScriptedReasoner, ask, graph_with
from tools.clock import clock, clock_span
from tools.indexing.progress import Progress
from tools.store.store import CaptionStore
from tools.timeline import Interval


@pytest.mark.parametrize(
    ("time_s", "shown"),
    [
        (0.0, "0:00.0"),
        (34.04, "0:34.0"),
        (59.96, "1:00.0"),
        (725.5, "12:05.5"),
        (3599.97, "1:00:00.0"),
        (3723.4, "1:02:03.4"),
    ],
)
def test_times_read_like_a_clock_and_never_show_sixty_seconds(time_s: float, shown: str) -> None:
    assert clock(time_s) == shown


def test_a_span_reads_like_two_clocks() -> None:
    assert clock_span(Interval(34, 41.5)) == "0:34.0–0:41.5"


@pytest.mark.parametrize(
    ("spans", "bar"),
    [
        ([Interval(0, 5)], "█████·····"),
        ([Interval(5, 10)], "·····█████"),
        ([Interval(9.99, 10)], "·········█"),
        ([Interval(3, 3.001), Interval(7, 8)], "···█···█··"),
        ([Interval(0, 10)], "██████████"),
        ([], "··········"),
    ],
)
def test_the_bar_is_filled_where_the_span_lies(spans: list[Interval], bar: str) -> None:
    assert timeline_bar(spans, duration_s=10.0, cells=10) == bar


def test_the_bar_is_blank_where_nobody_has_looked() -> None:
    bar = timeline_bar([Interval(3, 4)], duration_s=10.0, cells=10, unseen=[Interval(4, 9)])
    assert bar == "···█     ·"


def test_a_progress_line_leaves_out_what_matters_least_where_there_is_no_room() -> None:
    progress = Progress(
        *("/films/a.mp4", "openai:tiny", 60.0, 600.0, 308),
        resumed=False,
        frames=100,
        skipped=40,
        captions_per_s=3.14,
        left_s=125.0,
        tokens=123_456,
        usd=0.0123,
    )
    whole = progress_line(progress)
    assert whole == (
        "308 captions, 2:05 left, 0.0123 USD, 3.1/s, 40% of frames alike, 123,456 tokens"
    )
    assert progress_line(progress, width=40) == "308 captions, 2:05 left, 0.0123 USD"
    assert progress_line(replace(progress, captions=1), width=5) == "1 caption"


def source(kind: str, agrees: bool | None, best: tuple[float, float] | None) -> AskedSource:
    verdict = "found" if best else "not_found"
    plain = {"kind": kind, "name": kind, "verdict": verdict, "answers": bool(agrees)}
    return AskedSource.model_validate(plain | {"agrees": agrees, "best": best})


def test_sources_that_agree_are_named_and_others_with_their_time() -> None:
    captions, frames = source("described", True, (1.0, 4.0)), source("seen", True, (1.0, 5.0))
    assert agreement_line([captions, frames]) == "evidence: captions and frames agree"
    elsewhere = source("seen", False, (34.0, 41.5))
    assert agreement_line([captions, elsewhere]) == "evidence: 0:34.0–0:41.5 according to frames"
    blind = source("seen", False, None)
    assert agreement_line([captions, blind]) == "evidence: not found according to frames"
    silent = source("said", None, None)
    assert agreement_line([captions, silent]) == ""


def test_sources_that_did_not_find_it_agree_on_no_evidence() -> None:
    captions, measured = source("described", True, None), source("measured", True, None)
    assert agreement_line([captions, measured]) == ""


def test_a_line_break_in_a_message_breaks_no_line_of_output(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("indexing a\nwhenabouts: found\tb.mp4")
    assert capsys.readouterr().err == "indexing a\\nwhenabouts: found\\tb.mp4\n"


def shown(answer: Grounding) -> str:
    return "\n".join(str(part) for part in render_answer(answer))


def test_what_is_most_alike_has_a_number_only_where_likeness_decided(store: CaptionStore) -> None:
    answer = ask(graph_with(store, ScriptedReasoner('{"steps": [], "found": false}')))
    near = Candidate(start_s=8, end_s=14, score=0.3, confidence=0.3)
    by_model = answer.model_copy(update={"closest_rejected": near})
    assert "most alike, but not it: 0:08.0–0:14.0\n" in shown(by_model)
    alike = by_model.model_copy(update={"by": "similarity"})
    assert "closest, but not good enough: 0:08.0–0:14.0  confidence 0.30" in shown(alike)
    nothing = near.model_copy(update={"confidence": 0.004})
    assert "closest" not in shown(alike.model_copy(update={"closest_rejected": nothing}))


def test_frames_that_a_video_model_saw_are_no_captions(store: CaptionStore) -> None:
    answer = ask(graph_with(store, ScriptedReasoner('{"steps": [], "found": false}')))
    models = answer.models.model_copy(update={"captioner": "none", "direct": "openai:video"})
    told = [
        str(part.renderable)
        for part in render_answer(answer.model_copy(update={"models": models}))
        if isinstance(part, Padding)
    ]
    assert any("frames: openai:video, " in one for one in told)
    assert not any("captions: none" in one for one in told)
