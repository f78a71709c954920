"""Run the real command in surroundings that are wrong in every way, and count tracebacks.

Every environment is tried with the commands that it can matter to, each in a process of its own. A
run is bad if it prints a traceback or a secret, ends by a signal or with a code other than 0, 1
or 2, or does not end::

    python benchmarks/environments.py
    python benchmarks/environments.py --only proxy --commands index
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
DEADLINE_S = 120.0
SECONDS = 4
GOOD_CODES = {0, 1, 2}

NOBODY = {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": "sk-of-nobody-0123456789"}

COMMANDS: dict[str, tuple[str, dict[str, str]]] = {
    "ask": ("ask road.mp4 'a dog jumps' --captions road.jsonl", {}),
    "index": ("index road.mp4 --captioner openai:tiny --yes", NOBODY),
    "doctor": ("doctor --all", {}),
    "chat": ("chat road.mp4 --captions road.jsonl", {}),
    "list": ("list --json", {}),
}
"""What is run, and with which variables unless the environment has others."""


@dataclass(frozen=True)
class Environment:
    """What is wrong.

    Attributes:
        env: Variables; an empty string unsets. ``{here}`` is the working folder.
        within: A line for a shell, in which ``"$@"`` is the command.
        prepare: Run in the working folder before, by a shell.
        commands: Those that it can matter to; ``--commands`` runs others.
        codes: With which it may end.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    within: str = '"$@"'
    prepare: str = ""
    commands: tuple[str, ...] = ("ask", "index", "doctor")
    codes: frozenset[int] = frozenset(GOOD_CODES)


def variables(**env: str) -> Environment:
    """An environment that differs by variables alone."""
    return Environment(env, commands=("ask",))


def network(**env: str) -> Environment:
    """One whose variables matter to what is sent."""
    return Environment(env, commands=("index", "doctor"))


NO_HOME = {"WHENABOUTS_HOME": "", "XDG_DATA_HOME": "", "XDG_CACHE_HOME": ""}
LONG = "x" * 300

