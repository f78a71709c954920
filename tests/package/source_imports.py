"""Reads from the source, without running it, which module imports which."""

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One imported name: ``from agent import api`` and ``import agent.api`` are both ``agent.api``.

    Attributes:
        name: Dotted; for ``from a import b`` it is ``a.b``, whether ``b`` is a module or not.
        line: Counted from 1; in a notebook, over its code cells one after the other.
        at_start: Whether it runs as soon as its module is imported: it stands in no function, and
            not under ``if TYPE_CHECKING``.
        relative: Whether it is spelled with leading dots.
    """

    name: str
    line: int
    at_start: bool
    relative: bool = False


def source_files(folder: str, root: Path = ROOT) -> list[Path]:
    """The Python files and notebooks under a folder of the project; none where it is absent."""
    return sorted(
        path
        for path in (root / folder).rglob("*")
        if path.suffix in {".py", ".ipynb"} and ".ipynb_checkpoints" not in path.parts
    )


def module_name(path: Path, root: Path = ROOT) -> str:
    """``tools/captioners/file.py`` is ``tools.captioners.file``; an ``__init__`` is its package."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def read_imports(path: Path) -> tuple[Import, ...]:
    """Every import of a file, wherever it stands; read once."""
    return tuple(_walk(ast.parse(_code(path)), at_start=True))


def start_imports(module: str, root: Path = ROOT) -> dict[str, tuple[str, ...]]:
    """What importing one of our modules imports before any function runs.

    Returns:
        The names of modules, ours and others', each with the chain of our modules that leads to it,
        which begins at ``module``.
    """
    chains: dict[str, tuple[str, ...]] = {module: (module,)}
    waiting = [module]
    while waiting:
        importer = waiting.pop(0)
        path = _module_path(importer, root)
        imported = [one.name for one in read_imports(path) if one.at_start] if path else []
        # Importing a.b.c runs a and a.b as well.
        for name in (prefix for whole in [*imported, importer] for prefix in _prefixes(whole)):
            if name not in chains:
                chains[name] = (*chains[importer], name)
                waiting.append(name)
    return chains


def _module_path(name: str, root: Path) -> Path | None:
    """The file of a module of ours; None for others' and for what is no module."""
    stem = root.joinpath(*name.split("."))
    candidates = (stem.with_name(f"{stem.name}.py"), stem / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)


def _code(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    cells = (cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code")
    lines = [line for cell in cells for line in "".join(cell["source"]).splitlines()]
    # IPython's own commands are not Python.
    return "\n".join("" if line.lstrip().startswith(("%", "!")) else line for line in lines)


def _walk(node: ast.AST, *, at_start: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                for alias in child.names:
                    yield Import(alias.name, child.lineno, at_start)
            case ast.ImportFrom():
                for alias in child.names:
                    name = f"{child.module or ''}.{alias.name}"
                    yield Import(name, child.lineno, at_start, relative=child.level > 0)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _walk(child, at_start=False)
            case ast.If() if "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    yield from _walk(ast.Module([statement], []), at_start=False)
                for statement in child.orelse:
                    yield from _walk(ast.Module([statement], []), at_start=at_start)
            case ast.stmt() | ast.excepthandler() | ast.match_case():
                yield from _walk(child, at_start=at_start)
            case _:
                pass  # There are no statements in an expression.


def _prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
