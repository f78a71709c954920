"""What would work best here, by one rule, and what it costs."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.setup.configured import choose_configured
from agent.watching.choice import local_models
from tools.sight.named_models import NAMED, sights_on_disk
from tools.speech.named_whisper import LICENCE, fitting, is_here
from tools.speech.named_whisper import NAMED as EARS

if TYPE_CHECKING:
    from agent.settings import Settings
    from agent.setup.servers import Server

SMALL_RAM_GB = 6.0
"""With less, the lighter joint model, and the smallest ear."""

ROOM = 1.5
"""How many times the size of a download must be free on the disk."""


GET_ONE = {
    "Ollama": "; `ollama pull qwen3-vl:2b` gets one, 1.9 GB",
    "LM Studio": "; load one there, such as Qwen3-VL",
    "llama.cpp": "; start it with one, and with --mmproj",
}
"""How servers come by a model that looks at pictures."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to work with.

    Attributes:
        ram_gb: Memory in all, in 10**9 bytes; 0 where it is not known.
        disk_gb: Free where things are written.
        gpu: Whether an NVIDIA driver is there.
        cores: Processors.
    """

    ram_gb: float
    disk_gb: float
    gpu: bool
    cores: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done.

    Attributes:
        machine: What was found.
        servers: Local servers that answer.
        choice: ``service``, ``server``, ``local``, ``sight``, or ``none`` where nothing fits.
        why: In a line.
        download_mb: About how much would be fetched.
        seconds_per_minute: About how long a minute of video takes to index; None: not known.
        speech: Name of a Whisper model that fits; empty where the extra is not installed.
        speech_mb: About how much of that would be fetched.
        writes: Settings that would be written.
    """

    machine: Machine
    servers: tuple[Server, ...]
    choice: str
    why: str
    download_mb: int
    seconds_per_minute: float | None
    speech: str
    speech_mb: int
    writes: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for ``--json``."""
        return asdict(self)

    @property
    def speech_line(self) -> str:
        """What hearing speech would take, in a few words."""
        if not self.speech:
            return "speech: not offered (extra speech is not installed)"
        fetch = f"{self.speech_mb} MB to fetch" if self.speech_mb else "on this disk"
        return f"speech: Whisper {self.speech} ({LICENCE}, {fetch}), if you want it"

    def lines(self) -> list[str]:
        """The plan in five lines."""
        here, servers = (
            self.machine,
            ", ".join(f"{one.kind} ({one.seeing or _lacking(one)})" for one in self.servers),
        )
        pace = (
            "speed not known before it is tried"
            if self.seconds_per_minute is None
            else f"about {self.seconds_per_minute:.0f} s per minute of video"
        )
        writes = ", ".join(f"{name}={value}" for name, value in self.writes.items())
        return [
            (
                f"machine:  {here.ram_gb:.0f} GB memory, {here.cores} processors, "
                f"{'a GPU' if here.gpu else 'no GPU'}, {here.disk_gb:.0f} GB free"
            ),
            f"servers:  {servers or 'none on the usual ports of this machine'}",
            f"best:     {self.why}",
            f"cost:     {self.download_mb} MB to fetch, {pace}; {self.speech_line}",
            f"writes:   {writes or 'nothing'}",
        ]


def _lacking(server: Server) -> str:
    if server.wants_key:
        return f"wants a key: set OPENAI_BASE_URL={server.url} and OPENAI_API_KEY"
    return f"no image model{GET_ONE.get(server.kind, '')}"


def look_at_machine(home: Path) -> Machine:
    """What this machine has; nothing is started for that."""
    try:
        ram = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has no such question.
        ram = 0
    there = next((one for one in (home, *home.parents) if one.exists()), Path.cwd())
    gpu = shutil.which("nvidia-smi") is not None
    free = shutil.disk_usage(there).free
    return Machine(ram / 1e9, free / 1e9, gpu, os.cpu_count() or 1)


def make_plan(settings: Settings, machine: Machine, servers: Sequence[Server]) -> Plan:
    """The rule of ``auto``: a service, a local server or model, sight, the classical describer."""
    is_small = 0 < machine.ram_gb < SMALL_RAM_GB
    speech, speech_mb = "", 0
    if importlib.util.find_spec("faster_whisper"):
        speech = fitting(machine.ram_gb)
        speech_mb = 0 if is_here(speech) else EARS[speech].about_mb
    choice, why, download_mb, pace = "none", "", 0, None
    writes: dict[str, str] = {}
    configured = choose_configured(settings, servers)
    seeing = next((one for one in servers if one.seeing), None)
    here, models = sights_on_disk(), local_models()
    sight = here[0] if here else "clip-vit-b32" if is_small else "siglip2-base"
    named = NAMED[sight]
    if configured:
        choice, why, writes = configured
    elif seeing:
        choice, why = "server", f"{seeing.seeing} of {seeing.kind} describes frames on this machine"
        writes = {
            "OPENAI_BASE_URL": seeing.url,
            "WHENABOUTS_CAPTIONER": f"openai:{seeing.seeing}",
        }
    elif models:
        choice, why = "local", f"local:{models[0]}, which is on this disk, describes frames"
        writes = {"WHENABOUTS_CAPTIONER": f"local:{models[0]}"}
    elif not here and machine.disk_gb * 1000 < ROOM * named.about_mb:
        why = (
            f"too little room for a model ({ROOM * named.about_mb:.0f} MB); the classical "
            "describer remains"
        )
    else:
        choice = "sight"
        why = f"{sight} ({named.licence}, {named.about}) finds things by the looks of frames"
        download_mb = 0 if here else named.about_mb
        # Of 60 frames, at what two processors do with the lighter model: 15 a second.
        pace = 60 / 15 * (1 if sight == "clip-vit-b32" else 4) * 2 / max(2, machine.cores)
        writes = {"WHENABOUTS_SIGHT": sight}
    return Plan(machine, tuple(servers), choice, why, download_mb, pace, speech, speech_mb, writes)
