"""Prompts: strict about names, versioned by their text."""

from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import load_settings
from prompts.catalog import PACKAGED, PromptError, Prompts

NAMES = {"captioner": "classical-4", "video": "clip.mp4", "query": "'a dog'"}


def test_a_missing_and_an_unknown_name_are_errors() -> None:
    with pytest.raises(PromptError, match=r"missing \['query'\], unknown \['question'\]"):
        PACKAGED.render("cannot_tell", captioner="x", video="y", question="z")


def test_an_unknown_prompt_is_an_error() -> None:
    with pytest.raises(PromptError, match="no prompt 'nothing'"):
        PACKAGED.version("nothing")


def test_values_are_data_and_never_placeholders() -> None:
    assert "$video" in PACKAGED.render("cannot_tell", **(NAMES | {"query": "$video"}))


def test_the_advice_names_the_video_and_the_question_in_two_lines() -> None:
    advice = PACKAGED.render("cannot_tell", **NAMES)
    assert "whenabouts ask clip.mp4 'a dog' --captioner openai:MODEL" in advice
    assert len(advice.splitlines()) == 2


def test_a_prompt_of_ones_own_stands_in_place_of_one_here_and_has_a_version_of_its_own(
    tmp_path: Path,
) -> None:
    (tmp_path / "cannot_tell.md").write_text("No. $captioner $video $query for $$1")
    prompts = Prompts.read(tmp_path)
    assert prompts.render("cannot_tell", **NAMES) == "No. classical-4 clip.mp4 'a dog' for $1"
    assert prompts.version("cannot_tell") != PACKAGED.version("cannot_tell")
    assert prompts.version("reason") == PACKAGED.version("reason")
    assert PACKAGED.render("cannot_tell", **NAMES).startswith("The captions (classical-4)")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("cannot_tell.md", "No. $captioner $video", r"must be \$captioner, \$query, \$video"),
        ("cannot_tell.md", "$captioner $video $query $", "any other dollar sign"),
        ("cannot-tell.md", "No.", "there is no prompt 'cannot-tell'"),
        ("cannot_tell.txt", "No.", "holds no prompt"),
    ],
)
def test_prompts_that_cannot_stand_in_are_refused_by_file(
    tmp_path: Path, name: str, text: str, complaint: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=complaint) as refused:
        load_settings(prompts=tmp_path)
    assert str(tmp_path) in str(refused.value)
