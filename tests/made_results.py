"""Results of a run, made by hand: a found answer that is exactly right, but for what is changed."""

from dataclasses import replace
from typing import Any

from evaluation.results import Result

RIGHT = Result(
    key="own:q1",
    kind="own",
    qid="q1",
    query="a red kite",
    video="park",
    duration_s=100.0,
    truth=((20.0, 30.0),),
    verdict="found",
    presence=0.9,
    confidence=0.8,
    intervals=((20.0, 30.0, 0.8),),
    candidates=((20.0, 30.0, 3.0),),
    shown=((0.0, 100.0),),
    by="llm",
    attempts=1,
)


def made(qid: str = "q1", **changes: Any) -> Result:
    """An own query's result; it is right unless the changes make it wrong."""
    return replace(RIGHT, key=f"own:{qid}", qid=qid, **changes)


def missed(qid: str = "q1", **changes: Any) -> Result:
    """An own query's result that was answered elsewhere."""
    elsewhere = {"intervals": ((60.0, 70.0, 0.8),), "candidates": ((60.0, 70.0, 3.0),)}
    return made(qid, **{**elsewhere, **changes})


def null(qid: str = "q1", *, kind: str = "random", found: bool = False, **changes: Any) -> Result:
    """The same query asked of a video that it is not about."""
    plain: dict[str, Any] = {
        "kind": kind,
        "video": "harbour",
        "truth": (),
        "verdict": "found" if found else "not_found",
        "intervals": ((1.0, 2.0, 0.8),) if found else (),
        "presence": 0.1,
    }
    return replace(RIGHT, key=f"{kind}:{qid}", qid=qid, **{**plain, **changes})
