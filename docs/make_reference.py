"""Writes the pages that say what the code says: ``python docs/make_reference.py``.

The command line's page comes from its parsers, the settings' from ``agent.settings.Settings``, and
the HTTP API's from the OpenAPI description that the server gives. A test compares them with what
lies in this folder.
"""

from __future__ import annotations

import argparse
import inspect
import re
import tempfile
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
WRITTEN = "Written by `python docs/make_reference.py`; a test sees that it is current."


def command_line() -> str:
    """Every command with its options, from the parsers themselves."""
    from agent.cli.parser import build_parser
    from evaluation.command import build_parser as build_eval
    from training.options import build_parser as build_tune

    lines = ["# Command line", "", WRITTEN, ""]
    lines += [
        (
            "`whenabouts COMMAND --help` says the same in the terminal, with examples. Exit "
            "codes: 0 found or done, 1 not found or stopped by a limit, 2 bad input or failure, "
            "70 a fault in whenabouts itself, 130 interrupted."
        ),
        "",
    ]
    main = build_parser()
    for name, (command, does) in _commands(main).items():
        if name not in {"eval", "tune"}:
            lines += _section(f"whenabouts {name}", does, command)
    for name, parser in (("eval", build_eval()), ("tune", build_tune())):
        for below, (command, does) in _commands(parser).items():
            lines += _section(f"whenabouts {name} {below}", does, command)
    return _ended(lines)


