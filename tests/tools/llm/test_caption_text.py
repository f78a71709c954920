"""The caption alone is kept of what an image model says, and nothing where it only thought."""

import pytest

from tools.llm.caption_text import caption_of
from tools.llm.thoughts import without_thoughts

SAID = "Is there a cat? No, no cat here."
CAPTION = "A red wall."


def caption(reply: str, *, cut_off: bool = False) -> tuple[str, bool]:
    spoken = without_thoughts(reply)
    said = caption_of(spoken.text, cut_off=cut_off)
    return said.text, spoken.thought or said.thought


@pytest.mark.parametrize(
    "wrapped",
    [
        "**Caption:** Here is a one-sentence description: {}",
        "## Caption\n{}",
        "**Caption**\n{}",
        "Sure! Here's a caption for the image:\n\n{}",
        "Great! Here is your caption: {}",
        "Based on the image, here is a caption: {}",
        "The caption is: {}",
        "Description of the image: {}",
        "Let me describe it: {}",
        "Hier ist die Beschreibung: {}",
        "Voici la description : {}",
        "描述：{}",
        "Описание: {}",
        "<caption>{}</caption>",
        "<observation>No cat.</observation><caption>{}</caption>",
        "<unheard_of>No cat, no.</unheard_of>{}",
        '```json\n{{"caption": "{}"}}\n```',
        '{{"note": "No cat.", "description": "{}"}}',
        '["{}"]',
        "\\boxed{{{}}}",
        "$\\boxed{{\\text{{{}}}}}$",
        "**{}**",
        "“{}”",
        "„{}“",
        "- {}",
        "1. {}",
        "<|im_start|>assistant\n{}<|im_end|>",
        "<start_of_turn>model\n{}<end_of_turn>",
        "[INST] {} [/INST]",
        "{}<｜end▁of▁sentence｜>",
        "assistant: {}",
    ],
)
def test_what_is_wrapped_around_a_caption_is_none_of_it(wrapped: str) -> None:
    assert caption(wrapped.format(CAPTION)) == (CAPTION, False)


@pytest.mark.parametrize(
    "reply",
    [
        f"**Thinking:** {SAID}\n\n**Caption:** {CAPTION}",
        f"Thought: {SAID}\nFinal Answer: {CAPTION}",
        f"# Reasoning\n{SAID}\n\n# Answer\n{CAPTION}",
        f"> {SAID}\n\n{CAPTION}",
        f"```thinking\n{SAID}\n```\n\n{CAPTION}",
        f"<details><summary>Thinking</summary>{SAID}</details>{CAPTION}",
        f"Okay, let me see. {SAID}\n\n{CAPTION}",
    ],
)
def test_thoughts_under_a_heading_or_said_aloud_are_left_out(reply: str) -> None:
    assert caption(reply) == (CAPTION, False)


@pytest.mark.parametrize(
    "reply",
    [
        f"**Thinking:** {SAID}",
        f"```thinking\n{SAID}",
        f"<details><summary>Thinking</summary>{SAID}",
        f"<思考>{SAID}",
        f"Thinking...\n{SAID}",
        "[THIN",
        "◁thi",
        "<|begin_of_th",
        "&lt;thi",
        "Got it, let me look at the picture. The user wants a caption. First,",
        "So the user wants one sentence. Is there a cat? No, no cat jumps on",
    ],
)
def test_thoughts_that_a_limit_cut_off_are_no_caption(reply: str) -> None:
    assert caption(reply, cut_off=True) == ("", True)


@pytest.mark.parametrize(
    "said",
    [
        "Great white sharks swim past a diver.",
        "Answer sheets lie on a desk.",
        "Here a man sits down.",
        "Looking at the camera, a woman smiles.",
        "The user interface shows a chart.",
        "Let me in, says the sign.",
        "We need milk is written on a note.",
        "A man (thinking) sits at a desk.",
        "[Music] a man talks",
        "Thinking man statue stands in a park.",
        "<b>Bold</b> text on a page",
        "A page shows <div> tags.",
        '"Go" and "Stop" signs',
        "- A man\n- A dog",
        "A sign reads: CAPTION",
        "The video shows: a man walking",
        '{"frames": [{"frame": 1, "state": "done", "sees": "a cup"}], "first": null}',
        'Let me look at it. {"frames": []}',
    ],
)
def test_a_caption_that_only_looks_odd_is_left_alone(said: str) -> None:
    assert caption(said) == (said, False)
