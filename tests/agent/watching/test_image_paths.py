"""Judge and video model over a real server on loopback: what is sent, paid, kept and limited."""

import json
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.api import Grounder
from agent.cli.main import main
from agent.errors import SettingsError
from agent.grounding import Grounding
from agent.reasoning.judge import MOST_CALLS
from agent.settings import load_settings
from tests.agent.graph.test_fuzzed_replies import spoiled
from tests.drawing import draw_video, even_times, gray
from tests.servers import Answer, Asked, Server, fails, says, serving
from tests.tiers import first_fast
from tools.captioners.image_model import ImageModel
from tools.llm.client import Patience

pytestmark = pytest.mark.usefixtures("word_embedder")

SECONDS = 24
DOG = "a brown dog jumps"
FOUND = '{"why": "it jumps", "found": true, "events": [{"start_s": 8.0, "end_s": 11.0}]}'
NONE = '{"found": false, "events": []}'

_AT_ONCE = Patience(timeout_s=60, max_retries=0)
"""Empty replies are not asked for again: that is what other tests are about."""


@pytest.fixture
def road(tmp_path: Path) -> Path:
    times_s = even_times(4 * SECONDS, 4.0)
    return draw_video(tmp_path / "road.mp4", times_s, picture=lambda index: gray(index % 50))


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    """A dog at 4 to 6 s and at 8 to 11 s."""
    dogs = {4: "a dog jumps", 5: "a dog jumps"} | dict.fromkeys((8, 9, 10), DOG)
    lines = [
        json.dumps({"t": at_s, "caption": dogs.get(at_s, f"an empty grey road {at_s % 3}")})
        for at_s in range(SECONDS)
    ]
    path = tmp_path / "road.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def kind_of(asked: Asked) -> str:
    """What a request is: of the judge, of the video model, or for a caption."""
    if "Do they show it?" in asked.text:
        return "judge"
    return "direct" if "You find out when" in asked.text else "caption"


def odds(word: str, **shares: float) -> Answer:
    """A reply of one word, with the odds of several."""
    rows = [{"token": token, "logprob": math.log(share)} for token, share in shares.items()]
    reply = json.loads(says(word).body)
    token = {"token": word, "logprob": math.log(shares[word]), "top_logprobs": rows}
    reply["choices"][0]["logprobs"] = {"content": [token]}
    return Answer(json.dumps(reply).encode())


def grounder(server: Server, **more: Any) -> Grounder:
    given = {"captioner": "openai:eye", "reasoner": "similarity", "refine": False}
    return Grounder(load_settings(OPENAI_BASE_URL=server.url, **(given | more)))


def judges(asked: Asked) -> Answer:
    """Prefers the frames from 4 s to 6 s."""
    times_s = [float(one["text"][1:-9]) for one in asked.blocks[1:] if one["type"] == "text"]
    return (
        odds("yes", yes=0.9, no=0.1)
        if all(4 <= one < 6 for one in times_s)
        else odds("no", no=0.8, yes=0.2)
    )


@pytest.mark.slow
def test_the_judge_is_shown_a_few_timed_frames_and_its_odds_rank(
    road: Path, captions: Path
) -> None:
    with serving(judges) as server, grounder(server, verify=True) as asking:
        answer = asking.find(road, DOG, captions=captions)
        calls = len(server.asked)
        assert 2 <= calls <= MOST_CALLS
        for asked in server.asked:
            assert kind_of(asked) == "judge"
            assert 2 <= len(asked.jpegs) <= 6
            assert (asked.body["logprobs"], asked.body["top_logprobs"]) == (True, 20)
        assert answer.by == "similarity"
        assert answer.candidates[0].judged == pytest.approx(0.9)
        assert 3 <= answer.intervals[0].start_s < 6
        cost = answer.usage.stages["judge"]
        assert (cost.calls, cost.tokens_in) == (calls, 100 * calls)
        assert cost.frames == sum(len(asked.jpegs) for asked in server.asked)
        again = asking.find(road, DOG, captions=captions)
        assert len(server.asked) == calls, "what was judged before is not paid for again"
        assert again.intervals == answer.intervals
        assert again.usage.stages["judge"].calls == 0
        assert answer.usage.kept == {}
        assert again.usage.kept == {"judge": cost}, "but it is told what it cost then"
        asking.forget(road)
        asking.find(road, DOG, captions=captions)
        assert len(server.asked) == 2 * calls, "forgetting a video forgets its verdicts"