def settings() -> str:
    """Every setting with its variable, default and meaning, from the class that reads them."""
    from agent.settings import Settings

    told = _attributes(Settings.__doc__ or "")
    lines = [
        "# Settings",
        "",
        WRITTEN,
        "",
        (
            "Settings come from options of the command line, else from the environment, else "
            "from a file: `.env` in the home folder, which `whenabouts doctor` names, or the one "
            "that `--env` names. A `.env` in the working folder is not read: it may be anybody's, "
            "and could send your frames and key elsewhere. `WHENABOUTS_HOME` moves everything "
            "that is written."
        ),
        "",
        "| variable | default | what it is |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        variable = _variable(name, field)
        lines.append(f"| `{variable}` | {_default(name, field)} | {_prose(told[name])} |")
    return _ended(lines)


def http() -> str:
    """Every address of the HTTP API, from the OpenAPI description."""
    described = _openapi()
    lines = [
        "# HTTP API",
        "",
        WRITTEN,
        "",
        (
            "`whenabouts serve FOLDER` answers at `http://127.0.0.1:8765/api/v1`; "
            "`/api/v1/openapi.json` is the whole description. On any other address it needs a "
            "secret in `WHENABOUTS_TOKEN`, sent as `Authorization: Bearer`."
        ),
        "",
    ]
    for path, methods in described["paths"].items():
        for method, about in methods.items():
            lines += [f"## {method.upper()} `{path}`", ""]
            text = (about.get("description") or about.get("summary") or "").strip()
            lines += [_prose(text), ""]
            lines += _parameters(about.get("parameters", ()))
            lines += _body(about.get("requestBody"), described)
            lines += _responses(about.get("responses", {}))
    lines += ["## What answers hold", ""]
    for name in _sent(described):
        lines += _model(name, described["components"]["schemas"][name])
    return _ended(lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "command-line.md": command_line,
    "settings.md": settings,
    "http-api.md": http,
}


def main() -> None:
    """Write all pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")


def _commands(parser: argparse.ArgumentParser) -> dict[str, tuple[argparse.ArgumentParser, str]]:
    (subparsers,) = (one for one in parser._actions if isinstance(one, argparse._SubParsersAction))
    does = {one.dest: one.help or "" for one in subparsers._choices_actions}
    return {name: (one, does.get(name, "")) for name, one in subparsers.choices.items()}


def _section(title: str, does: str, parser: argparse.ArgumentParser) -> list[str]:
    lines = [f"## {title}", "", _prose(f"{does[:1].upper()}{does[1:]}."), ""]
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or "--help" in action.option_strings:
            continue
        told = (action.help or "").replace("%%", "%")
        if "%(default)s" in told:
            told = told.replace("%(default)s", str(action.default))
        lines.append(f"- `{_spelt(action)}`{': ' if told else ''}{_prose(told)}")
    return [*lines, ""]


def _spelt(action: argparse.Action) -> str:
    value = action.metavar if isinstance(action.metavar, str) else ""
    if not value and action.choices is not None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if isinstance(action.metavar, tuple):
        value = " ".join(action.metavar)
    elif action.nargs == 0:
        value = ""
    elif not value:
        value = action.dest.upper()
    many = {"*": f"[{value} …]", "+": f"{value} …", "?": f"[{value}]"}
    value = many.get(str(action.nargs), value)
    return f"{', '.join(action.option_strings)} {value}".strip()


def _attributes(doc: str) -> dict[str, str]:
    """What the section ``Attributes`` of a docstring says of each name."""
    # Python 3.13 has taken the indentation away already.
    block = inspect.cleandoc(doc).split("Attributes:")[1]
    found = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", block, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _variable(name: str, field: Any) -> str:
    alias = field.validation_alias or field.alias
    if alias is None:
        return f"WHENABOUTS_{name.upper()}"
    return str(getattr(alias, "choices", [alias])[0])


def _default(name: str, field: Any) -> str:
    named = {"home": "the platform's data folder", "language": "the locale's"}
    if name in named:
        return named[name]
    value = field.default
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        value = str(value).lower()
    choices = _choices(field.annotation)
    of = f" of {', '.join(f'`{one}`' for one in choices)}" if choices else ""
    return f"`{value}`{of}"


def _choices(annotation: Any) -> list[str]:
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Literal:
        return [str(one) for one in parts]
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return [one for part in parts for one in _choices(part)]
    return []


def _openapi() -> dict[str, Any]:
    from agent.api import Grounder, load_settings
    from agent.web.app import make_app
    from agent.web.rooms import Rooms

    with tempfile.TemporaryDirectory() as folder:
        grounder = Grounder(load_settings(home=folder, captioner="classical"))
        described: dict[str, Any] = make_app(Rooms(grounder, [Path(folder)])).openapi()
        grounder.close()
        return described


def _parameters(parameters: Any) -> list[str]:
    lines = []
    for one in parameters:
        needed = "" if one.get("required") else ", optional"
        kind = _kind(one.get("schema", {}))
        told = _prose(one.get("description", ""))
        lines.append(f"- `{one['name']}` ({one['in']}, {kind}{needed}){': ' if told else ''}{told}")
    return [*lines, ""] if lines else []


def _body(body: Any, described: Mapping[str, Any]) -> list[str]:
    if not body:
        return []
    ((kind, content), *_) = body["content"].items()
    schema = _resolved(content.get("schema", {}), described)
    fields = schema.get("properties", {})
    if not fields:
        return [f"The body is `{kind}`.", ""]
    needed = set(schema.get("required", ()))
    lines = [f"The body is `{kind}`:", ""]
    for name, one in fields.items():
        told = _prose(one.get("description", ""))
        optional = "" if name in needed else ", optional"
        lines.append(f"- `{name}` ({_kind(one)}{optional}){': ' if told else ''}{told}")
    return [*lines, ""]


def _resolved(schema: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return described["components"]["schemas"][name] if name else schema


def _kind(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "anything"))


def _responses(responses: Mapping[str, Any]) -> list[str]:
    codes = sorted(responses)
    fine = [code for code in codes if code < "400"]
    errors = [code for code in codes if code >= "400"]
    contents = [kind for code in fine for kind in responses[code].get("content", {}).items()]
    kinds = dict.fromkeys(
        _linked(content.get("schema") or {}) if kind == "application/json" else f"`{kind}`"
        for kind, content in contents
    )
    told = f"Answers {', '.join(fine)}"
    if kinds:
        told += f" with {', '.join(kinds)}"
    if errors:
        told += f"; errors {', '.join(errors)}"
    return [f"{told}.", ""]


def _linked(schema: Mapping[str, Any]) -> str:
    """The kind of a value; the name of a model leads to its section."""
    return re.sub(r"\b[A-Z]\w+", lambda name: f"[{name[0]}](#{name[0].lower()})", _kind(schema))


def _sent(described: Mapping[str, Any]) -> list[str]:
    """The models that answers are made of, each before those within it."""
    schemas = described["components"]["schemas"]
    found: list[str] = []
    todo = [
        response
        for methods in described["paths"].values()
        for about in methods.values()
        for response in about["responses"].values()
    ]
    while todo:
        for name in re.findall(r"#/components/schemas/(\w+)", str(todo.pop(0))):
            if name not in found:
                found.append(name)
                todo.append(schemas[name])
    return found


def _model(name: str, schema: Mapping[str, Any]) -> list[str]:
    doc = schema.get("description", "")
    told = _attributes(doc) if "Attributes:" in doc else {}
    lines = [f"### {name}", "", _prose(doc.partition("\n\n")[0]), ""]
    for field, one in schema.get("properties", {}).items():
        text = _prose(one.get("description", "") or told.get(field, ""))
        lines.append(f"- `{field}` ({_linked(one)}){': ' if text else ''}{text}")
    return [*lines, ""]


def _prose(text: str) -> str:
    """Words of the terminal as Markdown: nothing in them is markup but their backquotes."""
    parts = re.split(r"(`+[^`]*`+)", " ".join(text.split()))
    return "".join(
        one if one.startswith("`") else re.sub(r"([*_<>|\[\]$])", r"\\\1", one) for one in parts
    ).replace("``", "`")


def _ended(lines: list[str]) -> str:
    return "\n".join(_single_blanks(lines)).rstrip() + "\n"


def _single_blanks(lines: list[str]) -> Iterator[str]:
    before = "x"
    for line in lines:
        if line or before:
            yield line
        before = line


if __name__ == "__main__":
    main()
