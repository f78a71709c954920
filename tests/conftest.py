"""What all tests share: no network, no user data, and the real videos where they are at hand."""

import gc
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import certifi
import hypothesis
import pytest

from tests import tiny_models
from tests.fakes import WordEmbedder
from tests.model_server import ModelServer, serve_checkpoint
from tools.known_secrets import KNOWN
from tools.store.isolation import open_client
from tools.store.store_failures import DATABASE

GOLDEN = Path(__file__).parent / "golden"
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
MEMORY = Path("/dev/shm")
MEMORY_BYTES = 4 << 30
"""With less than this free, temporary files go to the disk."""

TOO_HEAVY = frozenset("onnx peft playwright rapidocr schemathesis sphinx torch yt_dlp".split())
"""What no fast test may import: each takes from half a second to several, before every commit."""

# How long an example takes says nothing but how busy the machine is.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.register_profile(
    "quick", hypothesis.settings.get_profile("patient"), max_examples=20
)
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Keep temporary files in memory where there is room: most tests write a store or two.

    Where slow tests are left out, Hypothesis tries fewer examples of each sentence too.

    Run in the background or by ``nohup``, signals are ignored, by the commands that tests start
    too, and those that are to be interrupted would never end.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            to = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, to)
    if "not slow" in config.option.markexpr:
        hypothesis.settings.load_profile("quick")
    is_there = MEMORY.is_dir() and os.access(MEMORY, os.W_OK)
    if is_there and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Refuse a test file that imports what is too heavy for the fast tests as it is read."""
    before = TOO_HEAVY & sys.modules.keys()
    report = yield
    if report.passed and (more := _too_heavy_now(collector.config, before)):
        report.outcome, report.longrepr = "failed", f"{collector.nodeid} {more}"
    return report


@pytest.fixture(autouse=True)
def _imports_nothing_heavy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a fast test that imports what is too heavy for it."""
    before = TOO_HEAVY & sys.modules.keys()
    yield
    if more := _too_heavy_now(request.config, before):
        pytest.fail(f"{request.node.nodeid} {more}", pytrace=False)


@pytest.fixture(autouse=True)
def _knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test was handed as a key is a word in another."""
    monkeypatch.setattr(KNOWN, "_shown", {})


def _too_heavy_now(config: pytest.Config, before: frozenset[str]) -> str:
    """What was imported beyond that, in words; empty if nothing was, or if slow tests run too."""
    more = sorted(TOO_HEAVY & sys.modules.keys() - before)
    if not more or "not slow" not in config.option.markexpr:
        return ""
    return f"imports {', '.join(more)}: import it later, or mark what needs it as slow"


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every later search for garbage.

    Python searches often enough for a program that is short of memory: a tenth of what tests cost.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


SHARED: Mapping[str, str] = {
    "browser": "page",
    "checkpoints": "torch",
    "model_server": "torch",
    "tiny_joint": "torch",
}
"""Fixtures that take seconds to make, and the group of the tests that need each."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together, in one of several processes, what shares something that is dear to make."""
    for item in items:
        names = getattr(item, "fixturenames", ())
        if group := next((SHARED[name] for name in names if name in SHARED), ""):
            item.add_marker(pytest.mark.xdist_group(group))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="write what is rendered to tests/golden"
    )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a file in ``tests/golden``, or writes it there (--update-golden)."""

    def compare(name: str, text: str) -> None:
        if request.config.getoption("--update-golden"):
            (GOLDEN / name).write_text(text, encoding="utf-8")
        assert text == (GOLDEN / name).read_text(encoding="utf-8")

    return compare


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real videos, captions and annotations; skips where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the real videos and captions are not at {SHARED_DATA}")
    return SHARED_DATA


@pytest.fixture
def word_embedder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts that share words are near each other: an embedder that takes no time to load."""
    monkeypatch.setattr("agent.watching.opened.open_embedder", lambda *_, **__: WordEmbedder())


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's store, settings and keys out of every test."""
    monkeypatch.setenv("WHENABOUTS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # So that no terminal's width breaks what is printed: a temporary path may be long.
    monkeypatch.setenv("COLUMNS", "1000")
    for name in os.environ:
        if name.startswith(("OPENAI_", "LANGSMITH_", "LANGCHAIN_", "OTEL_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing goes beyond the loopback, and reading all certificates takes 15 ms a client."""
    end = "-----END CERTIFICATE-----\n"
    first = Path(certifi.where()).read_text(encoding="utf-8").partition(end)[0] + end
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(autouse=True, scope="session")
def _not_in_colab() -> Iterator[None]:
    """Chroma looks for it with every client, and pytest makes a vain import cost 5 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "google.colab", None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _nobody_waits() -> Iterator[None]:
    """How long something takes, and so whether it is told what it is, depends on the machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.waiting.QUIET_S", 3600.0)
        yield


@pytest.fixture(autouse=True, scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every new store begins as a copy of an empty one, which Chroma takes 10 ms to make."""
    empty: list[bytes] = []

    def open_quickly(folder: Path) -> Any:
        if not empty:
            made = tmp_path_factory.mktemp("empty store")
            open_client(made).close()
            empty.append((made / DATABASE).read_bytes())
        if not (folder / DATABASE).stat().st_size:
            (folder / DATABASE).write_bytes(empty[0])
        return open_client(folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tools.store.chroma.open_client", open_quickly)
        yield


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny checkpoints, by architecture. Read them, copy them, change nothing."""
    folder = tmp_path_factory.mktemp("checkpoints")
    saves: dict[str, Callable[[Path], Path]] = {
        "idefics3": tiny_models.save_idefics3,
        "llava": tiny_models.save_llava,
        "blip": tiny_models.save_blip,
    }
    return {name: save(folder / name) for name, save in saves.items()}


@pytest.fixture(scope="session")
def model_server(
    checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    """``transformers serve`` over the tiny Idefics3; tests that use it are slow."""
    with serve_checkpoint(checkpoints["idefics3"], tmp_path_factory.mktemp("serve")) as server:
        yield server


@pytest.fixture(scope="session")
def tiny_joint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A joint model that knows drawn things; training it takes seconds, so tests are slow."""
    from tests.tiny_joint import save_tiny_joint

    return save_tiny_joint(tmp_path_factory.mktemp("joint") / "tiny")
