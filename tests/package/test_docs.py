"""Every block of the README and of the documentation is run, parsed, or compared with the code."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.cli.parser import build_parser
from evaluation.command import build_parser as build_eval_parser
from evaluation.experiments.catalog import open_experiment
from tests.package.source_imports import ROOT
from tools.captioners.file import read_captions
from tools.llm.prices import read_prices
from training.options import build_parser as build_tune_parser

DOCS = ROOT / "docs"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


class Block(NamedTuple):
    """A fenced block: where it is, its language, and what is in it."""

    where: str
    language: str
    text: str


def blocks_of(file: Path) -> list[Block]:
    name = file.relative_to(ROOT).as_posix()
    found = re.findall(r"^```(\S*)\n(.*?)^```$", file.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [Block(name, language, text) for language, text in found]


READMES = ("README.md", "CONTRIBUTING.md", "examples/lobby/README.md")
PAGES = [*(ROOT / name for name in READMES), *sorted(DOCS.glob("*.md"))]
BLOCKS = [block for file in PAGES for block in blocks_of(file)]

# What other tests hold these to, by file and language.
ELSEWHERE = {
    ("README.md", "console"): "tests/package/test_example.py",
    ("README.md", "mermaid"): "tests/agent/graph/test_graph.py",
    ("CONTRIBUTING.md", "python"): "tests/package/test_contributing.py",
    ("docs/reading-a-trace.md", "console"): "tests/agent/cli/test_trace_tree.py",
    ("docs/reading-a-trace.md", "text"): "tests/agent/cli/test_trace_tree.py",
    ("docs/python-reference.md", "py"): "tests/package/test_docs.py",
}
# The line of stages, which the imports are held to by test_imports.py.
DRAWN = ("video ─▶ frames ─▶ captions ─▶ store ─▶ retrieval ─▶ reasoning ─▶ interval",)


def of(*languages: str) -> list[Block]:
    return [
        one
        for one in BLOCKS
        if one.language in languages and (one.where, one.language) not in ELSEWHERE
    ]


def names(blocks: Sequence[Block]) -> list[str]:
    return [f"{block.where}-{number}" for number, block in enumerate(blocks)]


def test_every_block_is_of_a_kind_that_a_test_holds_to_something() -> None:
    checked = {"sh", "python", "json", "yaml", "{toctree}", "{eval-rst}"}
    unchecked = [
        (block.where, block.language, block.text[:60])
        for block in BLOCKS
        if block.language not in checked
        and (block.where, block.language) not in ELSEWHERE
        and block.text.strip() not in DRAWN
    ]
    assert unchecked == []
    for (where, _), test in ELSEWHERE.items():
        held = (ROOT / test).read_text(encoding="utf-8")
        assert Path(where).name in held or "refused_trace" in held


# Finding nothing, bash hands every command to this, words as they would have been given.
RECORDER = """
PATH=/nowhere
command_not_found_handle() { printf '%s\\037' "$@"; printf '\\036'; }
"""


def commands_in(script: str) -> list[list[str]]:
    """What a shell would have run, word by word; nothing is run."""
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", RECORDER + script],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.stderr == ""
    return [line.split("\x1f")[:-1] for line in done.stdout.split("\x1e")[:-1]]


def check_ours(words: Sequence[str]) -> None:
    if words[0] in {"eval", "tune"}:
        parser = build_eval_parser() if words[0] == "eval" else build_tune_parser()
        parser.parse_args(list(words[1:]))
    else:
        build_parser().parse_args(list(words))


def check_install(words: Sequence[str]) -> None:
    ours = [word for word in words if word.startswith((".", "whenabouts"))]
    for word in ours:
        extras = re.fullmatch(r"(?:whenabouts|\.)(?:\[([\w,]+)\])?", word)
        assert extras, word
        if extras[1]:
            assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"])
    asked_for = [one for extra in PROJECT["optional-dependencies"].values() for one in extra]
    others = [word for word in words if re.match(r"[a-z].*==", word)]
    assert set(others) <= set(asked_for)
    assert ours or others


def check_python(words: Sequence[str]) -> None:
    if words[0] == "-m":
        assert importlib.util.find_spec(words[1]), words[1]
    else:
        assert (ROOT / words[0]).is_file(), words[0]


def check_docker(words: Sequence[str]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\w+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    if words[0] == "build":
        assert words[words.index("--target") + 1] in stages
    after = list(words[words.index("whenabouts") + 1 :]) if "whenabouts" in words else []
    if words[0] == "run" and after:
        check_ours(after)


def check_make(words: Sequence[str]) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(words) <= set(targets)


def check_ollama(words: Sequence[str]) -> None:
    """Ollama's own names cannot be looked up here."""
    verb, model = words
    assert verb == "pull"
    assert re.fullmatch(r"[a-z][\w.-]*(:[\w.-]+)?", model), model


