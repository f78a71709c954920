"""A collector that sends traces on to another host gets none of them there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import uuid4

import pytest
from langsmith import run_trees
from langsmith.utils import LangSmithError

from agent.tracing.langsmith_sink import LangSmith, scrub_own_tracer
from agent.tracing.otel_sink import Otlp
from agent.tracing.scrub import Scrubber
from agent.tracing.tracer import TraceTargets, Tracing
from tests.listening import Handler, listening


@contextmanager
def collector(asked: list[str], location: str = "") -> Iterator[str]:
    """Takes everything, or sends what is posted elsewhere."""

    class Collector(Handler):
        def do_GET(self) -> None:
            self.send(b"{}")

        def do_POST(self) -> None:
            asked.append(self.path)
            self.body()
            if location:
                self.send(b"", 307, location=f"{location}{self.path}")
            else:
                self.send(b"")

    with listening(Collector) as url:
        yield url


def test_langsmiths_own_tracer_follows_no_redirect_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_trees, "_CLIENT", None)
    asked: list[str] = []
    stolen: list[str] = []
    with collector(stolen) as thief, collector(asked, location=thief) as url:
        client = scrub_own_tracer(LangSmith(url, api_key="a-real-key"), Scrubber())
        try:
            with suppress(LangSmithError):
                client.create_run("find", {"query": "a"}, "chain", id=uuid4())
            client.flush()
        finally:
            client.close()
    assert asked, "the run was sent at all"
    assert stolen == []


@pytest.mark.parametrize("kind", ["langsmith", "otlp"])
def test_a_redirect_is_not_followed(kind: str) -> None:
    asked: list[str] = []
    stolen: list[str] = []
    told: list[str] = []
    with collector(stolen) as thief, collector(asked, location=thief) as url:
        targets = (
            TraceTargets(langsmith=LangSmith(url, api_key="a-real-key"))
            if kind == "langsmith"
            else TraceTargets(otlp=Otlp(url))
        )
        with Tracing(targets, tell=told.append) as tracing, tracing.step("find", {"query": "a"}):
            pass
    assert asked, "the traces were sent at all"
    assert stolen == []
    assert "does not take traces" in told[0]
