"""What works here and what does not, each with the line that would enable it. Never shows a key."""

import importlib.util
import platform
import sys
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from agent.errors import EmbedderError, SettingsError, StoreError
from agent.settings import Settings, load_settings
from agent.watching.choice import choose_captioner, has_service, local_models
from agent.watching.destinations import OPENAI_HOST, host_of
from agent.watching.indexed import Indexed
from agent.watching.opened import open_parts
from tools.sight.named_models import OFF, find_sight, sights_on_disk
from tools.text import shown_address

PACKAGES = (
    "whenabouts",
    "langgraph",
    "langchain",
    "chromadb",
    "av",
    "opencv-python-headless",
    "onnxruntime",
    "numpy",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """A captioner, reasoner, embedder or store, and whether it can be used here.

    Attributes:
        does: Which step it serves.
        name: As the settings name it.
        usable: Whether it works now.
        why: Why, or why not.
        enable: The line that would enable it; empty where it works.
        needed: Whether, with these settings, no question can be answered without it.
    """

    does: str
    name: str
    usable: bool
    why: str
    enable: str = ""
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything ``doctor`` found. ``ready``: a video can be asked here with these settings."""

    ready: bool
    versions: dict[str, str]
    places: dict[str, str]
    settings: dict[str, str]
    parts: tuple[Finding, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return asdict(self)


def examine(env_file: str | None = None) -> Findings:
    """Look at everything an answer needs, opening the store and the embedder for real."""
    settings = load_settings(env_file)
    needed = tuple(
        replace(part, needed=True)
        for part in (
            _captioner(settings),
            _reasoner(settings),
            _store(settings),
            _embedder(settings),
        )
    )
    parts = (*_captioners(settings), _other_reasoner(settings), *needed)
    return Findings(
        ready=all(part.usable for part in parts if part.needed),
        versions=_versions(),
        places=_places(settings, env_file),
        settings=_settings(settings),
        parts=parts,
    )


def render_findings(findings: Findings, *, with_all: bool = False) -> list[RenderableType]:
    """The findings as a page of text: the verdict and what to do, then what there is.

    Args:
        findings: What ``examine`` found.
        with_all: Whether versions, places and settings are shown too.
    """
    if findings.ready:
        page: list[RenderableType] = [Text("ready: a video can be asked here", style="bold green")]
    else:
        page = [Text("not ready: a video cannot be asked here", style="bold red")]
        for part in findings.parts:
            if part.needed and not part.usable:
                page.append(Text(f"  {part.does} {part.name}: {part.why}", style="red"))
                if part.enable:
                    page.append(f"  to do: {part.enable}")
    page += ["", Text("parts", style="bold")]
    for part in findings.parts:
        mark, colour = ("yes", "green") if part.usable else ("no ", "yellow")
        line = Text("  ")
        line.append(mark, style=colour)
        line.append(f"  {part.does:<9}  {part.name:<12}  {part.why}")
        page.append(line)
        if part.enable:
            page.append(Text(f"       enable: {part.enable}", style="cyan"))
    page += ["", Text(f"settings file: {findings.places['settings']}", style="dim")]
    if not with_all:
        return [*page, Text("versions, places and all settings: doctor --all", style="dim")]
    for title, facts in (
        ("versions", findings.versions),
        ("places", findings.places),
        ("settings", findings.settings),
    ):
        page += ["", Text(title, style="bold"), _facts(facts)]
    return page


def _versions() -> dict[str, str]:
    found = {"python": f"{platform.python_version()} on {platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _places(settings: Settings, env_file: str | None) -> dict[str, str]:
    packages = {f"package {name}": _origin(name) for name in ("agent", "tools", "prompts")}
    url = settings.chroma_url
    return packages | {
        "home": str(settings.home),
        "store": f"Chroma server {url}" if url else str(settings.store_folder),
        "cache": str(settings.cache_folder),
        "settings": env_file or _file_of(settings),
        "python": sys.executable,
    }


def _file_of(settings: Settings) -> str:
    file = settings.settings_file
    unread = "; .env in this folder is not read (--env .env does)" if Path(".env").exists() else ""
    return f"{file}{'' if file.exists() else ' (not there)'}{unread}"


def _origin(package: str) -> str:
    spec = importlib.util.find_spec(package)
    return str(Path(spec.origin).parent) if spec and spec.origin else "not found"


def _settings(settings: Settings) -> dict[str, str]:
    shown = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name in {"home", "store", "chroma_url"}:
            continue
        if "key" in name:
            shown[name] = "set" if value else "not set"
        else:
            shown[name] = "not set" if value is None else str(value)
            if name.endswith(("endpoint", "base_url")):
                shown[name] = shown_address(shown[name])
        if name in settings.model_fields_set:
            shown[name] += "  (from the environment or the settings file)"
    return shown


def _facts(facts: dict[str, str]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(f"  {name}", Text(value))
    return table


def _captioners(settings: Settings) -> tuple[Finding, ...]:
    reads_text = importlib.util.find_spec("rapidocr") is not None
    return (
        Finding(
            "captioner", "classical", usable=True, why="measures light, colour, motion and cuts"
        ),
        Finding(
            "captioner",
            "+ocr",
            usable=reads_text,
            why="reads text off the screen" if reads_text else "rapidocr is not installed",
            enable="" if reads_text else "pip install 'whenabouts[ocr]'",
        ),
        _openai_captioner(settings),
        _local_captioner(),
        _sight(settings),
        Finding(
            "captioner", "a file", usable=True, why="captions of your own, with --captions FILE"
        ),
    )


SIMILARITY = Finding("reasoner", "similarity", usable=True, why="needs no model")
NAME_A_MODEL = "export WHENABOUTS_REASONER=openai:MODEL, with OPENAI_API_KEY or OPENAI_BASE_URL"
NAME_A_CAPTIONER = "export WHENABOUTS_CAPTIONER=classical, or openai:MODEL, or local:MODEL"


def _captioner(settings: Settings) -> Finding:
    """The captioner that the settings choose; it is neither asked nor loaded."""
    try:
        choice = choose_captioner(settings)
    except SettingsError as exc:
        name = settings.captioner
        return Finding("captions", name, usable=False, why=str(exc), enable=NAME_A_CAPTIONER)
    return Finding("captions", choice.name, usable=True, why=choice.why or "named in the settings")


def _other_reasoner(settings: Settings) -> Finding:
    """The reasoner that the settings do not mean."""
    if settings.reasoner not in {"auto", "similarity"} or (
        settings.reasoner == "auto" and has_service(settings)
    ):
        return SIMILARITY
    why = "no text model is named, and no service is configured"
    return Finding("reasoner", "a text model", usable=False, why=why, enable=NAME_A_MODEL)


def _reasoner(settings: Settings) -> Finding:
    """The reasoner that the settings name; it is not asked anything, since that might cost."""
    try:
        with open_parts(settings) as opened:
            name = opened.reasoner.name
    except SettingsError as exc:
        return Finding(
            "reasoner", settings.reasoner, usable=False, why=str(exc), enable=NAME_A_MODEL
        )
    if name == SIMILARITY.name:
        return SIMILARITY
    return Finding("reasoner", name, usable=True, why="decides; not asked now, since it may cost")


def _openai_captioner(settings: Settings) -> Finding:
    usable = has_service(settings)
    address = settings.openai_base_url
    where = host_of(address) if address else OPENAI_HOST
    return Finding(
        "captioner",
        "openai:MODEL",
        usable=usable,
        why=f"frames would go to {where}" if usable else "no key and no server is named",
        enable=""
        if usable
        else "export OPENAI_API_KEY=…   (or OPENAI_BASE_URL of your own server)",
    )


def _local_captioner() -> Finding:
    missing = [name for name in ("torch", "transformers") if not importlib.util.find_spec(name)]
    return Finding(
        "captioner",
        "local:MODEL",
        usable=not missing,
        why=f"{' and '.join(missing)} not installed" if missing else _on_this_disk(),
        enable="pip install 'whenabouts[local]'" if missing else "",
    )


def _on_this_disk() -> str:
    here = local_models()
    fetched = f"on this disk: {', '.join(here[:3])}" if here else "none is on this disk yet"
    return f"any image-text checkpoint; {fetched}"


def _sight(settings: Settings) -> Finding:
    """The joint model that searches frames: after an image model, before `classical`."""
    here = sights_on_disk()
    named = settings.sight not in {"auto", OFF}
    usable = bool(find_sight(settings.sight) if named else here)
    why = (
        f"on this disk: {settings.sight if named else ', '.join(here)}"
        if usable
        else f"{settings.sight} is not on this disk"
        if named
        else "no joint model is on this disk"
    )
    rule = "auto: configured service, local model, sight, the classical describer"
    return Finding(
        "sight",
        settings.sight,
        usable=usable,
        why=f"finds things in frames; {why} ({rule})",
        enable="" if usable else "whenabouts setup",
        needed=named,  # A model that is asked for is not left out.
    )


def _store(settings: Settings) -> Finding:
    name = "chroma server" if settings.chroma_url else "embedded"
    try:
        with open_parts(settings) as opened:
            records = Indexed(settings, opened, tell=lambda _: None).records()
            count = len({record.video_id for record in records})
    except StoreError as exc:
        return Finding("store", name, usable=False, why=str(exc), enable=_elsewhere(settings))
    videos = "1 video" if count == 1 else f"{count} videos"
    return Finding("store", name, usable=True, why=f"{videos} indexed")


def _elsewhere(settings: Settings) -> str:
    if settings.chroma_url:
        return f"start a server at {settings.chroma_url}, or unset WHENABOUTS_CHROMA_URL"
    return "export WHENABOUTS_HOME=FOLDER   (a folder that you can write)"


def _embedder(settings: Settings) -> Finding:
    try:
        with open_parts(settings) as opened:
            # What is taken for `minilm` depends on which weights are installed.
            name = opened.embedder.name
            dimension = opened.embedder.embed(["a door opens"]).shape[1]
    except EmbedderError as exc:
        return Finding("embedder", settings.embedder, usable=False, why=str(exc))
    return Finding("embedder", name, usable=True, why=f"{dimension} dimensions")