ENVIRONMENTS: dict[str, Environment] = {
    "nothing is wrong": Environment(),
    "locale C": variables(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
    "locale of nowhere": variables(LC_ALL="xx_YY.bogus", LANG="\x1b[31m"),
    "locale Latin-1": variables(LC_ALL="de_DE.ISO-8859-1", PYTHONUTF8="0"),
    "output cp1252": variables(PYTHONIOENCODING="cp1252:strict"),
    "output ASCII": variables(PYTHONIOENCODING="ascii:strict"),
    "output UTF-16": variables(PYTHONIOENCODING="utf-16"),
    "output of another error handler": variables(PYTHONIOENCODING="ascii:surrogateescape"),
    "home unset": Environment({**NO_HOME, "HOME": ""}),
    "home missing": Environment({**NO_HOME, "HOME": "/no/such/home"}),
    "home a file": Environment({**NO_HOME, "HOME": "{here}/road.jsonl"}),
    "home that cannot be written": Environment({**NO_HOME, "HOME": "/proc/1"}),
    "home empty": Environment({**NO_HOME, "HOME": " "}),
    "own home a file": variables(WHENABOUTS_HOME="{here}/road.jsonl"),
    "own home a device": variables(WHENABOUTS_HOME="/dev/full"),
    "own home of a strange name": variables(WHENABOUTS_HOME="{here}/a 'b' \"c\"\n\x1b[31m ü"),
    "own home a link to itself": Environment({"WHENABOUTS_HOME": "{here}/l"}, prepare="ln -s l l"),
    "own home of too long a name": variables(WHENABOUTS_HOME=f"/tmp/{LONG}"),  # noqa: S108
    "own home of another user": variables(WHENABOUTS_HOME="~nobody-is-called-this/x"),
    "own home relative": variables(WHENABOUTS_HOME="./home/../home"),
    "store cut off": Environment(
        prepare="for one in $(find home -name '*.bin'); do head -c 40 $one > t; mv t $one; done"
    ),
    "store no database": Environment(
        prepare="mkdir -p home/store; head -c 9000 /dev/zero > home/store/chroma.sqlite3"
    ),
    "store locked for good": Environment(
        within='( flock 9; timeout 70 "$@" 9>&-; exit $? ) 9>> home/store/elsewhere.lock'
    ),
    "threads damaged": Environment(prepare="yes damaged | head -c 9000 > home/threads.sqlite"),
    "temporary folder missing": variables(TMPDIR="/no/such/folder"),
    "temporary folder a file": variables(TMPDIR="{here}/road.jsonl"),
    "temporary folder full": variables(TMPDIR="/dev/full"),
    "cache that cannot be written": variables(XDG_CACHE_HOME="/proc/1/x", HF_HOME="/dev/null"),
    "columns 0": variables(COLUMNS="0", LINES="0"),
    "columns 1": variables(COLUMNS="1"),
    "columns no number": variables(COLUMNS="abc", LINES="-3"),
    "columns absurd": variables(COLUMNS="99999999999"),
    "terminal dumb": variables(TERM="dumb"),
    "terminal of nowhere": variables(TERM="\x1b[31m", FORCE_COLOR="1"),
    "input closed": Environment(within='"$@" <&-'),
    "output closed": Environment(within='"$@" >&-'),
    "errors closed": Environment(within='"$@" 2>&-'),
    "all closed": Environment(within='"$@" <&- >&- 2>&-'),
    "output full": Environment(within='"$@" >/dev/full'),
    "errors full": Environment(within='"$@" 2>/dev/full'),
    "both full": Environment(within='"$@" >/dev/full 2>/dev/full'),
    "reader gone": Environment(within='"$@" | true; exit "${PIPESTATUS[0]}"'),
    "working folder deleted": Environment(within='mkdir d && cd d && rmdir ../d && "$@"'),
    "few open files": Environment(within='ulimit -n 20; "$@"'),
    "hardly any open files": Environment(within='ulimit -n 9; "$@"'),
    "little memory": Environment(within='ulimit -v 1500000; "$@"'),
    "no file may grow": Environment(within='ulimit -f 0; "$@"'),
    "small files only": Environment(within='ulimit -f 64; "$@"'),
    "files for nobody": Environment(within='umask 0777; "$@"'),
    "proxy SOCKS 4": network(ALL_PROXY="socks4://127.0.0.1:9"),
    "proxy SOCKS 5": network(ALL_PROXY="socks5h://me:pass%20word@127.0.0.1:9"),
    "proxy FTP": network(HTTP_PROXY="ftp://127.0.0.1:9", HTTPS_PROXY="ftp://127.0.0.1:9"),
    "proxy with a password": network(HTTP_PROXY="http://me:pass%40word@127.0.0.1:9"),
    "proxy half an address": network(HTTP_PROXY="http://[::1", HTTPS_PROXY="http://[::1"),
    "proxy with an absurd port": network(HTTP_PROXY="http://127.0.0.1:99999999"),
    "proxy with a carriage return": network(HTTP_PROXY="http://127.0.0.1:9\r", NO_PROXY="[::1"),
    "proxy of blanks": network(ALL_PROXY="   ", HTTP_PROXY=" "),
    "no proxy for nonsense": network(NO_PROXY="*,[::1],\x1b,*.*", HTTP_PROXY="127.0.0.1:9"),
    "certificates missing": network(SSL_CERT_FILE="/no/such.pem", REQUESTS_CA_BUNDLE="/no"),
    "certificates a folder": network(SSL_CERT_FILE="{here}", CURL_CA_BUNDLE="{here}"),
    "certificates no certificates": network(SSL_CERT_FILE="{here}/road.jsonl"),
    "certificate folder a file": network(SSL_CERT_DIR="{here}/road.jsonl"),
    "key log that cannot be written": network(SSLKEYLOGFILE="/no/such/log"),
    "foreign Chroma": variables(
        CHROMA_SERVER_HTTP_PORT="port", CHROMA_API_IMPL="x", IS_PERSISTENT="?", ALLOW_RESET="7"
    ),
    "Chroma server missing": network(WHENABOUTS_CHROMA_URL="http://me:pass@127.0.0.1:9/x"),
    "Chroma address no address": network(WHENABOUTS_CHROMA_URL="'http://h'\r"),
    "address with a carriage return": network(OPENAI_BASE_URL="http://127.0.0.1:9/v1\r\n"),
    "address in quotes": network(OPENAI_BASE_URL='"http://127.0.0.1:9/v1"'),
    "address with an absurd port": network(OPENAI_BASE_URL="http://127.0.0.1:99999999/v1"),
    "address with a secret": network(OPENAI_BASE_URL="http://127.0.0.1:9/v1?key=s3cretkey"),
    "address with a key in its path": network(OPENAI_BASE_URL="http://127.0.0.1:9/s3cretkey/v1"),
    "address with a code": network(OPENAI_BASE_URL="http://127.0.0.1:9/v1?code=s3cretkey"),
    "Chroma address with a key in its path": network(
        WHENABOUTS_CHROMA_URL="http://127.0.0.1:9/s3cretkey/x?sig=s3cretkey"
    ),
    "proxy without a scheme": network(HTTP_PROXY="me:s3cretkey@127.0.0.1:9"),
    "address of bytes": network(OPENAI_BASE_URL="http://127.0.0.1:9/\udce9"),
    "key in quotes": network(OPENAI_API_KEY="'sk-1234567890'\r"),
    "key of other letters": network(OPENAI_API_KEY="ключ\udce9"),
    "organisation of other letters": network(OPENAI_ORG_ID="фирма", OPENAI_PROJECT="\x1b"),
    "LangSmith nonsense": variables(LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT="nowhere\r"),
    "LangSmith with a secret": variables(
        LANGCHAIN_TRACING_V2="true",
        LANGCHAIN_API_KEY="lsv2_s3cretkey",
        LANGCHAIN_ENDPOINT="http://me:s3cretkey@127.0.0.1:9",
    ),
    "OpenTelemetry nonsense": variables(
        OTEL_EXPORTER_OTLP_ENDPOINT="localhost:4317\r",
        OTEL_EXPORTER_OTLP_HEADERS="nonsense",
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
    ),
    "OpenTelemetry limits": variables(OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="many"),
    "thread counts": variables(OMP_NUM_THREADS="-1", TZ="No/Where", MKL_NUM_THREADS="many"),
    "Python warns": variables(PYTHONWARNINGS="always", PYTHONDEVMODE="1"),
    "Python without docstrings": variables(PYTHONOPTIMIZE="2"),
    "hub offline perhaps": variables(HF_HUB_OFFLINE="perhaps", TRANSFORMERS_OFFLINE="x"),
    "trace a folder": variables(WHENABOUTS_TRACE="{here}"),
    "trace full": variables(WHENABOUTS_TRACE="/dev/full"),
    "Python warns of all": variables(PYTHONWARNINGS="error"),
    "Python unbuffered, of another hash": variables(PYTHONUNBUFFERED="1", PYTHONHASHSEED="7"),
    "Python of bytes": variables(PYTHONUTF8="0", LC_ALL="POSIX", PYTHONIOENCODING="latin-1"),
    "Python writes no bytecode": variables(PYTHONDONTWRITEBYTECODE="1", PYTHONNODEBUGRANGES="1"),
    "Python profiles imports": variables(PYTHONPROFILEIMPORTTIME="1"),
    "site code that prints": Environment(
        {"PYTHONPATH": f"{{here}}:{ROOT}"},
        prepare="echo 'import sys; print(1, file=sys.stderr); sys.setrecursionlimit(400)' "
        "> sitecustomize.py",
        commands=("ask",),
    ),
    "module of ours shadowed": Environment(
        {"PYTHONPATH": f"{ROOT}:{{here}}"},
        prepare="touch agent.py tools.py; echo 'raise SystemExit(9)' > prompts.py",
        commands=("ask",),
    ),
    "home relative": Environment({**NO_HOME, "HOME": "./here"}),
    "home of nobody": variables(WHENABOUTS_HOME="~"),
    "temporary folder of a strange name": Environment(
        {"TMPDIR": "{here}/t\n\x1b[31m"}, prepare="mkdir \"$(printf 't\\n\\033[31m')\""
    ),
    "temporary folder full of links": Environment({"TMPDIR": "{here}/t"}, prepare="ln -s t t"),
    "clock elsewhere": variables(TZ="\x1b[31m:/etc/passwd", SOURCE_DATE_EPOCH="-1"),
    "language of bytes": variables(LANG="\udcff", LANGUAGE="\udcff", LC_TIME="\udcff"),
    "threads of nonsense": variables(
        OMP_NUM_THREADS="many", OPENBLAS_NUM_THREADS="-7", TOKENIZERS_PARALLELISM="?"
    ),
    "OpenMP of nonsense": variables(OMP_WAIT_POLICY="x", OMP_PROC_BIND="y", KMP_AFFINITY="z"),
    "hub of nonsense": variables(HF_HUB_CACHE="/dev/full", HF_ENDPOINT="\r"),
    "torch of nonsense": variables(TORCH_HOME="/dev/null", CUDA_VISIBLE_DEVICES="-1,x"),
    "logs of everything": variables(
        OPENAI_LOG="debug", HTTPX_LOG_LEVEL="trace", LANGCHAIN_VERBOSE="true", RUST_LOG="trace"
    ),
    "logs of everything, sent": network(OPENAI_LOG="debug", RUST_BACKTRACE="full"),
    "SQLite elsewhere": variables(SQLITE_TMPDIR="/no/such", LANGGRAPH_STRICT_MSGPACK="?"),
    "OpenTelemetry foreign": variables(
        OTEL_EXPORTER_OTLP_PROTOCOL="pigeon", OTEL_TRACES_SAMPLER="x", OTEL_RESOURCE_ATTRIBUTES="="
    ),
    "OpenTelemetry with a secret": variables(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://me:s3cretkey@127.0.0.1:9",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20s3cretkey",
    ),
    "LangSmith of nonsense": variables(
        LANGSMITH_TRACING="perhaps", LANGSMITH_SAMPLING_RATE="x", LANGSMITH_RUNS_ENDPOINTS="{"
    ),
    "Chroma foreign paths": variables(
        PERSIST_DIRECTORY="/dev/full", CHROMA_TELEMETRY_IMPL="x.y", ANONYMIZED_TELEMETRY="?"
    ),
    "an address of two": network(OPENAI_API_BASE="http://me:s3cretkey@127.0.0.1:9/v1"),
    "a key of two lines": network(OPENAI_API_KEY="sk-s3cretkey\nX-Header: s3cretkey"),
    "a token of other letters": Environment({"WHENABOUTS_CHROMA_TOKEN": "s3cretkeyü\r\n"}),
    "reader gone after a line": Environment(within='"$@" | head -1; exit "${PIPESTATUS[0]}"'),
    "errors and output one pipe": Environment(within='"$@" 2>&1 | head -c 1 >&2; exit 0'),
    "input a folder": Environment(within='"$@" < /tmp'),
    "input endless": Environment(within='timeout 100 "$@" < /dev/zero', commands=("ask", "index")),
    "output for reading only": Environment(within='"$@" 1</dev/null'),
    "output the store": Environment(within='"$@" >> home/store/chroma.sqlite3', commands=("list",)),
    "small stack": Environment(within='ulimit -s 512; "$@"'),
    "no core, no queue": Environment(within='ulimit -c 0 -q 0 -i 0; "$@"'),
    "many links to the folder": Environment(within='ln -s . self; cd self/self/self; "$@"'),
    "signals ignored": Environment(within="trap '' INT TERM HUP PIPE; \"$@\" | head -1"),
    **{
        f"signal {name} after {after_s} s": Environment(
            # Without -m, a shell has what is in its background ignore INT.
            within=f'set -m; "$@" & sleep {after_s}; kill -{name} $!; wait $!',
            codes=frozenset({0, 1, 2, 128 + number}),
        )
        for name, number in (("INT", 2), ("TERM", 15), ("HUP", 1))
        for after_s in (0.1, 0.4, 0.9, 1.6)
    },
    "signal TERM twice": Environment(
        within='set -m; "$@" & sleep 0.9; kill $!; kill $!; wait $!',
        codes=frozenset({0, 1, 2, 143}),
    ),
    "prices missing": variables(WHENABOUTS_PRICES="/no/such/prices.json"),
    "language of nowhere": variables(WHENABOUTS_LANGUAGE="\x1b[31m"),
    "embedder of nowhere": variables(WHENABOUTS_EMBEDDER="openai:\r"),
    "somebody's .env": Environment(prepare="printf '\\377=1\\nWHENABOUTS_RATE_HZ=x\\n' > .env"),
    "a .env at home no text": Environment(prepare="printf '\\377\\376=1' > home/.env"),
    "a .env at home a folder": Environment(prepare="mkdir home/.env"),
    "a variable of 100 kB": variables(WHENABOUTS_REASONER="y" * 100_000),
    **{
        f"{name} {value}": variables(**{f"WHENABOUTS_{name}": value})
        for name, values in {
            "RATE_HZ": ("-1", "nan", "1e999", "1e-300"),
            "MAX_USD": ("-1", "0", "inf"),
            "MAX_MINUTES": ("1e-9", "1e308", "-0.0"),
            "MAX_CAPTIONS": ("0", "9" * 4400, "１２"),
            "IN_FLIGHT": ("0", "1e3"),
            "EMBED_BATCH": ("-5",),
            "EVIDENCE_TOKENS": ("1", "99999999999999999999"),
            "MAX_ATTEMPTS": ("",),
        }.items()
        for value in values
    },
}


def prepare(folder: Path) -> None:
    """A video, its captions, a store that has them, and a thread of a question."""
    with av.open(str(folder / "road.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=6)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(6 * SECONDS):
            image = np.full((48, 64, 3), 40 + 8 * index, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
    rows = [
        {"t": t, "caption": "a dog jumps" if t == 2 else f"a road, {t}"} for t in range(SECONDS)
    ]
    (folder / "road.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    done, told = run(folder, "ask", Environment())
    if done != 0:
        raise SystemExit(f"it does not even work where nothing is wrong:\n{told}")


def run(folder: Path, command: str, environment: Environment) -> tuple[int | None, str]:
    """The exit code (None where it does not end) and everything that was printed."""
    words, usual = COMMANDS[command]
    own = {"PYTHONPATH": str(ROOT), "WHENABOUTS_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
    own |= usual | dict(environment.env)
    inherited = {name: value for name, value in os.environ.items() if not _is_foreign(name)}
    env = {
        name: value.replace("{here}", str(folder))
        for name, value in (inherited | own).items()
        if value
    }
    line = [sys.executable, "-m", "agent.cli", *shlex.split(words)]
    if environment.prepare:
        subprocess.run(["bash", "-c", environment.prepare], cwd=folder, check=True)
    try:
        done = subprocess.run(
            ["bash", "-c", environment.within, "bash", *line],
            cwd=folder,
            env=env,
            input=b"when does the dog jump?\n",
            capture_output=True,
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        return None, ((exc.stdout or b"") + (exc.stderr or b"")).decode("utf-8", "replace")
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def _is_foreign(name: str) -> bool:
    starts = ("WHENABOUTS_", "OPENAI_", "LANGSMITH_", "LANGCHAIN_", "OTEL_", "CHROMA_")
    return name.upper().endswith("_PROXY") or name.startswith(starts)


def faults_of(code: int | None, told: str, good: Container[int] = GOOD_CODES) -> list[str]:
    """What is wrong with how a run ended."""
    faults = []
    if code is None:
        faults.append(f"did not end within {DEADLINE_S:.0f} s")
    elif code not in good:
        faults.append(f"ended with {code}")
    if "Traceback" in told or "panicked at" in told:
        faults.append("traceback")
    if "s3cretkey" in told or "pass%40word" in told or "pass%20word" in told:
        faults.append("secret shown")
    if "\x1b[31m" in told:
        faults.append("escape sequence shown")
    return faults


def main() -> int:
    """Run the matrix, print what was bad, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="environments with this in their names")
    parser.add_argument("--commands", default="", help=f"of {', '.join(COMMANDS)}")
    parser.add_argument("--show", action="store_true", help="print how each run ended")
    asked = parser.parse_args()
    chosen = {name: one for name, one in ENVIRONMENTS.items() if asked.only in name}
    runs, tracebacks, bad = 0, 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        kept = Path(scratch) / "kept"
        kept.mkdir()
        prepare(kept)
        for name, environment in chosen.items():
            for command in asked.commands.split(",") if asked.commands else environment.commands:
                folder = Path(scratch) / "here"
                shutil.copytree(kept, folder)
                code, told = run(folder, command, environment)
                shutil.rmtree(folder)
                faults = faults_of(code, told, environment.codes)
                runs, bad = runs + 1, bad + bool(faults)
                tracebacks += "traceback" in faults
                if faults or asked.show:
                    ending = told.rstrip()[-2000 if faults else -300 :]
                    print(f"{name}, {command}: {'; '.join(faults) or code}\n{ending}\n", flush=True)
    print(
        f"{len(chosen)} environments, {runs} runs: {tracebacks} tracebacks, "
        f"{bad} runs that ended otherwise than with an answer or a sentence"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
