"""What belongs to somebody else, or cannot be written: one line, and nobody is locked out."""

import errno
import os
from pathlib import Path

import pytest

from agent.cli.main import main
from agent.errors import EmbedderError, SettingsError, StoreError, VideoError
from agent.settings import load_settings
from agent.watching.video_names import expand_videos
from agent.web.library import Library
from tests.drawing import draw_video, even_times
from tools.embedders.minilm import _appearing_whole
from tools.output_files import check_place, write_whole
from tools.private_files import keep_private, make_private_file, make_private_folder
from tools.store.store import CaptionStore

SOMEBODY = 65534

as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes files for others"
)


@as_root
def test_what_root_makes_in_a_folder_of_somebody_is_theirs(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, SOMEBODY, SOMEBODY)
    store = home / "store" / "copies"
    make_private_folder(store)
    make_private_file(store / "one.copy")
    made_by_others = store / "two.copy"
    made_by_others.write_bytes(b"")
    keep_private(home / "store")
    with _appearing_whole(home / "cache" / "graph.onnx") as unfinished:
        unfinished.write_bytes(b"")
    owners = {path.name: path.stat().st_uid for path in home.rglob("*")}
    assert len(owners) == 6
    assert set(owners.values()) == {SOMEBODY}


@as_root
def test_a_file_of_roots_that_somebody_has_linked_to_stays_roots(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"")
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, SOMEBODY, SOMEBODY)
    (home / "second-name").hardlink_to(secret)
    (home / "link").symlink_to(secret)
    keep_private(home)
    assert secret.stat().st_uid == 0


@as_root
def test_what_root_makes_in_a_folder_of_its_own_stays_its_own(tmp_path: Path) -> None:
    make_private_file(tmp_path / "one")
    assert (tmp_path / "one").stat().st_uid == 0


def test_settings_that_cannot_be_read_say_which_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHENABOUTS_HOME", str(tmp_path / ("x" * 300)))
    with pytest.raises(SettingsError, match=r"xx/\.env: File name too long; set WHENABOUTS_HOME"):
        load_settings()


def test_a_place_that_cannot_be_written_is_refused_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(VideoError, match=r"the folder .* cannot be written; name a file"):
        check_place(tmp_path / "x.mp4", what="a clip")
    with pytest.raises(SettingsError, match="cannot be looked into; give it read permission"):
        Library([tmp_path], None)
    assert main(["ask", "x.mp4", "a dog", "--thumbnails", str(tmp_path / "new" / "er")]) == 2


def test_a_failed_write_says_what_to_do(tmp_path: Path) -> None:
    def fill(_: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with pytest.raises(VideoError, match="Read-only file system; name a file in another folder"):
        write_whole(tmp_path / "x.mp4", fill, what="a clip")
    for number, advice in ((errno.ENOSPC, "free some space"), (errno.EROFS, "write permission")):
        with (
            pytest.raises(EmbedderError, match=advice),
            _appearing_whole(tmp_path / "graph.onnx"),
        ):
            raise OSError(number, os.strerror(number))


def test_a_folder_that_cannot_be_looked_into_is_not_called_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def shut(path: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "scandir", shut)
    with pytest.raises(VideoError, match="cannot be looked into: Permission denied"):
        expand_videos([str(tmp_path)])


def test_a_chat_about_what_cannot_be_opened_says_that_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "store").write_bytes(b"a file where the store should be")
    monkeypatch.setenv("WHENABOUTS_HOME", str(home))
    video = draw_video(tmp_path / "road.mp4", even_times(6, 1.0))
    assert main(["chat", str(video)]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert "store cannot be made" in line


def test_forgetting_what_is_not_stored_claims_no_deleted_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise StoreError("no space is left")

    with CaptionStore.open(tmp_path, embedder="minilm") as store:
        monkeypatch.setattr(store._connection, "wipe", fails)
        with pytest.raises(StoreError, match=r"^what was deleted before can still be found"):
            store.forget("nobody")
