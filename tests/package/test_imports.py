"""The one-way rule, read from the source: video → frames → captions → store → … → interval."""

import ast
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.package.source_imports import (
    ROOT,
    Import,
    module_name,
    read_imports,
    source_files,
    start_imports,
)

# What each folder may import of ours.
MAY_IMPORT = {
    "prompts": {"prompts"},
    "tools": {"tools"},
    "agent": {"agent", "tools", "prompts"},
    "evaluation": {"agent.api", "agent.grounding", "tools", "prompts", "evaluation"},
    "training": {
        *("agent.api", "agent.reasoning.reply"),
        *("evaluation", "tools", "prompts", "training"),
    },
    "benchmarks": {"agent", "tools", "prompts", "evaluation", "benchmarks"},
    # What a reasoner says and a captioner sees, for your own.
    "notebooks": {
        "agent.api",
        "agent.notebook",
        "agent.reasoning.reply",
        "tools.captioners.protocol",
        # What the notebook on tuning draws and makes, to have something to tune.
        "training.drawn_lessons",
        "training.tiny_model",
    },
    "examples": {"agent.api", "agent.tool", "tools.captioners.protocol", "tools.timeline"},
}
OURS = {*MAY_IMPORT, "tests"}
# What is installed, each with rooms of its own.
PACKAGES = ("agent", "evaluation", "prompts", "tools", "training")
# The front door opens every room, late: `eval` and `tune` are commands like any other, and a shell
# completes them.
FRONT_DOOR = {
    ("agent.cli.main", "evaluation.command.build_parser"),
    ("agent.cli.main", "evaluation.command.run"),
    ("agent.cli.main", "training.options.build_parser"),
    ("agent.cli.main", "training.command.run"),
}

# What costs a command that only prints its help a noticeable fraction of a second.
HEAVY = {
    "av",
    "chromadb",
    "grpc",
    "cv2",
    "httpx",
    "langchain",
    "langchain_core",
    "langchain_openai",
    "langgraph",
    "langsmith",
    "numpy",
    "onnx",
    "onnxruntime",
    "openai",
    "opentelemetry",
    "PIL",
    "pydantic",
    "pydantic_settings",
    "rapidocr",
    "requests",
    "rich",
    "safetensors",
    "sentence_transformers",
    "tokenizers",
    "torch",
    "transformers",
}


def wrong_arrows(folder: str, root: Path = ROOT) -> list[str]:
    return [
        f"{module_name(path, root)} imports {one.name} (line {one.line})"
        for path in source_files(folder, root)
        for one in read_imports(path)
        if one.name.split(".")[0] in OURS
        and (module_name(path, root), one.name) not in FRONT_DOOR
        and not any(f"{one.name}.".startswith(f"{may}.") for may in MAY_IMPORT[folder])
    ]


def folder_of(module: str) -> str:
    """The room a module is in: ``agent.chat.turns`` is in ``chat``; ``agent.api`` is its own."""
    return module.split(".")[1]


def folder_circles(package: str, root: Path = ROOT) -> list[str]:
    """The rooms of a package that need each other, each pair with the imports that close it."""
    modules = {module_name(path, root) for path in source_files(package, root)}
    arrows: dict[str, dict[str, str]] = {}
    for path in source_files(package, root):
        importer = module_name(path, root)
        for one in read_imports(path):
            imported = next(
                (n for n in (one.name, one.name.rpartition(".")[0]) if n in modules), ""
            )
            if "." not in importer or "." not in imported:
                continue
            if folder_of(importer) != folder_of(imported):
                row = arrows.setdefault(folder_of(importer), {})
                row.setdefault(folder_of(imported), f"{importer} imports {one.name}")

    def reached(folder: str) -> set[str]:
        seen: set[str] = set()
        waiting = [folder]
        while waiting:
            new = arrows.get(waiting.pop(), {}).keys() - seen
            seen |= new
            waiting += new
        return seen

    return sorted(
        why
        for folder, row in arrows.items()
        for other, why in row.items()
        if folder in reached(other)
    )


