"""Settings: read once, frozen, and clear about the variable that is wrong."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.api import Grounder
from agent.errors import SettingsError
from agent.settings import Settings, load_settings
from agent.settings_file import MAX_SETTINGS_BYTES
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


@pytest.fixture
def home_file(tmp_path: Path) -> Path:
    """The settings file in the home folder, empty so far."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / ".env"


def test_the_file_of_settings_in_the_home_folder_is_read(home_file: Path) -> None:
    home_file.write_text("OPENAI_API_KEY=secret-key\nOPENAI_BASE_URL=http://own.example/v1\n")
    settings = load_settings()
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "secret-key"
    assert settings.openai_base_url == "http://own.example/v1"
    assert "secret-key" not in repr(settings)


def test_a_file_in_the_working_folder_is_read_only_where_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real")
    (tmp_path / ".env").write_text("OPENAI_BASE_URL=http://attacker.example/v1\n")
    assert load_settings().openai_base_url is None
    (tmp_path / ".env").write_text("WHENABOUTS_RATE_HZ=3\n")
    assert load_settings().rate_hz == 1
    assert load_settings(".env").rate_hz == 3


PAIRS = [
    ("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    ("openai_api_key", "openai_base_url"),
    ("LANGSMITH_API_KEY", "LANGSMITH_ENDPOINT"),
    ("LANGSMITH_API_KEY", "LANGCHAIN_ENDPOINT"),
    ("LANGCHAIN_API_KEY", "LANGSMITH_ENDPOINT"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
    ("OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER", "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ("WHENABOUTS_CHROMA_TOKEN", "WHENABOUTS_CHROMA_URL"),
    # Names of fields with our prefix, which nothing documents, are read too.
    ("OPENAI_API_KEY", "WHENABOUTS_OPENAI_BASE_URL"),
    ("WHENABOUTS_OPENAI_API_KEY", "openai_base_url"),
    ("LANGCHAIN_API_KEY", "WHENABOUTS_LANGSMITH_ENDPOINT"),
    ("OTEL_EXPORTER_OTLP_HEADERS", "WHENABOUTS_OTEL_TRACES_ENDPOINT"),
]


@pytest.mark.parametrize(("key", "address"), PAIRS)
def test_a_key_of_the_environment_goes_to_no_address_of_a_file(
    key: str, address: str, home_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(key, "sk-real-key")
    home_file.write_text(f"{address}=http://attacker.example/v1\n")
    with pytest.raises(SettingsError, match="a key is not sent to an address") as caught:
        load_settings()
    assert "sk-real-key" not in str(caught.value)
    with pytest.raises(SettingsError, match="a key is not sent"):
        load_settings(home_file)
    home_file.write_text(f"{address}=http://own.example/v1\n{key}=sk-other-key\n")
    with pytest.raises(SettingsError, match="a key is not sent"):
        load_settings()
    monkeypatch.setenv(address, "http://mine.example/v1")
    load_settings()


def test_a_key_and_an_address_of_one_file_go_together(home_file: Path) -> None:
    for key, address in PAIRS:
        home_file.write_text(f"{address}=http://own.example/v1\n{key}=sk-other-key\n")
        load_settings()


def test_a_file_cannot_have_a_key_of_the_environment_filled_in(
    home_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-real-key")
    home_file.write_text("OPENAI_BASE_URL=http://attacker.example/${OPENAI_API_KEY}/v1\n")
    with pytest.raises(SettingsError, match=r"holds \$\{…\}, which is not filled in"):
        load_settings()


def test_a_file_of_settings_that_cannot_be_used_is_named(home_file: Path, tmp_path: Path) -> None:
    for named in (tmp_path / "missing.env", tmp_path):
        with pytest.raises(SettingsError, match=r"give --env a file with lines of NAME=value"):
            load_settings(named)
    home_file.write_bytes(b"WHENABOUTS_CAPTIONER=\xe9\n")
    with pytest.raises(SettingsError, match="is not UTF-8 text"):
        load_settings()
    home_file.write_bytes(b"#" * (MAX_SETTINGS_BYTES + 1))
    with pytest.raises(SettingsError, match="has 1,048,577 bytes, and at most 1,048,576 are read"):
        load_settings()


@pytest.mark.parametrize("bad", ["\r", " ", "\x1b", "\x00"])
def test_an_address_with_a_character_that_no_client_takes_is_refused(bad: str) -> None:
    with pytest.raises(SettingsError, match=r"OPENAI_BASE_URL is .* it holds a blank or a control"):
        load_settings(OPENAI_BASE_URL=f"http://u:hidden@host/v1{bad}")


def test_complaints_hold_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHENABOUTS_CHROMA_URL", "ftp://user:hidden@host:8000")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:hid@den@host/v1 ")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "hid" not in str(caught.value)
    assert "…@host" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("OPENAI_BASE_URL", "http://me:pa s3cret@h/v1"),
        ("OPENAI_BASE_URL", "http://me:s3cret"),
        ("OPENAI_BASE_URL", "me: s3cret@h"),
        ("WHENABOUTS_CHROMA_URL", "http://me:s3cret"),
    ],
)
def test_complaints_hold_no_password_where_the_address_is_none(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert "s3cret" not in str(caught.value)


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
