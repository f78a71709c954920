"""Settings: read once, frozen, and clear about the variable that is wrong."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.api import Grounder
from agent.errors import SettingsError
from agent.settings import Settings, load_settings
from tests.package.source_imports import ROOT


def test_home_moves_everything_we_write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WHENABOUTS_HOME", str(tmp_path / "elsewhere"))
    settings = load_settings()
    assert settings.store_folder.is_relative_to(tmp_path / "elsewhere")
    assert settings.cache_folder.is_relative_to(tmp_path / "elsewhere")


def test_a_bad_value_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_RATE_HZ", "fast")
    with pytest.raises(SettingsError, match="WHENABOUTS_RATE_HZ is 'fast'"):
        load_settings()


def test_a_bad_option_is_named_as_an_option() -> None:
    with pytest.raises(SettingsError, match="option rate_hz is -1"):
        load_settings(rate_hz=-1)


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_RATE_HZ", "3")
    assert load_settings(rate_hz=2).rate_hz == 2
    assert load_settings(rate_hz=None).rate_hz == 3


def test_a_dotenv_file_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=secret-key\n")
    settings = load_settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "secret-key"
    assert "secret-key" not in repr(settings)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().rate_hz = 5  # type: ignore[misc]  # the point of the test


def test_a_reasoner_that_is_named_is_taken_whatever_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Grounder().reasoner.name == "similarity"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    monkeypatch.setenv("WHENABOUTS_REASONER", "openai:tiny")
    assert Grounder().reasoner.name == "openai:tiny"
    assert Grounder(load_settings(reasoner="similarity")).reasoner.name == "similarity"


def test_a_reasoner_that_does_not_exist_says_which_do() -> None:
    with pytest.raises(SettingsError, match=r"no reasoner 'gpt'; use auto, similarity, or"):
        _ = Grounder(load_settings(reasoner="gpt")).reasoner


def test_the_example_file_names_every_variable_of_ours() -> None:
    named = set(
        re.findall(r"^#?(WHENABOUTS_\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    ours = {
        f"WHENABOUTS_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if field.alias is None and field.validation_alias is None
    }
    assert named == ours