def test_a_server_without_odds_is_asked_for_the_word_alone_and_remembered(
    road: Path, captions: Path
) -> None:
    def refuses_odds(asked: Asked) -> Answer:
        if "logprobs" in asked.body:
            return fails(400, "logprobs are not supported with reasoning models")
        return says("Part.")

    with (
        serving(refuses_odds) as server,
        grounder(server, verify=True, in_flight=1) as asking,
    ):
        answer = asking.find(road, DOG, captions=captions)
    assert answer.candidates[0].judged == 0.5
    assert ["logprobs" in asked.body for asked in server.asked[:3]] == [True, False, False]


def test_why_windows_were_not_judged_is_told(road: Path, captions: Path) -> None:
    with (
        serving([fails(400, "At most 0 image(s) may be provided in one prompt.")]) as server,
        grounder(server, verify=True) as asking,
    ):
        answer = asking.find(road, DOG, captions=captions)
    assert "At most 0 image(s) may be provided" in answer.warning
    assert answer.verdict == "found"


def takes(most: int, reply: Callable[[Asked], Answer]) -> Callable[[Asked], Answer]:
    """A server for so many pictures in one request, and for no videos."""

    def answer(asked: Asked) -> Answer:
        if "media_io_kwargs" in asked.body:
            return fails(400, "At most 0 video(s) may be provided in one prompt.")
        if len(asked.jpegs) > most:
            return fails(400, f"At most {most} image(s) may be provided in one prompt.")
        return reply(asked)

    return answer


def test_windows_are_judged_by_as_many_frames_as_a_server_takes(road: Path, captions: Path) -> None:
    with (
        serving(takes(1, judges)) as server,
        grounder(server, verify=True, in_flight=1) as asking,
    ):
        answer = asking.find(road, DOG, captions=captions)
        shown = [len(asked.jpegs) for asked in server.asked]
        asking.find(road, "a cat on the road", captions=captions)
        later = [len(asked.jpegs) for asked in server.asked[len(shown) :]]
    assert shown[0] > 1
    assert set(shown[1:]) == set(later) == {1}, "the limit is remembered"
    assert all("are shown 1 frames" in asked.text for asked in server.asked[1:])
    assert answer.candidates[0].judged == pytest.approx(0.9)
    assert answer.usage.stages["judge"].frames == len(shown) - 1


