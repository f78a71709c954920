"""The real command in surroundings that are wrong in every way: one sentence, and no traceback."""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times
from tests.package.source_imports import ROOT
from tests.warm import WarmCommand, warm_command

pytestmark = pytest.mark.slow

LONG = "x" * 300

ASK = ("ask", "road.mp4", "a dog jumps", "--captions", "road.jsonl")
INDEX_PAID = ("index", "road.mp4", "--captioner", "openai:tiny")
ASK_PAID = (*ASK, "--reasoner", "openai:tiny")
NOBODY = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
BLOCKED = {"PYTHONPATH": f"{{folder}}/blocked{os.pathsep}{ROOT}"}
"""Where a package is hidden by one that cannot be imported."""


@dataclass(frozen=True)
class Case:
    """What is wrong, what is run, and how it should end.

    Attributes:
        argv: After ``whenabouts``.
        env: Set on top; an empty string unsets.
        code: Expected; None where an answer is as good as a sentence.
        says: Must be in what is printed, on either stream.
        into: Standard output: a file, ``closed``, a pipe that ``nobody`` reads, or empty for one
            that is read.
        limits: For ``ulimit``.
        prepare: Makes what is wrong in the folder.
        starts: Whether Python or a package may stumble over it as it starts: the command then gets
            a process of its own from the beginning.
    """

    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    code: int | None = 2
    says: str = ""
    into: str = ""
    limits: str = ""
    prepare: Callable[[Path], None] = lambda _: None
    starts: bool = False


def spoil_threads(folder: Path) -> None:
    (folder / "home" / "threads.sqlite").write_bytes(b"no database at all" * 500)


def damage_threads(folder: Path) -> None:
    """The header stays, and what follows is random."""
    path = folder / "home" / "threads.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + random.Random(1).randbytes(len(whole) - 4096))


def spoil_store(folder: Path) -> None:
    (folder / "home" / "store" / "chroma.sqlite3").write_bytes(b"SQLite format 3\x00" + b"x" * 9000)


def damage_index(folder: Path) -> None:
    """Chroma panics over a vector index that is cut off."""
    for path in (folder / "home" / "store").rglob("*.bin"):
        path.write_bytes(path.read_bytes()[:40])


def write(name: str, content: bytes) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return prepare


