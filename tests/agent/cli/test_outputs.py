"""What a user has is not replaced by results."""

import os
from pathlib import Path

import pytest

from agent.setup.settings_lines import write_settings
from agent.tracing.trace_file import TraceError, TraceFile
from evaluation.results import BenchmarkError
from evaluation.runs.run_folder import RunFolder
from tools.captioners.checkpoints import models_on_disk
from tools.errors import VideoError
from tools.output_files import refuse_strange_files
from training.exclusions import write_list
from training.replies import read_replies
from training.train import _refuse_another_run


def test_somebody_elses_file_is_no_result_unless_the_marker_is_there(tmp_path: Path) -> None:
    refuse_strange_files(tmp_path / "new", ["summary.json"], marker="run.json")
    (tmp_path / "notes.txt").touch()
    refuse_strange_files(tmp_path, ["summary.json"], marker="run.json")
    (tmp_path / "summary.json").touch()
    with pytest.raises(VideoError, match=r"holds summary\.json and no run\.json"):
        refuse_strange_files(tmp_path, ["summary.json"], marker="run.json")
    (tmp_path / "run.json").touch()
    refuse_strange_files(tmp_path, ["summary.json"], marker="run.json")


def test_a_run_takes_no_folder_with_other_results(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").write_text("mine")
    with pytest.raises(VideoError, match="holds results"), RunFolder(tmp_path).open({}, []):
        pass
    (tmp_path / "run.json").write_text("[1]")
    with pytest.raises(BenchmarkError, match="not of a run"), RunFolder(tmp_path).open({}, []):
        pass
    assert (tmp_path / "results.jsonl").read_text() == "mine"


def test_a_list_of_videos_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("mine")
    with pytest.raises(VideoError, match=r"is there already; give another name$"):
        write_list(["a"], tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["train.jsonl", "manifest.json", "images", "replies.jsonl"])
def test_data_of_a_teacher_go_to_no_folder_with_others(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text('{"mine": 1}\n')
    with pytest.raises(RuntimeError, match="name another folder"):
        read_replies(tmp_path, {})


@pytest.mark.parametrize("first", ['{"teach', '{"teacher": "human", "key": "a"}\n', ""])
def test_replies_of_a_killed_run_are_taken_up(first: str, tmp_path: Path) -> None:
    (tmp_path / "replies.jsonl").write_text(first)
    assert list(read_replies(tmp_path, {})) == (["a"] if "key" in first else [])


def test_a_training_takes_no_folder_with_another_adapter(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    with pytest.raises(VideoError, match="holds adapter"):
        _refuse_another_run(tmp_path, {})


def test_a_trace_to_a_pipe_that_nobody_reads_does_not_wait(tmp_path: Path) -> None:

    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(TraceError, match="nobody reads it"):
        TraceFile(tmp_path / "pipe")


def test_a_settings_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("# mine\n")
    (tmp_path / ".env").symlink_to("kept")
    write_settings(tmp_path / ".env", {"WHENABOUTS_SIGHT": "off"})
    assert (tmp_path / ".env").is_symlink()
    assert (tmp_path / "kept").read_text() == "# mine\nWHENABOUTS_SIGHT=off\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == [".env", "kept"]


@pytest.mark.parametrize("cache", ["a file", "/dev/full"])
def test_a_hub_cache_that_is_no_folder_holds_no_model(
    cache: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    (tmp_path / "a file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / cache))
    monkeypatch.setattr("huggingface_hub.utils._cache_manager.HF_HUB_CACHE", str(tmp_path / cache))
    assert models_on_disk() == []