CHECKS: dict[str, Callable[[Sequence[str]], None]] = {
    "whenabouts": check_ours,
    "pip": check_install,
    "uv": check_install,
    "pipx": check_install,
    "python": check_python,
    "docker": check_docker,
    "ollama": check_ollama,
    "make": check_make,
    # LangGraph Studio: the file that it reads is tested with it.
    "langgraph": lambda words: None,
}


@pytest.mark.parametrize("block", of("sh"), ids=names(of("sh")))
def test_every_command_that_is_shown_is_one_that_there_is(
    block: Block, capsys: pytest.CaptureFixture[str]
) -> None:
    commands = commands_in(block.text)
    assert commands
    for name, *words in commands:
        assert name in CHECKS, f"{block.where}: nothing checks {name}"
        try:
            CHECKS[name](words)
        except SystemExit:
            pytest.fail(f"{block.where}: {name} {words}: {capsys.readouterr().err}")


def servers_in(value: object) -> Iterator[list[str]]:
    """The command of every server that a client's settings start."""
    if isinstance(value, dict):
        if "command" in value:
            yield [value["command"], *value["args"]]
        for one in value.values():
            yield from servers_in(one)


def test_the_client_that_cannot_be_installed_here_is_python_and_starts_our_server() -> None:
    (text,) = {block.text for block in of("python") if "mcp_adapters" in block.text}
    tree = compile(text, "shown", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    (servers,) = (node for node in ast.walk(tree) if isinstance(node, ast.Dict) and _nests(node))
    for name, *words in servers_in(ast.literal_eval(servers)):
        CHECKS[name](words)


def _nests(node: ast.Dict) -> bool:
    return any(isinstance(value, ast.Dict) for value in node.values)


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", sorted({block.text for block in of("python") if "mcp_adapters" not in block.text})
)
def test_every_program_that_is_shown_runs_beside_the_example_video(
    text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "examples" / "lobby")
    exec(compile(text, "shown", "exec"), {})  # running it is the test
    printed = capsys.readouterr().out.splitlines()
    assert printed
    assert all(re.fullmatch(r"[\d.]+ [\d.]+ [\d.]+", line) for line in printed)


@pytest.mark.parametrize("block", of("json"), ids=names(of("json")))
def test_every_file_in_json_that_is_shown_is_read(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.jsonl"
    file.write_text(block.text, encoding="utf-8")
    if '"caption"' in block.text:
        rows = read_captions(file, video_id="v", duration_s=30.0)
        assert len(rows) == len(block.text.splitlines())
    elif started := list(servers_in(json.loads(block.text))):
        for name, *words in started:
            CHECKS[name](words)
    else:
        assert read_prices(file)


@pytest.mark.parametrize("block", of("yaml"), ids=names(of("yaml")))
def test_every_experiment_that_is_shown_is_one(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(block.text, encoding="utf-8")
    assert open_experiment(str(file)).arms


@pytest.mark.parametrize("page", ["command-line.md", "settings.md", "http-api.md"])
def test_a_page_that_is_made_from_the_code_is_current(page: str) -> None:
    made = script("make_reference")
    assert set(made.PAGES) == {"command-line.md", "settings.md", "http-api.md"}
    if page == "http-api.md":
        pytest.importorskip("fastapi", reason="needs the extra web")
    assert made.PAGES[page]() == (DOCS / page).read_text("utf-8"), "run: make docs"


def test_the_reference_of_the_python_names_is_current() -> None:
    made = script("make_python_reference")
    assert made.page() == made.PAGE.read_text("utf-8"), "run: make docs"


def script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert len(readme.splitlines()) < 200
    first_screen = "\n".join(readme.splitlines()[:30])
    assert "```console" in first_screen
    assert "![" in first_screen
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", readme)
    broken = [one for one in links if "://" not in one and not (ROOT / one).exists()]
    assert broken == []


def test_the_readme_and_the_results_give_the_same_figures() -> None:
    readme, results = (
        (ROOT / name).read_text("utf-8") for name in ("README.md", "docs/results.md")
    )
    measured = readme.split("## Measured")[1].split("## Read on")[0]
    rows = [line for line in measured.splitlines() if line.startswith("|")]
    assert len(rows) > 3
    assert [row for row in rows if row not in results.splitlines()] == []
    speeds = re.findall(r"\d+ (?:s|ms)\b", measured)
    assert [speed for speed in speeds if speed not in results] == []


def test_every_page_is_reached_from_the_readme_or_the_index() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    pages = {file.stem for file in DOCS.glob("*.md")} - {"index"}
    assert pages == {line for line in index.splitlines() if line in pages}


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("sphinx", reason="needs the extra docs")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html"]
    done = subprocess.run(
        [*command, "-d", str(tmp_path / "trees"), str(DOCS), str(tmp_path / "site")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    page = (tmp_path / "site" / "python-reference.html").read_text("utf-8")
    assert "Grounder.find" in page
