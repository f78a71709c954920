"""The settings file: what is not set anew stays, and nothing is written that would not count."""

from pathlib import Path

import pytest

from agent.errors import SettingsError
from agent.settings import load_settings
from agent.setup.settings_lines import check_writable, write_settings

SIGHT = {"WHENABOUTS_SIGHT": "clip-vit-b32"}


def test_a_line_is_changed_in_its_place_however_it_is_written(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# mine, WHENABOUTS_SIGHT=off\r\nexport whenabouts_sight = off\n\nOTHER='a # b'\n"
        "WHENABOUTS_SIGHT=siglip2-base\nWHENABOUTS_RATE_HZ=2"
    )
    write_settings(file, SIGHT | {"WHENABOUTS_CAPTIONER": "openai:a/b:c"})
    assert file.read_text().splitlines() == [
        "# mine, WHENABOUTS_SIGHT=off",
        "WHENABOUTS_SIGHT=clip-vit-b32",
        "",
        "OTHER='a # b'",
        "WHENABOUTS_RATE_HZ=2",
        "WHENABOUTS_CAPTIONER=openai:a/b:c",
    ]
    settings = load_settings(file)
    assert (settings.sight, settings.rate_hz) == ("clip-vit-b32", 2.0)
    assert settings.captioner == "openai:a/b:c"


def test_what_the_environment_sets_otherwise_is_told_and_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\n")
    monkeypatch.setenv("WHENABOUTS_SIGHT", "off")
    with pytest.raises(SettingsError, match="WHENABOUTS_SIGHT=clip-vit-b32 would not count"):
        write_settings(file, SIGHT)
    monkeypatch.delenv("WHENABOUTS_SIGHT")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-mine")
    with pytest.raises(SettingsError, match=r"a key is not sent to an address.*stays as it was"):
        write_settings(file, {"OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"})
    assert file.read_text() == "# mine\n"
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_to_a_file_stays_one(tmp_path: Path) -> None:
    kept = tmp_path / "dotfiles" / "whenabouts"
    kept.parent.mkdir()
    kept.write_text("# kept\n")
    file = tmp_path / ".env"
    file.symlink_to(kept)
    write_settings(file, SIGHT)
    assert file.is_symlink()
    assert kept.read_text() == "# kept\nWHENABOUTS_SIGHT=clip-vit-b32\n"


@pytest.mark.parametrize("broken", ["a folder", "in a file", "not text"])
def test_what_cannot_be_written_is_told_with_what_to_set(broken: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    if broken == "a folder":
        file.mkdir()
    elif broken == "not text":
        file.write_bytes(b"\xff\xfe\x00")
    else:
        file = tmp_path / "plain" / ".env"
        file.parent.write_text("x")
    for write in (write_settings, check_writable):
        with pytest.raises(SettingsError, match="set these yourself: WHENABOUTS_SIGHT=clip-vit-"):
            write(file, SIGHT)
