"""Writes the page of the public Python names: ``python docs/make_python_reference.py``.

Signatures and words come from the source, as Markdown that GitHub shows too. A test compares the
page with what lies in this folder.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent / "python-reference.md"
WRITTEN = "Written by `python docs/make_python_reference.py`; a test sees that it is current."
LINE = 88
"""Letters of a signature on one line."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """What a release keeps, with arguments and errors, from signatures and docstrings."""
    from agent.api import Grounder
    from agent.graph.graph import build_graph
    from agent.grounding import GroundedInterval, Grounding
    from agent.tool import make_find_moment

    lines = ["# Python reference", "", WRITTEN, ""]
    lines += ["[Python API](python.md) says what to use for what.", ""]
    for value in (Grounder, Grounding, GroundedInterval):
        lines += _class(value)
    for function in (make_find_moment, build_graph):
        lines += _function(f"{function.__module__}.", _source(function), level="##")
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _class(value: type) -> list[str]:
    """A class with its constructor, its fields, and what it can do; what it inherits comes last."""
    lines = [f"## `{value.__module__}.{value.__name__}`", ""]
    ours = [one for one in value.__mro__ if one.__module__.startswith("agent.")]
    bodies = [_source(one).body for one in ours]
    members = [one for body in bodies for one in body if isinstance(one, Definition)]
    for one in members:
        if one.name == "__init__":
            lines += _code(_signature(value.__name__, one))
    types = {
        str(field.target.id): ast.unparse(field.annotation)
        for body in bodies
        for field in body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and not field.target.id.startswith("_")
    }
    lines += _words(value.__doc__ or "", types)
    if types:
        told = {one.split("`")[1] for one in lines if one.startswith("- `")}
        lines.pop()
        lines += [f"- `{name}` (`{of}`)" for name, of in types.items() if name not in told]
        lines.append("")
    for one in members:
        if not one.name.startswith("_"):
            lines += _function(f"{value.__name__}.", one, level="###")
    return lines


def _function(prefix: str, told: Definition, *, level: str) -> list[str]:
    is_property = any(ast.unparse(one) == "property" for one in told.decorator_list)
    lines = [f"{level} `{prefix}{told.name}`", ""]
    if is_property and told.returns:
        lines += _code(f"{told.name}: {ast.unparse(told.returns)}")
    else:
        lines += _code(_signature(told.name, told))
    return lines + _words(ast.get_docstring(told) or "", {})


def _source(value: Callable[..., Any]) -> Any:
    """The syntax tree of a class or a function."""
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def _signature(name: str, told: Definition) -> str:
    """As one writes it, without ``self``; an argument a line where they do not fit into one."""
    given = told.args
    before = [None] * (len(given.args) - len(given.defaults))
    plain = [_argument(*one) for one in zip(given.args, [*before, *given.defaults], strict=True)]
    named = [_argument(*one) for one in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    arguments = [one for one in plain if one not in {"self", "cls"}]
    arguments += ["*", *named] if named else []
    start = "async " if isinstance(told, ast.AsyncFunctionDef) else ""
    end = f" -> {ast.unparse(told.returns)}" if told.returns and told.name != "__init__" else ""
    line = f"{start}{name}({', '.join(arguments)}){end}"
    if len(line) <= LINE:
        return line
    inside = "".join(f"    {one},\n" for one in arguments)
    return f"{start}{name}(\n{inside}){end}"


def _argument(told: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(told) + (f" = {ast.unparse(default)}" if default else "")


def _code(text: str) -> list[str]:
    return ["```py", *text.splitlines(), "```", ""]


def _words(doc: str, types: dict[str, str]) -> list[str]:
    """A docstring as Markdown: prose as it is, and each of its sections as a list."""
    prose, *sections = re.split(
        r"^(\w[\w ()]+):\n(?=    )", inspect.cleandoc(doc), flags=re.MULTILINE
    )
    lines = [*_prose(prose), ""]
    for title, text in zip(sections[::2], sections[1::2], strict=True):
        inside, _, after = text.partition("\n\n")
        lines += [f"**{title}**", "", *_items(textwrap.dedent(inside), types), ""]
        lines += [*_prose(after), ""] if after.strip() else []
    return lines


def _items(text: str, types: dict[str, str]) -> Iterator[str]:
    for item in re.split(r"\n(?=\S)", text.strip()):
        name, colon, means = " ".join(item.split()).partition(": ")
        if not colon or not re.fullmatch(r"[\w, ]+", name):
            yield f"- {_marked(' '.join(item.split()))}"
            continue
        of = f" (`{types[name]}`)" if name in types else ""
        yield f"- `{name}`{of}: {_marked(means)}"


def _prose(text: str) -> list[str]:
    return [_marked(line) for line in text.strip().splitlines()]


def _marked(text: str) -> str:
    """Words of a docstring as Markdown: nothing in them is markup but their backquotes."""
    parts = re.split(r"(`+[^`]*`+)", text)
    return "".join(
        one if one.startswith("`") else re.sub(r"([*_<>|\[\]$])", r"\\\1", one) for one in parts
    ).replace("``", "`")


if __name__ == "__main__":
    main()
