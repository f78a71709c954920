"""A conversation of twelve turns about ``permissive_composite.mp4``, and a text model for it.

The intervals lie half a step before those of the captions, one every 2 s, around the truth in
``ground_truth.jsonl``.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.servers import Answer, Asked, says

Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Turn:
    """What is said, what should come of it, and how a text model would read it."""

    said: str
    outcome: str
    spans: Spans
    reading: dict[str, Any]


PASSES: Spans = [
    (15.0, 19.0),
    (221.0, 225.0),
    (315.0, 319.0),
    (379.0, 383.0),
    (447.0, 451.0),
    (509.0, 513.0),
    (585.0, 589.0),
]
"""All of them; the LLM-free grounder takes the third to the fifth for the answer."""

CARDIGAN = "a woman in a grey cardigan at the table"
CARS = "two cars pass each other"


def script(passes: Spans) -> list[Turn]:
    """The conversation; ``passes`` is when the cars pass, as the one who answers finds it."""
    return [
        Turn(CARDIGAN, "found", [(47.0, 59.0)], {"query": CARDIGAN}),
        Turn(
            "and after that?",
            "read",
            [(59.0, 89.0)],
            {"kind": "describe", "relation": "after", "turn": 1, "interval": 1},
        ),
        Turn(
            "is she still there at 0:55?",
            "found",
            [(47.0, 59.0)],
            {"kind": "still_there", "query": CARDIGAN, "relation": "at", "times": ["0:55"]},
        ),
        Turn(
            "is she still there at 2:10?",
            "not_found",
            [],
            {"kind": "still_there", "query": CARDIGAN, "relation": "at", "times": ["2:10"]},
        ),
        Turn(CARS, "found", passes, {"query": CARS}),
        Turn("the second time", "found", [passes[1]], {"query": CARS, "which": 2}),
        Turn(
            "again?",
            "found",
            [passes[2]],
            {"query": CARS, "relation": "after", "turn": 6, "interval": 1, "which": 1},
        ),
        Turn("the last one", "found", [passes[-1]], {"query": CARS, "which": -1}),
        Turn(
            "what happens between 1:00 and 1:30?",
            "read",
            [(60.0, 90.0)],
            {"kind": "describe", "relation": "during", "times": ["1:00", "1:30"]},
        ),
        Turn(
            "before the coffee is poured, what was there?",
            "read",
            [(301.0, 331.0)],
            {"kind": "describe", "relation": "before", "event": "the coffee is poured"},
        ),
        Turn(
            "when was the dog there first?",
            "found",
            [(31.0, 39.0)],
            {"query": "the dog there", "which": 1},
        ),
        Turn("cut that out", "cut", [(31.0, 39.0)], {"kind": "cut", "turn": 11, "interval": 1}),
    ]


# What a model that reads the captions would take for each of them.
SHOWN = {
    CARDIGAN: r"cardigan|grey jacket|woman in grey remains",
    CARS: r"pass each other|front of a silver car|red car leaves at the top",
    "the coffee is poured": r"kettle",
    "the dog there": r"\bdog\b|puppy",
}

NOTHING: dict[str, Any] = {
    "kind": "find",
    "query": None,
    "videos": [],
    "relation": "anywhere",
    "times": [],
    "turn": None,
    "interval": None,
    "event": None,
    "which": None,
    "every_time": False,
}


def scripted_model(asked: Asked) -> Answer:
    """Reads turns as the script has them, the second only when told off; and finds by words."""
    system = asked.body["messages"][0]["content"]
    if "Sum the scene up" in asked.text:
        return says('{"summary": "People come and go."}')
    if "rewrite them into one JSON object" not in system:
        return says(_find(asked.text))
    said = asked.text.partition("Their latest words:\n")[2].splitlines()[0]
    turn = next(turn for turn in script(PASSES) if turn.said == said)
    if said == "and after that?" and "was not accepted" not in asked.text:
        return says('They mean {"kind": "describe", "relation": "after", "turn": 7}')
    return says(f"```json\n{json.dumps(NOTHING | turn.reading)}\n```")


def _find(prompt: str) -> str:
    (query,) = re.findall(r"Look for: (.+)", prompt)
    lines = re.findall(r"#(\d+) \[[^]]+\] (.+)", prompt)
    fitting = [int(number) for number, text in lines if re.search(SHOWN[query], text)]
    events: list[dict[str, int]] = []
    for number in fitting:
        if events and events[-1]["last"] == number - 1:
            events[-1]["last"] = number
        else:
            events.append({"first": number, "last": number})
    return json.dumps({"steps": [], "found": bool(events), "events": events})