@pytest.mark.slow
def test_a_video_model_is_shown_as_many_frames_as_its_server_takes(road: Path) -> None:
    with (
        serving(takes(10, lambda _: says(FOUND))) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(road, "a dog")
        asking.find(road, "a cat")
    assert answer.by == "direct"
    assert "no more than about 10 frames at once" in answer.warning
    assert [len(asked.jpegs) for asked in server.asked] == [0, 48, 10, 10]
    with (
        serving(takes(2, lambda _: says(FOUND))) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(road, "a cow")
    assert answer.by != "direct", "two frames are too few"
    assert "At most 2 image(s)" in answer.warning


def test_fewer_alternatives_are_asked_for_where_twenty_are_too_many(
    road: Path, captions: Path
) -> None:
    def takes_five(asked: Asked) -> Answer:
        if asked.body.get("top_logprobs", 0) > 5:
            return fails(400, "top_logprobs must be at most 5")
        return odds("yes", yes=0.7, no=0.3)

    with (
        serving(takes_five) as server,
        grounder(server, verify=True, in_flight=1) as asking,
    ):
        answer = asking.find(road, DOG, captions=captions)
    assert answer.candidates[0].judged == pytest.approx(0.7)


@pytest.mark.slow
def test_the_judge_is_the_default_where_a_service_describes_and_the_limits_allow_it(
    road: Path,
) -> None:
    def describes(asked: Asked) -> Answer:
        return says("yes" if kind_of(asked) == "judge" else f"a road {asked.number}")

    with serving(describes) as server:
        with grounder(server) as asking:
            answer = asking.find(road, "a road")
        kinds = Counter(kind_of(asked) for asked in server.asked)
        assert 2 <= kinds["judge"] <= MOST_CALLS
        assert answer.models.judge == "openai:eye"
        assert "prefers none" in answer.warning
        # What is described counts too: nothing is left for frames that are judged.
        with grounder(server, max_captions=SECONDS, home=road.parent / "other") as asking:
            limited = asking.find(road, "a road")
        assert "limit of 24 captions leaves 0" in limited.warning
        assert limited.usage.stages["judge"].calls == 0
        with grounder(server, verify=False) as asking:
            assert asking.find(road, "a road").models.judge == ""


def test_frames_are_counted_against_the_dollars_of_a_run(
    road: Path, captions: Path, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"eye": {"in": 10, "out": 10}}')
    with serving(judges) as server:
        with grounder(server, verify=True, prices=prices, max_usd=0.1) as asking:
            answer = asking.find(road, DOG, captions=captions)
        assert "a reply costs up to" in answer.warning
        assert not server.asked
        with grounder(server, direct="openai:eye", prices=prices, max_usd=0.1) as asking:
            answer = asking.find(road, DOG, captions=captions)
        assert "was not shown frames: a reply costs up to" in answer.warning
        assert (answer.by, server.asked) == ("similarity", [])


def test_a_judge_without_an_image_model_is_an_error_that_says_what_to_name(
    road: Path, captions: Path
) -> None:
    with (
        Grounder(load_settings(captioner="classical", verify=True)) as asking,
        pytest.raises(SettingsError, match="--verify needs an image model"),
    ):
        asking.find(road, DOG, captions=captions)


def test_a_server_that_takes_videos_is_sent_our_frames_with_their_own_times(
    tmp_path: Path,
) -> None:
    times_s = [0.0, 0.9, 1.7, 2.6, 3.1, 4.5, 5.02, 6.0]
    uneven = draw_video(tmp_path / "uneven.mp4", times_s)
    with (
        serving([says(FOUND.replace("8.0", "2.6").replace("11.0", "4.5"))]) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(uneven, "a dog")
    (asked,) = server.asked
    (video,) = [one for one in asked.blocks if one["type"] == "video_url"]
    url = video["video_url"]["url"]
    assert url.startswith("data:video/jpeg;base64,")
    jpegs = url.removeprefix("data:video/jpeg;base64,").split(",")
    told = asked.body["media_io_kwargs"]["video"]
    indices = told["frames_indices"]
    assert len(jpegs) == len(indices)
    assert jpegs[::2] == jpegs[1::2], "each frame twice: models read one time for a pair"
    shown_s = [index / told["fps"] for index in indices[::2]]
    assert indices[::2] == indices[1::2]
    assert shown_s == times_s
    assert (told["num_frames"], told["do_sample_frames"]) == (-1, False)
    assert told["total_num_frames"] > indices[-1]
    assert told["duration"] == answer.video.duration_s
    (interval,) = answer.intervals
    assert (interval.start_s, interval.end_s, answer.by) == (2.6, 4.5, "direct")


@pytest.mark.slow
@pytest.mark.parametrize(
    "complaint",
    first_fast(
        fails(400, "At most 0 video(s) may be provided in one request."),
        fails(422, "Input should be 'text' or 'image_url'"),
        fails(400, "no"),
        fails(500, "unsupported content[].type"),
    ),
)
def test_other_servers_are_sent_pictures_between_their_times_and_remembered(
    road: Path, complaint: Answer
) -> None:
    def takes_pictures(asked: Asked) -> Answer:
        return complaint if "media_io_kwargs" in asked.body else says(FOUND)

    with (
        serving(takes_pictures) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        first = asking.find(road, "a dog")
        asking.find(road, "a cat")
    assert first.intervals[0].start_s == 8.0
    assert ["media_io_kwargs" in asked.body for asked in server.asked] == [True, False, False]
    blocks = server.asked[1].blocks
    assert [one["type"] for one in blocks[:5]] == ["text"] + ["text", "image_url"] * 2
    assert [blocks[1]["text"], blocks[3]["text"]] == ["<0.0 seconds>", "<0.5 seconds>"]
    assert first.usage.stages["direct"].frames == len(server.asked[1].jpegs) == 2 * SECONDS


@pytest.mark.slow
def test_a_refused_direct_reply_goes_back_with_the_frames_and_the_reason(road: Path) -> None:
    with (
        serving([says("at eight"), says("8 - 11 seconds")]) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(road, "a dog")
        again = asking.find(road, "a dog")
    assert (answer.by, answer.attempts, answer.refusals[0].kind) == ("direct", 2, "no_json")
    assert again.usage.kept["direct"] == answer.usage.stages["direct"], "refused replies cost too"
    roles = [message["role"] for message in server.asked[1].body["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert "was not accepted" in server.asked[1].blocks[0]["text"]
    assert answer.usage.stages["direct"].calls == 2


@pytest.mark.slow
def test_what_a_video_model_said_is_not_paid_for_again(road: Path) -> None:
    with (
        serving(lambda _: says(FOUND)) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(road, DOG)
        again = asking.find(road, DOG)
        assert len(server.asked) == 1
        assert (again.by, again.intervals) == ("direct", answer.intervals)
        assert again.usage.stages["direct"].calls == 0
        assert answer.usage.kept == {}
        assert again.usage.kept == {"direct": answer.usage.stages["direct"]}
        asking.find(road, "a brown dog jumps high")
        assert len(server.asked) == 2, "another question is asked"
        asking.forget(road)
        asking.find(road, DOG)
        assert len(server.asked) == 3, "forgetting a video forgets what was said of it"


@pytest.mark.slow
def test_a_reply_that_was_refused_is_not_kept(road: Path) -> None:
    replies = iter(["At about nine seconds, or so.", FOUND, FOUND])
    with (
        serving(lambda _: says(next(replies))) as server,
        grounder(server, captioner="none", direct="openai:eye", max_attempts=1) as asking,
    ):
        assert asking.find(road, DOG).by != "direct"
        assert asking.find(road, DOG).by == "direct"
        assert len(server.asked) == 2


@pytest.mark.slow
def test_fewer_frames_are_shown_where_all_are_more_than_a_model_reads(road: Path) -> None:
    def reads_few(asked: Asked) -> Answer:
        frames = len(asked.body["media_io_kwargs"]["video"]["frames_indices"]) // 2
        return says(FOUND) if frames <= 20 else fails(400, "maximum context length exceeded")

    with (
        serving(reads_few) as server,
        grounder(server, captioner="none", direct="openai:eye") as asking,
    ):
        answer = asking.find(road, "a dog")
    assert answer.by == "direct"
    assert "can be shown no more than about 15 frames" in answer.warning
    assert answer.intervals[0].start_precision_s >= 1.5


@pytest.mark.parametrize(
    ("model", "by"), first_fast(("eye", "llm"), ("Qwen3-VL-8B-Instruct", "direct"))
)
def test_auto_shows_frames_to_models_that_are_known_to_take_videos(
    road: Path, model: str, by: str
) -> None:
    reads = '{"steps": [], "found": true, "events": [{"first": 2, "last": 3}]}'

    def script(asked: Asked) -> Answer:
        if kind_of(asked) == "direct" and "media_io_kwargs" in asked.body:
            return says(FOUND)
        return says("a road" if asked.jpegs else reads)

    told: list[str] = []
    with serving(script, models=[model]) as server:
        settings = load_settings(OPENAI_BASE_URL=server.url, refine=False, verify=False)
        with Grounder(settings, tell=told.append) as asking:
            assert asking.find(road, "a dog").by == by
        off = settings.model_copy(update={"direct": "off"})
        with Grounder(off) as asking:
            assert asking.find(road, "a dog").by == "llm"
    assert any("which takes videos (--direct off" in line for line in told) == (by == "direct")


@pytest.mark.slow
def test_the_command_line_says_which_ways_agree_and_what_that_took(
    road: Path, captions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(asked: Asked) -> Answer:
        return says("yes") if kind_of(asked) == "judge" else says(FOUND)

    with serving(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        options = ["--captions", str(captions), "--captioner", "openai:eye", "--verify"]
        options += ["--direct", "openai:eye", "--every-path", "--reasoner", "similarity"]
        assert main(["ask", str(road), DOG, *options]) == 0
    out = capsys.readouterr().out
    assert "paths: agreed by similarity" in out
    assert "decided by: openai:eye" in out
    assert "confidence" not in out
    assert f"{len(server.asked)} calls with " in out
    assert main(["ask", str(road), DOG, "--direct", "qwen"]) == 2
    assert "--direct is 'qwen': it must be auto, off, or openai:MODEL" in capsys.readouterr().err


def _spoiled_verdict(rng: random.Random) -> Answer:
    text = rng.choice(["yes", "no", "part", "Yes, but no", "", "maybe", "\ud83d", "x" * 9000, "{"])
    if rng.random() < 0.5:
        return says(text or None, finish=rng.choice(["stop", "length"]))
    reply = json.loads(says(text).body)
    odd: list[Any] = [None, 1, "yes", [], {}, float("nan"), -1e999, 5, True, [{"token": 3}]]
    reply["choices"][0]["logprobs"] = rng.choice(
        [
            rng.choice(odd),
            {"content": rng.choice(odd)},
            {"content": [{"token": text, "logprob": rng.choice(odd), "top_logprobs": odd}]},
            {"content": [{"token": "yes", "logprob": -0.1, "top_logprobs": rng.choice(odd)}]},
        ]
    )
    return Answer(json.dumps(reply).encode("utf-8", "replace"))


def _spoiled_direct(rng: random.Random) -> Answer:
    text = rng.choice(
        [
            FOUND,
            NONE,
            "8 - 11 seconds",
            "[[8, 11], [10, 30]]",
            "from 0:08 to 0:99",
            '{"found": true, "events": [[11, 8]]}',
            '{"found": true, "events": [[1e400, -5]]}',
            '{"events": {"start": "8", "end": null}}',
            spoiled(rng),
        ]
    )
    for _ in range(rng.randrange(3)):
        cut, other = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        text = rng.choice([text[:cut], text[:cut] + text[other:], text[other:] + text[:cut]])
    return says(
        text.encode("utf-8", "replace").decode(), finish=rng.choice(["stop"] * 9 + ["length"])
    )


@pytest.mark.slow
@pytest.mark.parametrize("which", ["judge", "direct"])
def test_a_thousand_spoiled_replies_end_in_valid_answers(
    which: str, road: Path, captions: Path
) -> None:
    rng = random.Random(17)
    spoil: Callable[[random.Random], Answer] = {
        "judge": _spoiled_verdict,
        "direct": _spoiled_direct,
    }[which]
    more: dict[str, Any] = {"verify": which == "judge", "in_flight": 1}
    if which == "direct":
        more |= {"direct": "openai:eye"}
    by: Counter[str] = Counter()
    with serving(lambda _: spoil(rng)) as server, grounder(server, **more) as asking:
        model = asking._assembly._image_paths.model("openai:eye")
        assert isinstance(model, ImageModel)
        model._service._patience = _AT_ONCE
        number = 0
        while len(server.asked) < 1000:
            number += 1
            found = asking.find(road, f"{DOG} {number}", captions=captions, within=(0, 12))
            answer = Grounding.model_validate_json(found.to_json())
            for one in (*answer.intervals, *answer.candidates):
                assert 0 <= one.start_s < one.end_s <= answer.video.duration_s
            assert answer.usage.stages["judge"].calls <= MOST_CALLS
            assert answer.usage.stages["direct"].calls <= 3
            by[answer.by] += 1
    if which == "direct":
        assert by["direct"] > 30
        assert by["similarity"] > 10
