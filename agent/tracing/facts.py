"""What a span says in addition to its inputs and outputs, read from the state that nodes write.

Facts are numbers, names and kinds: nothing in them is a word of a question or a caption.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Values = Mapping[str, Any]


def facts_of(inputs: Values, outputs: Values) -> dict[str, Any]:
    """The facts of a node, of the graph, or of a whole question.

    Args:
        inputs: The state that the node was handed, unscrubbed.
        outputs: What it changed, in the same form.
    """
    facts: dict[str, Any] = {}
    if record := outputs.get("record"):
        facts |= {
            "video_id": record["video_id"],
            "captioner": record["track"]["model"],
            "prompt_version": record["track"]["prompt_version"],
            "caption_count": record["captions"],
        }
    if "reply" in outputs and "attempts" in outputs:
        facts["attempt"] = outputs["attempts"]
        if isinstance(reply := outputs["reply"], Mapping):  # Of a chat's turn, it is words alone.
            facts["look_ups"] = [one["tool"] for one in reply["requests"]]
    if outputs.get("accepted") or outputs.get("follow_up"):
        facts["accepted_by"] = outputs.get("by", "")
    if (turns := outputs.get("turns")) and (refusal := turns[-1].get("refusal")):
        facts["refusals"] = [refusal["kind"]]
    if refusals := outputs.get("refusals"):
        # Of readings of a chat's turn: all so far.
        facts["refusals"] = [refusals[-1]["kind"]]
    if spent := outputs.get("spent"):
        facts |= _cost_between(inputs.get("spent") or {}, spent)
    if grounding := outputs.get("grounding"):
        facts |= _facts_of_answer(grounding)
    if isinstance(turn := outputs.get("answer"), Mapping):
        facts |= _facts_of_turn(turn)
    return {name: fact for name, fact in facts.items() if fact not in ("", [], {})}


def usage_of(message: Any) -> dict[str, Any]:
    """Tokens and price of a model's reply, where they are known, and why the reply ended."""
    counted = getattr(message, "usage_metadata", None) or {}
    told = getattr(message, "response_metadata", None) or {}
    facts = {
        "tokens_in": counted.get("input_tokens"),
        "tokens_out": counted.get("output_tokens"),
        "usd": told.get("usd"),
        "finish": told.get("finish_reason") or told.get("stop_reason") or told.get("done_reason"),
    }
    return {name: fact for name, fact in facts.items() if fact}


def tags_of(facts: Values) -> tuple[str, ...]:
    """Tags to filter by: ``verdict:not_found``, ``refused:no_json``."""
    single = [
        f"{name}:{facts[name]}"
        for name in ("verdict", "by", "captioner", "reasoner", "outcome", "read_by")
        if name in facts
    ]
    refusals: Sequence[str] = facts.get("refusals", ())
    return (*single, *(f"refused:{kind}" for kind in dict.fromkeys(refusals)))


def _facts_of_answer(grounding: Values) -> dict[str, Any]:
    models, usage = grounding["models"], grounding["usage"]
    return {
        "video_id": grounding["video"]["id"],
        "verdict": grounding["verdict"],
        "by": grounding["by"],
        "attempts": grounding["attempts"],
        "refusals": [one["kind"] for one in grounding["refusals"]],
        "look_ups": [one["tool"] for one in grounding["look_ups"]],
        "captioner": models["captioner"],
        "reasoner": models["reasoner"],
        "embedder": models["embedder"],
        "prompts": dict(models["prompts"]),
        **{name: usage[name] for name in ("captions", "tokens_in", "tokens_out")},
        "usd": None if usage["usd"] is None else round(usage["usd"], 12),
    }


def _facts_of_turn(turn: Values) -> dict[str, Any]:
    """Of a turn of a chat."""
    results = turn["results"]
    return {
        "video_id": "+".join(one["video"]["id"] for one in results if one["video"]),
        "outcome": "+".join(dict.fromkeys(one["outcome"] for one in results)),
        "read_by": turn["by"],
        "refusals": [one["kind"] for one in turn["refusals"]],
        "prompts": dict(turn["prompts"]),
    }


def _stages(spent: Values) -> list[Values]:
    """The costs by stage of a question, or the one cost of a turn of a chat."""
    return [spent] if "usd" in spent else list(spent.values())


def _cost_between(before: Values, after: Values) -> dict[str, Any]:
    """What one step cost, all stages together; dollars once unknown stay unknown."""
    facts: dict[str, Any] = {}
    for name in ("captions", "tokens_in", "tokens_out", "usd"):
        sums = []
        for spent in (before, after):
            costs = [stage[name] for stage in _stages(spent)]
            sums.append(None if None in costs else sum(costs))
        was, now = sums
        if was is None or now is None:
            # A step that asked nobody has no price.
            facts |= {name: None} if facts.get("tokens_in") else {}
        elif now > was:
            # A sum of floats could end in 0000000000000004.
            facts[name] = round(now - was, 12)
    return facts
