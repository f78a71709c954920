"""Runs notebooks and keeps them with outputs: ``python docs/render_notebooks.py [NAME…]``.

What is in git are scripts without outputs; the rendered copies lie in ``notebooks/_rendered``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
RENDERED = NOTEBOOKS / "_rendered"


def main() -> None:
    """Run all notebooks, or those whose names begin with one of the arguments."""
    RENDERED.mkdir(exist_ok=True)
    wanted = tuple(sys.argv[1:]) or ("",)
    for path in sorted(NOTEBOOKS.glob("*.py")):
        if not path.stem.startswith(wanted):
            continue
        notebook = jupytext.read(path)
        resources = {"metadata": {"path": str(NOTEBOOKS)}}
        NotebookClient(notebook, timeout=None, kernel_name="python3", resources=resources).execute()
        file = RENDERED / f"{path.stem}.ipynb"
        nbformat.write(notebook, file)
        sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main()
