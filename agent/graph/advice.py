"""What would enable an answer where none can be given, and when that is so."""

from collections.abc import Sequence

from agent.graph.covering import SEEN_SHARE
from agent.graph.state import State
from agent.grounding import Coverage
from prompts.catalog import Prompts
from tools.retrieval.tracks import is_measured
from tools.signals.plain_words import in_other_language
from tools.signals.vocabulary import words_of
from tools.store.store import VideoRecord
from tools.text import for_a_shell, letters_by_script

WORD_LETTERS = 3
"""A question with at least as many letters of another script has a word in it."""

FEW_CAPTIONS = 0.2
"""If no more of the captions than this have letters of a script, they are not in its languages."""


def advice_for(
    state: State,
    record: VideoRecord,
    coverage: Coverage,
    prompts: Prompts,
    *,
    script: str,
    embedder: str,
) -> str:
    """What the user can do where the answer is "cannot tell"; empty where nothing would help.

    Args:
        state: Of the graph, once a reply was accepted.
        record: The track that the question is answered from.
        coverage: What its captions cover.
        prompts: Hold the texts.
        script: The script that the embedder does not know; empty where it knows all.
        embedder: Its name.
    """
    query = state["asked"]
    if state["ranking"].get("is_unclear"):
        return ""
    if script and coverage.seen_s > 0:
        return prompts.render(
            "other_script",
            script=script_name(script),
            captioner=record.track.model,
            embedder=embedder,
            video=for_a_shell(record.path),
            query=for_a_shell(query),
        )
    # More captions of a kind that cannot show it would not help.
    is_hopeless = is_beyond(state) and coverage.seen_s > 0
    if not record.complete and not is_hopeless:
        return prompts.render(
            "seen_in_part",
            seen=f"{coverage.seen_s:.0f}",
            duration=f"{record.duration_s:.0f}",
            video=for_a_shell(record.path),
            query=for_a_shell(query),
            options=_options(record),
        )
    if coverage.seen_s < SEEN_SHARE * record.duration_s and not is_hopeless:
        return prompts.render(
            "described_in_part",
            seen=f"{coverage.seen_s:.0f}",
            duration=f"{record.duration_s:.0f}",
            captioner=record.track.model,
        )
    if not is_beyond(state) and not is_seen_alone(state, record):
        return prompts.render("unsure", video=for_a_shell(record.path), query=for_a_shell(query))
    return prompts.render(
        "cannot_tell",
        captioner=record.track.model,
        video=for_a_shell(record.path),
        query=for_a_shell(query),
    )


def script_name(script: str) -> str:
    """A script as people write its name."""
    return script.capitalize() if len(script) > 3 else script


def _options(record: VideoRecord) -> str:
    """The options, as typed after a query, with which a command continues this description."""
    model, track = record.track.model.partition("+")[0], record.track
    options = []
    if is_measured(track):
        options.append("--captioner classical")
    elif model.startswith("openai:"):
        options.append(f"--captioner {for_a_shell(model)}")
    mode = track.mode.partition("@")[0]
    if mode != "frame":
        options.append(f"--mode {mode}")
    if record.rate_hz not in {None, 1.0}:
        options.append(f"--rate {record.rate_hz:g}")
    return "".join(f" {option}" for option in options)


def is_beyond(state: State) -> bool:
    """Whether these captions could not show it either way: the grounder has no window for it."""
    ranking = state["ranking"]
    return bool(ranking["verdict"] == "cannot_tell" and not ranking["windows"])


def is_seen_alone(state: State, record: VideoRecord) -> bool:
    """Whether frames decided, and the captions are of a kind that says nothing of things."""
    kinds = {one["kind"] for one in state["ranking"].get("heard", ()) if one["answers"]}
    return kinds == {"seen"} and is_measured(record.track)


def unknown_script(query: str, texts: Sequence[str], *, embedder: str) -> str:
    """The script of words in a question that the embedder does not know; empty where it knows all.

    Args:
        query: The question.
        texts: What the captions say: words in their script are found by their letters.
        embedder: Its name; what others than the built-in one have learned is not known.
    """
    if not embedder.startswith("minilm"):
        return ""
    for script, letters in letters_by_script(query).most_common():
        if script == "LATIN" or letters < (1 if script in {"CJK", "HANGUL"} else WORD_LETTERS):
            continue
        known = sum(script in letters_by_script(text) for text in texts)
        if known <= FEW_CAPTIONS * len(texts):
            return script
    return ""


def is_other_language(query: str, texts: Sequence[str], *, embedder: str) -> bool:
    """Whether a question is in another language than the captions; arguments as of the above."""
    if not embedder.startswith("minilm") or not in_other_language(words_of(query)):
        return False
    return not any(in_other_language(words_of(text)) for text in texts)
