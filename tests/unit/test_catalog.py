"""Prompts: strict about names, versioned by their text."""

import pytest

from prompts.catalog import PromptError, prompt_version, render_prompt

NAMES = {"captioner": "classical-1", "video": "clip.mp4", "query": "'a dog'"}


def test_a_missing_and_an_unknown_name_are_errors() -> None:
    with pytest.raises(PromptError, match=r"missing \['query'\], unknown \['question'\]"):
        render_prompt("cannot_tell", captioner="x", video="y", question="z")


def test_an_unknown_prompt_is_an_error() -> None:
    with pytest.raises(PromptError, match="no prompt 'nothing'"):
        prompt_version("nothing")


def test_values_are_data_and_never_placeholders() -> None:
    assert "$video" in render_prompt("cannot_tell", **(NAMES | {"query": "$video"}))


def test_the_advice_names_the_video_and_the_question() -> None:
    assert "whenabouts ask clip.mp4 'a dog' --captions FILE.jsonl" in render_prompt(
        "cannot_tell", **NAMES
    )
