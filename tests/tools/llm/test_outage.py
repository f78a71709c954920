"""A service that is down is found out once in a run, whoever asks it, and for whichever video."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drawing import draw_video, even_times
from tests.fakes import WordEmbedder
from tests.servers import Answer, Asked, Server, fails, says, serving
from tests.tiers import first_fast
from tools.captioners.image_model import FrameQuestion, ImageModel, ShownFrame
from tools.captioners.openai import OpenAICaptioner
from tools.captioners.traced_calls import TracedCalls
from tools.embedders.embedder import Embedder
from tools.embedders.service import OpenAIEmbedder
from tools.errors import CaptionerError, EmbedderError, FailureKind, ServiceError
from tools.indexing.indexer import index_video
from tools.llm.client import Patience, Service
from tools.llm.negotiation import ServiceRequest
from tools.llm.outage import LASTS_S, Outages, outages_noted, outages_of_run
from tools.store.store import CaptionStore
from tools.video.reader import Video, probe

SOON = Patience(max_retries=1, backoff_s=0.001)
HELLO = ServiceRequest([{"role": "user", "content": "hello"}])


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> list[Video]:
    folder = tmp_path_factory.mktemp("videos")
    return [
        probe(draw_video(folder / f"{count}.mp4", even_times(count, 1))) for count in (12, 16, 20)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CaptionStore]:
    with CaptionStore.open(tmp_path / "store", embedder="words") as opened:
        yield opened


def captioner_at(server: Server) -> OpenAICaptioner:
    return OpenAICaptioner(
        "tiny",
        prompt="What is there?",
        prompt_version="v1",
        api_key=None,
        base_url=server.url,
        in_flight=1,
        patience=SOON,
    )


def error(kind: FailureKind, **more: bool) -> ServiceError:
    return ServiceError(kind, "no", **more)


def is_down(outages: Outages) -> bool:
    try:
        outages.check("it")
    except ServiceError as exc:
        return exc.known
    return False


@pytest.mark.parametrize("kind", ["key", "credit", "model", "unreachable"])
def test_what_the_next_request_would_meet_too_counts_at_once(kind: FailureKind) -> None:
    outages = Outages()
    outages.note_failure("it", error(kind))
    assert is_down(outages)
    outages.check("another")


def test_what_may_pass_counts_from_the_second_time_on() -> None:
    outages = Outages()
    outages.note_failure("it", error("timeout"))
    assert not is_down(outages)
    outages.note_reply("it")
    outages.note_failure("it", error("timeout"))
    assert not is_down(outages)
    outages.note_failure("it", error("broken"))
    assert is_down(outages)
    outages.note_failure("it", error("strange"))
    assert not is_down(outages), "that may be the fault of one question"


def test_the_end_of_a_run_and_what_is_known_already_say_nothing_of_a_service() -> None:
    outages = Outages()
    outages.give_up("it", error("timeout", of_run=True))
    outages.give_up("it", error("unreachable", known=True))
    outages.give_up("it", error("stopped"))
    assert not is_down(outages)


def test_a_service_may_come_back_in_a_run_that_lasts_for_days() -> None:
    now_s = 0.0
    outages = Outages(clock=lambda: now_s)
    outages.note_failure("it", error("unreachable"))
    now_s = LASTS_S - 1
    assert is_down(outages)
    now_s = LASTS_S
    assert not is_down(outages)


def test_every_stage_that_asks_a_dead_server_ends_at_once() -> None:
    with serving([says("fine")]) as server:
        pass  # Nobody answers there any more.
    one, other = (
        Service(name, api_key=None, base_url=server.url, patience=SOON) for name in ("one", "other")
    )
    embedder = OpenAIEmbedder("vectors", api_key=None, base_url=server.url, patience=SOON)
    known: list[bool] = []
    with outages_noted():
        for service in (one, one, other):
            with pytest.raises(ServiceError, match="no answer from") as told:
                service.chat(HELLO)
            known.append(told.value.known)
        with pytest.raises(EmbedderError, match="no answer from"):
            embedder.embed(["a"])
    assert known == [False, True, True]
    with pytest.raises(ServiceError, match="no answer from") as told:
        other.chat(HELLO)
    assert not told.value.known, "outside of a run nothing is remembered"


def index(
    video: Video, store: CaptionStore, captioner: OpenAICaptioner, embedder: Embedder | None = None
) -> None:
    index_video(
        video,
        captioner,
        rate_hz=1,
        store=store,
        embedder=embedder or WordEmbedder(),
        report=lambda _: None,
    )


@pytest.mark.parametrize("status", first_fast(500, 503, 429, 401))
def test_a_captioner_that_is_given_up_is_not_asked_for_the_next_videos(
    status: int, videos: list[Video], store: CaptionStore
) -> None:
    told: list[str] = []
    asked: list[int] = []
    with serving([fails(status)]) as server, outages_noted():
        captioner = captioner_at(server)
        for video in videos:
            with pytest.raises(CaptionerError) as failed:
                index(video, store, captioner)
            told.append(str(failed.value))
            asked.append(len(server.asked))
    assert asked[0] > 0
    assert asked == [asked[0]] * 3
    assert len(set(told)) == 1, "so that it need not be said of each of them"


def test_a_picture_that_a_service_cannot_take_keeps_it_from_no_other_video(
    videos: list[Video], store: CaptionStore
) -> None:
    def breaks_at_first(asked: Asked) -> Answer:
        return fails(500) if asked.number < 2 else says("a gray picture")

    with serving(breaks_at_first) as server, outages_noted():
        captioner = captioner_at(server)
        for video in videos:
            index(video, store, captioner)
    gaps = [store.gaps(video.id, store.records(video.id)[0].track) for video in videos]
    assert list(map(len, gaps)) == [1, 0, 0]


@pytest.mark.parametrize("status", first_fast(500, 503, 429, 401, 404))
def test_no_captions_are_paid_for_that_a_dead_embedder_would_not_embed(
    status: int, videos: list[Video], store: CaptionStore
) -> None:
    with serving([says("a gray picture")]) as server, serving([fails(status)]) as dead:
        embedder = OpenAIEmbedder("small", api_key=None, base_url=dead.url, patience=SOON)
        captioner = captioner_at(server)
        asked: list[tuple[int, int]] = []
        with outages_noted():
            for video in videos:
                with pytest.raises(EmbedderError, match="openai:small"):
                    index(video, store, captioner, embedder)
                asked.append((len(server.asked), len(dead.asked)))
    assert asked == [asked[0]] * 3


def test_an_image_model_that_failed_twice_is_not_asked_about_other_windows() -> None:
    question = FrameQuestion("Is it there?", [ShownFrame(0.0, b"jpeg")], 1.0)
    with serving([fails(503)]) as server, outages_noted():
        model = ImageModel("tiny", api_key=None, base_url=server.url, patience=SOON)
        for _ in range(4):
            with pytest.raises(ServiceError) as told:
                # As in the threads of a judge, which hand the run on.
                model.ask(question, TracedCalls(None), outages=outages_of_run())
        assert told.value.known
        assert len(server.asked) == 4, "two questions, and a retry of each"
