"""What an answer is made from, who decided and what it took, in lines below it."""

from __future__ import annotations

from collections.abc import Sequence

from agent.grounding import AskedSource, Coverage, Grounding, Usage
from tools.captioners.blank import BLANK
from tools.clock import clock_span
from tools.ranking import EvidenceKind
from tools.text import counted, in_one_row, shorten
from tools.timeline import Interval


def provenance(grounding: Grounding) -> str:
    """What was seen and by whom, what answers, who decided, and what that took."""
    coverage, models = grounding.coverage, grounding.models
    look = models.mode.partition("@")[0]
    looked = f", {look}" if look not in {"frame", "file"} else ""
    is_looked = coverage.rate_hz and models.mode != "file"
    rate = f", {coverage.rate_hz:g}/s" if is_looked else ""
    share = coverage.seen_s / grounding.video.duration_s
    spent_s = sum(grounding.usage.seconds.values())
    by = models.reasoner
    if grounding.by == "fallback":
        why = "its replies were refused" if grounding.refusals else "it was not asked"
        by = f"similarity in place of {by}: {why}"
    seen = f"{share:.0%} of the video seen{_not_described(coverage)}"
    # Captions that only mark frames say nothing: what was seen is who saw it.
    looks = (models.sight or models.direct) if models.captioner == BLANK else ""
    what = f"frames: {looks}" if looks else f"captions: {models.captioner}{looked}"
    if looks and not models.sight:
        rate = ""  # A video model is shown frames at a rate of its own.
    answering = [one for one in grounding.sources if one.answers]
    if len(grounding.sources) > 1 and {one.kind for one in answering} == {"measured"}:
        # What was seen is then told of what was measured.
        what = f"measured: {answering[0].name}"
        rate = f", {coverage.rate_hz:g}/s" if coverage.rate_hz else ""
    return (
        f"{in_one_row(f'{what}{rate}, {seen}')}\n"
        f"{_answered_by(grounding.sources)}"
        f"decided by: {by}, in {spent_s:.1f} s{_spent(grounding.usage)}"
    )


PATHS = {
    "captions": "the text model",
    "similarity": "similarity",
    "judge": "the judge",
    "direct": "the video model",
}


def paths_line(grounding: Grounding) -> str:
    """Which ways to an answer agree with it, and what the others say."""
    agree = [PATHS[one.path] for one in grounding.paths if one.agrees]
    others = [
        f"{PATHS[one.path]} prefers {clock_span(Interval(*one.best))}"
        if one.best
        else f"{PATHS[one.path]} says {one.verdict.replace('_', ' ')}"
        for one in grounding.paths
        if one.agrees is False
    ]
    unsure = [PATHS[one.path] for one in grounding.paths if one.agrees is None]
    named = _listed(agree)
    # One alone agrees with nobody.
    alone = len(agree) == 1 and bool(others or unsure)
    told = [f"{'said' if alone else 'agreed'} by {named}"] if agree else []
    told += others
    told += [f"{', '.join(unsure)} cannot tell"] if unsure and not others else []
    return "paths: " + "; ".join(told)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _answered_by(sources: Sequence[AskedSource]) -> str:
    """A line about what answers, where several sources were asked."""
    if len(sources) < 2:
        return ""
    named = {
        answers: ", ".join(_source(one) for one in sources if one.answers is answers)
        for answers in (True, False)
    }
    asked = f"; asked too: {named[False]}" if named[False] else ""
    agreement = agreement_line(sources)
    return f"answered by: {named[True]}{asked}\n" + (f"{agreement}\n" if agreement else "")


def agreement_line(sources: Sequence[AskedSource]) -> str:
    """Which sources agree with the answer, and what the others say; empty where none says so.

    That none of them found it is what "not found" says already.
    """
    agree = [KINDS[one.kind] for one in sources if one.agrees and one.verdict == "found"]
    others = [
        f"{clock_span(Interval(*one.best)) if one.best else 'not found'} according to "
        f"{KINDS[one.kind]}"
        for one in sources
        if one.agrees is False
    ]
    told = [f"{_listed(agree)} agree"] if len(agree) > 1 else []
    told += others
    return f"evidence: {'; '.join(told)}" if told else ""


KINDS: dict[EvidenceKind, str] = {
    "described": "captions",
    "measured": "measurement",
    "said": "speech",
    "seen": "frames",
    "written": "text on the screen",
}


def _source(source: AskedSource) -> str:
    kind = KINDS[source.kind]
    name = in_one_row(source.name)
    return name if name.startswith("subtitles") else f"{kind} ({name})"


def _not_described(coverage: Coverage) -> str:
    """How often a captioner that was shown frames said nothing, and why it did the first time."""
    reasons = [gap.reason for gap in coverage.gaps if gap.reason]
    if not reasons:
        return ""
    stretches = "1 stretch" if len(reasons) == 1 else f"{len(reasons)} stretches"
    return f" ({stretches} not described: {shorten(reasons[0], 100)})"


def _spent(usage: Usage) -> str:
    tokens = usage.tokens_in + usage.tokens_out
    reused = sum(cost.calls for cost in usage.kept.values())
    kept = f", {reused} repl{'y' if reused == 1 else 'ies'} kept from before" if reused else ""
    if not tokens:
        return kept
    usd = "at a price not known here" if usage.usd is None else f"{usage.usd:.4f} USD"
    calls = sum(cost.calls for cost in usage.stages.values())
    asked = f", {calls} call{'' if calls == 1 else 's'}" if calls else ""
    frames = f" with {counted(usage.frames, 'frame')}" if usage.frames else ""
    return f"{asked}{frames}, {tokens:,} tokens, {usd}{kept}"