CASES: dict[str, Case] = {
    "a full disk behind the output": Case(
        (*ASK, "--json"), into="/dev/full", says="the output cannot be written: No space left"
    ),
    "a full disk behind the list": Case(("list",), into="/dev/full", says="cannot be written"),
    "a full disk behind the help": Case(("--help",), into="/dev/full", says="cannot be written"),
    "a full disk behind the schema": Case(("schema",), into="/dev/full", says="cannot be written"),
    "a reader that has left": Case(("schema",), into="nobody", starts=True),
    "a reader that has left, of text": Case((*ASK,), into="nobody", starts=True),
    "a closed output": Case(ASK, into="closed", code=0, starts=True),
    "a file of threads that is none": Case(
        (*ASK, "--thread", "t"), prepare=spoil_threads, says="holds no threads, or is damaged"
    ),
    "a damaged file of threads": Case(
        ("replay", "kept"), prepare=damage_threads, says="threads.sqlite"
    ),
    "a damaged file of threads, asked": Case(
        (*ASK, "--thread", "kept"), prepare=damage_threads, says="threads.sqlite"
    ),
    "a store that is no database": Case(("list",), prepare=spoil_store, says="store"),
    "a damaged vector index": Case(
        ("ask", "--all", "a dog jumps"), prepare=damage_index, code=None
    ),
    "a pasted query with a dash": Case(("ask", "road.mp4", f"-{LONG}"), says="unrecognized"),
    "a pasted query with a dash and blanks": Case(
        ("ask", "road.mp4", "- " + "a b " * 99), code=None
    ),
    "a pasted query in place of a video": Case(("ask", LONG, "a dog"), says="no file xxx"),
    "a pasted query in place of captions": Case(
        ("ask", "road.mp4", "a", "--captions", LONG), says="cannot read the captions file"
    ),
    "a pasted thread": Case(("replay", LONG), says="no thread"),
    "a pasted trace": Case(("trace", LONG), says="no trace"),
    "a pasted settings file": Case(("list", "--env", LONG), says="settings"),
    "cp1252": Case(ASK, {"PYTHONIOENCODING": "cp1252:strict"}, code=0, says="found", starts=True),
    "ascii": Case(ASK, {"PYTHONIOENCODING": "ascii:strict"}, code=0, says="...####", starts=True),
    "the C locale": Case(
        ASK,
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        code=0,
        says="####",
        starts=True,
    ),
    "cp932 and JSON": Case((*ASK, "--json"), {"PYTHONIOENCODING": "cp932"}, code=0, starts=True),
    "a name that is not text": Case(("ask", "road.mp4", "caf\udce9"), says="not UTF-8"),
    "a file name that is not text": Case(("ask", "caf\udce9.mp4", "x"), says="caf\\udce9.mp4"),
    "SOCKS without its package": Case(
        INDEX_PAID,
        NOBODY | BLOCKED | {"ALL_PROXY": "socks5://127.0.0.1:9"},
        says="SOCKS proxy",
        prepare=write("blocked/socksio.py", b"raise ImportError('hidden')"),
        starts=True,
    ),
    "SOCKS and a reasoner": Case(
        ASK_PAID,
        NOBODY | BLOCKED | {"all_proxy": "socks5://127.0.0.1:9"},
        says="SOCKS proxy",
        prepare=write("blocked/socksio.py", b"raise ImportError('hidden')"),
        starts=True,
    ),
    "SOCKS and a Chroma server": Case(
        ("list",),
        BLOCKED
        | {"ALL_PROXY": "socks5://127.0.0.1:9", "WHENABOUTS_CHROMA_URL": "http://c.example:1"},
        says="SOCKS",
        prepare=write("blocked/socksio.py", b"raise ImportError('hidden')"),
        starts=True,
    ),
    "a proxy that is none": Case(INDEX_PAID, NOBODY | {"HTTP_PROXY": "foo://x"}, says="prox"),
    "a proxy with a bad port": Case(
        INDEX_PAID, NOBODY | {"HTTP_PROXY": "http://h:p"}, says="HTTP_PROXY"
    ),
    "a proxy with an absurd port": Case(
        INDEX_PAID, NOBODY | {"HTTP_PROXY": "http://127.0.0.1:99999999"}, says="through the proxy"
    ),
    "stale certificates": Case(
        INDEX_PAID, NOBODY | {"SSL_CERT_FILE": "/no/such.pem"}, says="SSL_CERT_FILE"
    ),
    "certificates that are none": Case(
        INDEX_PAID, NOBODY | {"SSL_CERT_FILE": "road.jsonl"}, says="SSL_CERT_FILE"
    ),
    "stale certificates and a reasoner": Case(
        ASK_PAID, NOBODY | {"SSL_CERT_FILE": "/no/such.pem"}, says="SSL_CERT_FILE"
    ),
    "stale certificates, which nothing needs": Case(
        ASK, {"SSL_CERT_FILE": "/no/such.pem", "REQUESTS_CA_BUNDLE": "/no"}, code=0
    ),
    "a carriage return": Case(
        ("list",), {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1\r"}, says="OPENAI_BASE_URL"
    ),
    "an address without a scheme": Case(
        INDEX_PAID, {"OPENAI_BASE_URL": "localhost:9/v1"}, says="OPENAI_BASE_URL"
    ),
    "an address with a bad port": Case(
        INDEX_PAID, {"OPENAI_BASE_URL": "http://localhost:port/v1"}, says="OPENAI_BASE_URL"
    ),
    "half an IPv6 address": Case(
        INDEX_PAID, {"OPENAI_BASE_URL": "http://[::1/v1"}, says="OPENAI_BASE_URL"
    ),
    "a proxy of OpenAI's": Case(
        ASK_PAID, NOBODY | {"OPENAI_PROXY": "http://127.0.0.1:9"}, code=None
    ),
    "a key with letters of no key": Case(
        INDEX_PAID, NOBODY | {"OPENAI_API_KEY": "ключ"}, says="OPENAI_API_KEY"
    ),
    "an organisation with letters of none": Case(
        INDEX_PAID, NOBODY | {"OPENAI_ORG_ID": "фирма"}, says=""
    ),
    "Azure without a key": Case(
        (*ASK, "--reasoner", "azure_openai:gpt-5"), says="AZURE_OPENAI_API_KEY"
    ),
    "a provider that is not installed": Case(
        (*ASK, "--reasoner", "anthropic:claude"), says="anthropic"
    ),
    "Chroma variables": Case(
        ASK,
        {"CHROMA_SERVER_HTTP_PORT": "port", "CHROMA_API_IMPL": "x", "IS_PERSISTENT": "maybe"},
        code=0,
        starts=True,
    ),
    "somebody's .env that is no text": Case(ASK, prepare=write(".env", b"\xff\xfe=1\n"), code=0),
    "somebody's .env with Chroma variables": Case(
        ASK,
        prepare=write(".env", b"CHROMA_SERVER_HTTP_PORT=x\nWHENABOUTS_RATE_HZ=x\n"),
        code=0,
        starts=True,
    ),
    "a home that is a file": Case(ASK, {"WHENABOUTS_HOME": "/dev/null"}, says="/dev/null"),
    "a home that cannot be made": Case(ASK, {"WHENABOUTS_HOME": "/proc/x"}, says="/proc/x"),
    "a home with too long a name": Case(ASK, {"WHENABOUTS_HOME": f"/tmp/{LONG}"}, says="name too"),
    "a home of nobody": Case(ASK, {"WHENABOUTS_HOME": "~nobody-at-all/x"}, says="no user of that"),
    "a model of nobody": Case(
        ("index", "road.mp4", "--captioner", "local:~nobody-at-all/x"), says="~nobody-at-all/x"
    ),
    "an absurdly wide terminal": Case(ASK, {"COLUMNS": "99999999999"}, code=0, says="found"),
    "no temporary folder": Case(ASK, {"TMPDIR": "/no/such/folder"}, code=0, starts=True),
    "strange thread counts": Case(
        ASK, {"OMP_NUM_THREADS": "many", "TZ": "No/Where"}, code=0, starts=True
    ),
    "a strange terminal": Case(
        ASK,
        {"TERM": "nonsense", "COLUMNS": "0", "LINES": "x", "FORCE_COLOR": "1"},
        code=0,
        starts=True,
    ),
    "a narrow terminal": Case(("doctor",), {"COLUMNS": "1"}, code=None),
    "no home at all": Case(
        ("list",), {"HOME": "", "WHENABOUTS_HOME": "", "XDG_DATA_HOME": ""}, code=None
    ),
    "LangSmith that is not there": Case(
        ASK, {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": "nowhere\r"}, code=0
    ),
    "LangSmith's variables": Case(ASK, {"LANGSMITH_TRACING": "perhaps"}, says="LANGSMITH_TRACING"),
    "OpenTelemetry's variables": Case(
        ASK,
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4317",
            "OTEL_EXPORTER_OTLP_HEADERS": "nonsense",
            "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
        },
        says="OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        starts=True,
    ),
    "few open files": Case(ASK, limits="-n 9", says="too many files are open", starts=True),
    "no file may grow": Case(ASK, limits="-f 0", says="ulimit -f", starts=True),
    "numbers that are none": Case(("list",), {"WHENABOUTS_MAX_USD": "nan"}, says="MAX_USD"),
}


@pytest.fixture(scope="module")
def warm() -> Iterator[WarmCommand]:
    with warm_command() as command:
        yield command


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video, its captions, a store that has them, and a thread of a question."""
    folder = tmp_path_factory.mktemp("kept")
    draw_video(folder / "road.mp4", even_times(24, 6.0))
    rows = [{"t": t, "caption": "a dog jumps" if t == 2 else f"a road, {t}"} for t in range(4)]
    (folder / "road.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done = command(folder, *ASK, "--thread", "kept")
    assert done.returncode == 0, done.stderr
    return folder


def environment(folder: Path, env: dict[str, str]) -> dict[str, str]:
    own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
    own |= {name: value.format(folder=folder) for name, value in env.items()}
    inherited = {name: value for name, value in os.environ.items() if not name.endswith("_PROXY")}
    return {name: value for name, value in (inherited | own).items() if value}


def command(
    folder: Path, *argv: str, env: dict[str, str] | None = None, into: str = "", limits: str = ""
) -> "subprocess.CompletedProcess[bytes]":
    words = [sys.executable, "-m", "agent.cli", *argv]
    if limits:
        words = ["bash", "-c", f'ulimit {limits}; exec "$@"', "bash", *words]
    if into == "nobody":
        # It ends with the code of the command, not with that of the reader that has left.
        words = ["bash", "-c", '"$@" | true; exit "${PIPESTATUS[0]}"', "bash", *words]
    if into == "closed":
        words = ["sh", "-c", 'exec "$@" >&-', "sh", *words]
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(folder, env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=False,
    )


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_ends_in_a_sentence_and_never_in_a_traceback(
    case: Case, kept: Path, warm: WarmCommand, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    shutil.copytree(kept, folder)
    case.prepare(folder)
    if case.starts:
        done = command(folder, *case.argv, env=case.env, into=case.into, limits=case.limits)
    else:
        limit, _, most = case.limits.partition(" ")
        done = warm.run(
            *case.argv,
            cwd=folder,
            env=environment(folder, case.env),
            stdout=case.into,
            limits=[(limit, int(most))] if limit else [],
        )
    told = (done.stderr + (done.stdout or b"")).decode("utf-8", "replace")
    assert "Traceback" not in told, told
    assert "panicked" not in told or "Chroma" in told
    assert done.returncode in ({0, 1, 2} if case.code is None else {case.code}), told
    assert case.says in told