def heavy_chains(module: str, root: Path = ROOT) -> list[str]:
    chains = start_imports(module, root).items()
    return [" → ".join(chain) for name, chain in chains if name in HEAVY]


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_imports_point_one_way(folder: str) -> None:
    assert wrong_arrows(folder) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_rooms_of_a_package_need_each_other(package: str) -> None:
    assert folder_circles(package) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_name_means_one_module_in_a_package(package: str) -> None:
    stems = [path.stem for path in source_files(package) if not path.stem.startswith("__")]
    assert [stem for stem, times in Counter(stems).items() if times > 1] == []


def test_a_name_means_one_class() -> None:
    homes: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in source_files(package):
            for name in re.findall(r"(?m)^class ([^\W_]\w*)", path.read_text(encoding="utf-8")):
                homes.setdefault(name, []).append(module_name(path))
    assert {name: where for name, where in homes.items() if len(where) > 1} == {}


@pytest.mark.parametrize("folder", sorted(OURS))
def test_imports_are_absolute(folder: str) -> None:
    relative = [
        f"{path}:{one.line}"
        for path in source_files(folder)
        for one in read_imports(path)
        if one.relative
    ]
    assert relative == []


def test_the_command_line_starts_without_heavy_modules() -> None:
    assert heavy_chains("agent.cli.main") == []


@pytest.mark.parametrize("package", ["agent", "tools", "prompts"])
def test_a_package_file_holds_a_docstring_only(package: str) -> None:
    tree = ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_only_the_settings_module_looks_at_the_environment() -> None:
    readers = [
        module_name(path)
        for folder in ("agent", "tools", "prompts")
        for path in source_files(folder)
        if re.search("environb?|getenv", text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute | ast.alias)
        and (node.attr if isinstance(node, ast.Attribute) else node.name)
        in {"environ", "environb", "getenv"}
    ]
    # The command sets a default that numpy reads as it is loaded, before any settings are.
    assert set(readers) <= {"agent.settings", "agent.cli.main"}


# The reader itself, on a small project of its own.


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "agent/cli/main.py": "from agent import api\n",
        "agent/__init__.py": "",
        "agent/api.py": (
            "from typing import TYPE_CHECKING\n"
            "if TYPE_CHECKING:\n    import torch\nelse:\n    from rich.text import Text\n"
            "def find():\n    import chromadb\n"
            "class Lazy:\n    from tools import store\n"
        ),
        "tools/store.py": "try:\n    import cv2\nexcept ImportError:\n    pass\n",
        "tools/late.py": "def grow():\n    from agent.api import find\n",
        "examples/one.ipynb": (
            '{"cells": [{"cell_type": "markdown", "source": ["import agent.graph"]},'
            ' {"cell_type": "code", "source": ["%matplotlib inline\\n", "import agent.graph"]}]}'
        ),
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def test_a_chain_to_a_heavy_module_is_followed_through_our_own(project: Path) -> None:
    assert sorted(heavy_chains("agent.cli.main", project)) == [
        "agent.cli.main → agent.api → rich",
        "agent.cli.main → agent.api → tools.store → cv2",
    ]


def test_a_circle_of_rooms_is_found_with_the_imports_that_close_it(tmp_path: Path) -> None:
    files = {
        "agent/api.py": "from agent.graph import nodes\n",
        "agent/graph/nodes.py": "def late():\n    from agent.chat.turns import Turn\n",
        "agent/chat/turns.py": "from agent.graph.nodes import late\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert folder_circles("agent", tmp_path) == [
        "agent.chat.turns imports agent.graph.nodes.late",
        "agent.graph.nodes imports agent.chat.turns.Turn",
    ]


def test_an_import_inside_a_function_is_an_arrow_too(project: Path) -> None:
    assert wrong_arrows("tools", project) == ["tools.late imports agent.api.find (line 2)"]


def test_the_code_cells_of_a_notebook_are_read(project: Path) -> None:
    assert wrong_arrows("examples", project) == ["examples.one imports agent.graph (line 2)"]


def test_leading_dots_are_seen(tmp_path: Path) -> None:
    path = tmp_path / "near.py"
    path.write_text("from . import far\nfrom .far import thing\n", encoding="utf-8")
    assert read_imports(path) == (
        Import(".far", 1, at_start=True, relative=True),
        Import("far.thing", 2, at_start=True, relative=True),
    )
