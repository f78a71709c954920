"""Every notebook runs from top to bottom, in a real kernel, without a network or a key."""

import os
from pathlib import Path
from typing import Any

import jupytext
import pytest
from nbclient import NotebookClient

from tests.package.source_imports import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))

# What each must have shown; a notebook that runs but shows nothing of use is no notebook.
SHOWN = {
    "01_ask_a_video": ["image/png", "0:51.0–1:09.0", "not found", "something enters", "123.0"],
    "02_inside_the_graph": ["Refusal", "LookUp", "ends before it starts", "('similarity', 51.0"],
    "03_long_videos": ["of 720 captions are shown", "(3117.5, 3147.5)", "(1000.0, 3", "image/png"],
    "04_measure_it": ["reasoning miss 1", "excludes 0", "image/png"],
    "05_tune_a_captioner": ["conversations to train on", "steps, loss", "image/png", "minus base"],
    "06_trace_a_run": ["check: accepted", "refused (no_json, reversed)", "from reason"],
}

NO_NETWORK = """
import socket

def _refuse(connect):
    def only_this_machine(self, address):
        here = {"127.0.0.1", "localhost", "::1"}
        if self.family != socket.AF_UNIX and str(address[0]) not in here:
            raise AssertionError(f"a notebook connects to {address}")
        return connect(self, address)
    return only_this_machine

socket.socket.connect = _refuse(socket.socket.connect)
"""


@pytest.fixture
def kernel_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that Jupyter and the notebook write goes here, and nothing leaves the machine."""
    start = tmp_path / "ipython" / "profile_default" / "startup"
    start.mkdir(parents=True)
    (start / "00-no-network.py").write_text(NO_NETWORK, encoding="utf-8")
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower().removesuffix("dir")))
    # No text is looked for in the lobby, and reading it would take most of the time.
    monkeypatch.setenv("WHENABOUTS_READ_TEXT", "false")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]))
    return tmp_path


def shown_in(notebook: Any) -> str:
    """All outputs, with the kind of each."""
    outputs = [one for cell in notebook.cells for one in cell.get("outputs", ())]
    return "\n".join(
        one.get("text", "")
        + "\n".join(f"{kind} {data}" for kind, data in one.get("data", {}).items())
        for one in outputs
    )


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
# The kernel's own connections are closed by its process; what is left of them here is not ours.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")
@pytest.mark.usefixtures("kernel_home")
def test_a_notebook_runs_and_shows_what_it_promises(path: Path) -> None:
    notebook = jupytext.read(path)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources).execute()
    shown = shown_in(notebook)
    missing = [text for text in SHOWN[path.stem] if text not in shown]
    assert missing == [], shown[-3000:]


def test_notebooks_are_kept_without_outputs() -> None:
    assert sorted(SHOWN) == [path.stem for path in NOTEBOOKS]
    assert list((ROOT / "notebooks").glob("*.ipynb")) == []
    for path in NOTEBOOKS:
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# ---\n# jupyter:")
        assert "# %% [markdown]\n# # " in text
