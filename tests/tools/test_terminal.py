"""The one way to the terminal."""

import ast
import io
import json
import re
import sys

import pytest
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tests.package.source_imports import module_name, source_files
from tools import terminal


def printed_by_windows(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """What standard output gets from now on, in a Windows encoding."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    terminal.prepare_streams()
    return raw


@pytest.mark.parametrize("bad", ["\x1b", "\u202e", "\x9b", "\r", "\u2066"])
@pytest.mark.parametrize("width", [10, 80])
def test_whatever_a_console_lays_out_is_cleaned(
    bad: str, width: int, capsys: pytest.CaptureFixture[str]
) -> None:
    console = terminal.open_console(width=width)
    table = Table()
    table.add_row(f"cell {bad}", Text(f"text {bad} http://user:a-long-secret@host/"))
    for part in (f"plain {bad}", Text.assemble("name ", (bad, "bold")), table, Panel(f"in {bad}")):
        console.print(part, markup=False)
    printed = capsys.readouterr().out
    assert bad not in printed
    whole = printed.replace("\n", "").replace(" ", "").replace("┃", "").replace("│", "")
    assert "secret" not in whole


def test_colours_are_kept_where_there_is_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal.open_console(force_terminal=True, color_system="standard")
    console.print(Text("found", style="green"))
    assert capsys.readouterr().out == "\x1b[32mfound\x1b[0m\n"


def test_without_colours_there_is_no_escape_for_any_style(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    console = terminal.open_console(force_terminal=True, color_system="truecolor")
    console.print(Text("found", style="bold green"), Text("why", style="dim"))
    assert capsys.readouterr().out == "found why\n"


def test_an_encoding_that_cannot_say_it_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    written = printed_by_windows(monkeypatch)
    terminal.put("0:00 ··██·· “a – b” → 日本 ├─ x…")
    terminal.open_console().print(Text("██ → 日"))
    first, second = written.getvalue().decode("cp1252").splitlines()
    assert first == "0:00 ··##·· “a – b” -> \\u65e5\\u672c |- x…"
    assert second == "## -> \\u65e5"


def test_json_is_json_in_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    written = printed_by_windows(monkeypatch)
    terminal.put_json('{"query": "日本 😀 é"}')
    assert json.loads(written.getvalue().decode("ascii")) == {"query": "日本 😀 é"}


def test_nothing_is_printed_past_it() -> None:
    """Else what a file is called could steer the terminal after all (calibrate is a script)."""
    past = [
        f"{module_name(path)}:{node.lineno}"
        for folder in ("agent", "tools", "evaluation")
        for path in source_files(folder)
        if module_name(path) not in {"tools.terminal", "evaluation.experiments.calibrate"}
        if re.search(r"\b(print|Console|write)\s*\(", text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in PRINTING
    ]
    assert past == []


PRINTING = {"print", "Console", "rich.print", "sys.stdout.write", "sys.stderr.write"}


def test_a_closed_input_is_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    terminal.prepare_streams()
    with sys.stdin as now:
        assert not now.isatty()
        assert now.read() == ""


@pytest.mark.parametrize(("told", "columns"), [("99999999999", 10_000), ("80", 80)])
def test_no_terminal_is_wider_than_lines_can_be(
    told: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", told)
    assert terminal.open_console().width == columns


def test_a_complaint_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.complain("a\nwhenabouts: found\tb.mp4")
    assert capsys.readouterr().err == "a\\nwhenabouts: found\\tb.mp4\n"
