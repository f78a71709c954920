"""A checkpoint on this machine that is asked for one word: the odds of how its reply begins."""

import io
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from agent.api import Grounder
from agent.grounding import Grounding
from agent.settings import load_settings
from tests.drawing import draw_video, even_times, gray
from tools.captioners.image_model import FrameQuestion, ShownFrame
from tools.captioners.local import LocalCaptioner
from tools.captioners.local_image_model import LocalImageModel
from tools.captioners.traced_calls import TracedCalls
from tools.errors import CaptionerError
from tools.llm.token_odds import word_odds

pytestmark = pytest.mark.slow  # Importing torch and transformers takes seconds.


def captioner(folder: Path, prompt: str = "Is there a dog?") -> LocalCaptioner:
    return LocalCaptioner(folder, prompt=prompt, prompt_version="p1", device="cpu", threads=1)


def shown(count: int) -> list[ShownFrame]:
    noise = np.random.default_rng(7)
    pictures = (noise.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(count))
    return [ShownFrame(float(second), jpeg(one)) for second, one in enumerate(pictures)]


def jpeg(picture: NDArray[np.uint8]) -> bytes:
    written = io.BytesIO()
    Image.fromarray(picture).save(written, "JPEG")
    return written.getvalue()


@pytest.mark.parametrize("frames", [1, 3])
def test_the_odds_are_of_how_the_reply_begins(checkpoints: dict[str, Path], frames: int) -> None:
    model = LocalImageModel(captioner(checkpoints["idefics3"]))
    question = FrameQuestion("Is there a dog?", shown(frames), 60.0, odds=20)
    answer = model.ask(question, TracedCalls.of_this_step())
    (first,) = answer.reply.logprobs
    listed = [row["logprob"] for row in first["top_logprobs"]]
    assert len(listed) == 20
    assert listed == sorted(listed, reverse=True)
    assert 0 < sum(map(math.exp, listed)) <= 1 + 1e-4
    assert first["logprob"] == listed[0]
    assert (answer.usd, model.most_usd("", 3)) == (0.0, 0.0)
    words = [row["token"].strip().lower() for row in first["top_logprobs"] if row["token"].strip()]
    odds = word_odds(answer.reply, words[:2])
    assert sum(odds.values()) == pytest.approx(1)
    assert odds[words[0]] >= odds[words[1]]


def test_a_model_without_a_chat_template_cannot_be_asked(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(CaptionerError, match="no chat template"):
        LocalImageModel(captioner(checkpoints["blip"]))


@pytest.mark.usefixtures("word_embedder")
def test_a_local_model_judges_where_that_is_asked_for(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    road = draw_video(tmp_path / "road.mp4", even_times(48, 4.0), picture=gray)
    captions = tmp_path / "road.jsonl"
    said = {4: "a dog jumps", 8: "a brown dog jumps"}
    lines = [{"t": at_s, "caption": said.get(at_s, f"a road {at_s % 3}")} for at_s in range(12)]
    captions.write_text("\n".join(map(json.dumps, lines)))
    settings = load_settings(
        captioner=f"local:{checkpoints['idefics3']}",
        reasoner="similarity",
        verify=True,
        refine=False,
        device="cpu",
    )
    with Grounder(settings) as asking:
        answer = Grounding.model_validate_json(
            asking.find(road, "a dog jumps", captions=captions).to_json()
        )
    cost = answer.usage.stages["judge"]
    # Random weights hardly ever begin with "yes" or "no".
    unread = f"of {cost.calls} windows got no verdict that could be read"
    assert answer.models.judge.startswith("local:") or unread in answer.warning
    assert cost.calls >= 1
    assert cost.frames >= 2
    assert cost.usd == 0
