"""The transformers captioner over real architectures with tiny random weights."""

import json
import shutil
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests import tiny_models
from tests.tiny_models import SPECIAL
from tools.captioners import local
from tools.captioners.checkpoints import find_model
from tools.captioners.local import LocalCaptioner
from tools.captioners.looks import Look, LookMode
from tools.captioners.protocol import Description, NoCaption
from tools.captioners.vision_model import VisionModel
from tools.errors import CaptionerError
from tools.timeline import Frame

pytestmark = pytest.mark.slow  # Importing torch and transformers takes seconds.

SEEN_NOTHING: frozenset[float] = frozenset()


@pytest.fixture(scope="session")
def adapter(checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a LoRA adapter for the Idefics3 checkpoint."""
    return tiny_models.save_adapter(
        checkpoints["idefics3"], tmp_path_factory.mktemp("adapters") / "drawn-clips"
    )


def make_captioner(model: str | Path, **options: Any) -> LocalCaptioner:
    prompt = options.pop("prompt", "Describe this picture in one sentence.")
    defaults: dict[str, Any] = {"max_new_tokens": 10, "device": "cpu", "threads": 1}
    return LocalCaptioner(model, prompt=prompt, prompt_version="p1", **defaults | options)


def make_frames(count: int) -> Iterator[Frame]:
    """Frames of coloured noise, one a second, each unlike the others."""
    noise = np.random.default_rng(7)
    luma = np.zeros((1, 36, 64), np.uint8)
    for second in range(count):
        image = noise.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        yield Frame(float(second), image, None, None, luma, np.array([float(second)]))


def describe(captioner: LocalCaptioner, count: int = 5) -> list[Description]:
    said = list(captioner.describe(make_frames(count), seen=SEEN_NOTHING))
    return [one for one in said if isinstance(one, Description)]


# What it writes.


@pytest.mark.parametrize("architecture", ["idefics3", "llava", "blip"])
def test_frames_are_captioned_alike_in_a_batch_and_alone(
    checkpoints: dict[str, Path], architecture: str
) -> None:
    folder = checkpoints[architecture]
    batched = describe(make_captioner(folder, batch_size=3))
    alone = describe(make_captioner(folder, batch_size=1))
    assert batched == alone
    assert [one.time_s for one in batched] == [0, 1, 2, 3, 4]
    # Of one caption for all, the above would say nothing.
    assert len({one.text for one in batched}) > 1


def test_looks_of_unlike_length_are_captioned_alike_in_a_batch_and_alone(
    checkpoints: dict[str, Path],
) -> None:
    # Five frames as clips of two: the last look is shorter, and padded.
    clips = {"mode": LookMode("clip", 2)}
    for architecture in ("idefics3", "llava"):
        batched = describe(make_captioner(checkpoints[architecture], batch_size=3, **clips))
        alone = describe(make_captioner(checkpoints[architecture], batch_size=1, **clips))
        assert batched == alone
        assert [(one.time_s, one.last_s) for one in batched] == [(0, 1), (2, 3), (4, 4)]


def test_every_picture_of_a_clip_changes_the_caption(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["idefics3"], mode=LookMode("clip", 2))
    one, other = (frame.image for frame in make_frames(2))
    texts = {
        captioner._loaded.write([Look((0.0, 1.0), clip)], prompt="", max_new_tokens=10)[0]
        for clip in ((one, one), (one, other), (other, one))
    }
    assert len(texts) == 3


def test_a_clip_shows_each_picture_after_its_time(checkpoints: dict[str, Path]) -> None:
    model = make_captioner(checkpoints["idefics3"])._loaded
    one, other = (frame.image for frame in make_frames(2))
    encoded = model._encode([Look((3.0, 4.5), (one, other))], "What?")
    shown = model._processor.batch_decode(encoded["input_ids"])[0]
    assert shown.index("3 s") < shown.index("<image>") < shown.index("4.5 s")
    assert shown.index("4.5 s") < shown.rindex("<image>") < shown.index("What?")


def test_a_grid_is_one_picture_with_one_caption(checkpoints: dict[str, Path]) -> None:
    for architecture in ("idefics3", "blip"):
        captions = describe(
            make_captioner(checkpoints[architecture], mode=LookMode("grid", 4)), count=8
        )
        assert [(one.time_s, one.last_s) for one in captions] == [(0, 3), (4, 7)]


def test_another_run_says_the_same(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    # Also with a checkpoint that would rather sample.
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "sampling"))
    wishes = {"do_sample": True, "temperature": 2.0, "top_p": 0.9, "top_k": 40}
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | wishes))
    first = describe(make_captioner(folder))
    assert first == describe(make_captioner(folder))
    assert first == describe(make_captioner(checkpoints["idefics3"]))


def test_the_prompt_is_asked_and_not_repeated(checkpoints: dict[str, Path]) -> None:
    for architecture in ("idefics3", "llava"):
        asked = describe(make_captioner(checkpoints[architecture], prompt="What moves?"))
        assert asked != describe(make_captioner(checkpoints[architecture], prompt="Who?"))
        assert not any("What moves" in one.text or "assistant" in one.text for one in asked)


def test_a_model_without_a_chat_template_is_shown_no_prompt(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["blip"], prompt="What moves?")
    assert describe(captioner) == describe(make_captioner(checkpoints["blip"], prompt="Who?"))
    assert captioner.prompt_version == ""
    assert make_captioner(checkpoints["llava"]).prompt_version == "p1"


def test_a_model_without_a_chat_template_refuses_clips(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(CaptionerError, match=r"blip has no chat template.*use frame or grid4"):
        make_captioner(checkpoints["blip"], mode=LookMode("clip", 4))


def test_a_model_that_says_nothing_leaves_a_gap(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["idefics3"])
    tokens = range(len(captioner._loaded._processor.tokenizer))
    captioner._loaded._greedy.bad_words_ids = [[one] for one in tokens[len(SPECIAL) :]]
    said = list(captioner.describe(make_frames(2), seen=SEEN_NOTHING))
    reason = "the model wrote nothing"
    assert said == [NoCaption(0.0, reason, 0.0), NoCaption(1.0, reason, 1.0)]


# How it goes through a video.


def test_stored_frames_are_not_described_again(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["idefics3"], batch_size=2)
    everything = describe(captioner)
    rest = list(captioner.describe(make_frames(5), seen={0.0, 1.0, 3.0}))
    assert rest == [everything[2], everything[4]]


def test_no_more_than_a_batch_is_read_ahead(checkpoints: dict[str, Path]) -> None:
    read: list[float] = []

    def noting() -> Iterator[Frame]:
        for frame in make_frames(9):
            read.append(frame.time_s)
            yield frame

    captioner = make_captioner(checkpoints["idefics3"], batch_size=2)
    next(captioner.describe(noting(), seen=SEEN_NOTHING))
    assert len(read) <= 3


class SmallMemory:
    """A model that runs out of memory above a number of looks at a time, as torch does."""

    def __init__(self, model: VisionModel, fits: int, error: RuntimeError) -> None:
        self.device = model.device
        self.sizes: list[int] = []
        self._model = model
        self._fits = fits
        self._error = error

    def write(self, looks: Sequence[Look], **how: Any) -> list[str]:
        self.sizes.append(len(looks))
        if len(looks) > self._fits:
            raise self._error
        return self._model.write(looks, **how)


def give_memory(captioner: LocalCaptioner, fits: int, error: RuntimeError) -> list[int]:
    """Make memory small; returns the sizes of the batches that will be tried."""
    small = SmallMemory(captioner._loaded, fits, error)
    captioner.__dict__["_loaded"] = small
    return small.sizes


def memory_errors() -> list[RuntimeError]:
    import torch

    return [
        torch.OutOfMemoryError("Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 9.0 GB)."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
    ]


def test_when_memory_runs_out_the_batch_is_halved_and_stays_so(
    checkpoints: dict[str, Path],
) -> None:
    wanted = describe(make_captioner(checkpoints["idefics3"]), count=12)
    for error in memory_errors():
        captioner = make_captioner(checkpoints["idefics3"], batch_size=8)
        sizes = give_memory(captioner, 3, error)
        assert describe(captioner, count=12) == wanted
        assert sizes == [8, 4, 2, 2, 2, 2, 2, 2]
        assert captioner.batch_size == 2


def test_a_single_look_that_does_not_fit_is_an_error(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["idefics3"], batch_size=4)
    sizes = give_memory(captioner, 0, memory_errors()[0])
    with pytest.raises(CaptionerError, match="idefics3 runs out of memory on cpu with a single"):
        describe(captioner)
    assert sizes == [4, 2, 1]


def test_another_error_of_torch_is_not_taken_for_memory(checkpoints: dict[str, Path]) -> None:
    captioner = make_captioner(checkpoints["idefics3"], batch_size=4)
    give_memory(captioner, 0, RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes do not match"):
        describe(captioner)


# Adapters.


def test_an_adapter_changes_what_is_written(checkpoints: dict[str, Path], adapter: Path) -> None:
    adapted = make_captioner(checkpoints["idefics3"], adapter=adapter)
    assert describe(adapted) != describe(make_captioner(checkpoints["idefics3"]))
    assert describe(adapted) == describe(make_captioner(checkpoints["idefics3"], adapter=adapter))


def test_an_adapter_loads_wherever_it_and_its_base_were_moved(
    checkpoints: dict[str, Path],
    adapter: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(checkpoints["idefics3"], tmp_path / "idefics3")
    shutil.copytree(adapter, tmp_path / "drawn-clips")
    settings = tmp_path / "drawn-clips" / "adapter_config.json"
    base = str(checkpoints["idefics3"])
    assert base in settings.read_text()
    settings.write_text(settings.read_text().replace(base, "/gone/base"))
    monkeypatch.chdir(tmp_path)
    moved = make_captioner(Path("idefics3"), adapter=Path("drawn-clips"))
    monkeypatch.chdir("/")
    here = make_captioner(checkpoints["idefics3"], adapter=adapter)
    assert describe(moved) == describe(here)
    assert moved.model == here.model


def test_an_adapter_of_another_model_is_refused(
    checkpoints: dict[str, Path], adapter: Path
) -> None:
    captioner = make_captioner(checkpoints["llava"], adapter=adapter)
    with pytest.raises(CaptionerError, match="it was made for another model"):
        describe(captioner)


def test_a_folder_that_is_no_adapter_is_refused(checkpoints: dict[str, Path]) -> None:
    with pytest.raises(
        CaptionerError, match=r"llava is not a LoRA adapter: .* adapter_config\.json"
    ):
        make_captioner(checkpoints["idefics3"], adapter=checkpoints["llava"])


# Its identity.


def test_the_name_changes_with_whatever_changes_the_words(
    checkpoints: dict[str, Path], adapter: Path, tmp_path: Path
) -> None:
    idefics3 = checkpoints["idefics3"]
    other_weights = tiny_models.save_idefics3(tmp_path / "seed" / "idefics3", seed=1)
    other_adapter = tiny_models.save_adapter(idefics3, tmp_path / "drawn-clips", seed=2)
    template = Path(shutil.copytree(idefics3, tmp_path / "template" / "idefics3"))
    with (template / "chat_template.jinja").open("a") as file:
        file.write("Well:")
    captioners = [
        make_captioner(idefics3),
        make_captioner(other_weights),
        make_captioner(template),
        make_captioner(idefics3, adapter=adapter),
        make_captioner(idefics3, adapter=other_adapter),
        make_captioner(idefics3, max_new_tokens=11),
        make_captioner(idefics3, long_side_px=256),
    ]
    names = [one.model for one in captioners]
    assert len(set(names)) == len(names)
    assert names[0].startswith("local:idefics3@")
    assert names[3].startswith("local:idefics3+drawn-clips@")


def test_the_name_does_not_change_with_what_leaves_the_words_alone(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    moved = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "idefics3"))
    (moved / "README.md").write_text("Tiny.")
    name = make_captioner(checkpoints["idefics3"]).model
    assert make_captioner(moved, batch_size=2).model == name
    assert str(tmp_path) not in name


# What cannot be loaded.


def test_a_model_that_is_not_here_is_named_with_what_works() -> None:
    with pytest.raises(CaptionerError) as caught:
        make_captioner("HuggingFaceTB/SmolVLM-256M-Instruct")
    assert "SmolVLM-256M-Instruct is neither a folder nor in the hub's cache" in str(caught.value)
    assert "an OpenAI-compatible server, or the captioner `classical`" in str(caught.value)


def test_a_folder_that_lacks_something_says_what(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "partial"))
    (folder / "model.safetensors").unlink()
    (folder / "processor_config.json").unlink()
    missing = r"processor_config\.json and model\.safetensors missing"
    with pytest.raises(CaptionerError, match=missing):
        make_captioner(folder)


def test_a_missing_shard_is_missed(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "sharded"))
    shard = folder / "model-00001-of-00002.safetensors"
    (folder / "model.safetensors").rename(shard)
    index = {"weight_map": {"a": shard.name, "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert find_model(folder) is None
    with pytest.raises(CaptionerError, match=r"model-00002-of-00002\.safetensors missing"):
        make_captioner(folder)


def test_damaged_weights_are_an_error(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "damaged"))
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(CaptionerError, match=r"model\.safetensors is damaged, or not fetched"):
        _ = make_captioner(folder).model
    with pytest.raises(CaptionerError, match="damaged cannot be loaded"):
        describe(make_captioner(folder))


def test_weights_of_another_model_are_not_made_up_at_random(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "mixed"))
    shutil.copy(checkpoints["llava"] / "model.safetensors", folder)
    with pytest.raises(CaptionerError, match=r"not those of its config\.json: \d+ are missing"):
        describe(make_captioner(folder))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "bert"}, "Unrecognized configuration class"),
        ({"model_type": "yet-to-come"}, "does not recognize this architecture"),
        ({"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}, "contains custom code"),
    ],
)
def test_what_is_no_image_text_model_is_refused(
    checkpoints: dict[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    reason: str,
) -> None:
    # Without an answer of ours, transformers asks at the terminal whether to run a model's code.
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked at the terminal"))
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "other"))
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(CaptionerError, match=f"cannot be loaded: .*{reason}"):
        describe(make_captioner(folder))


def test_a_processor_that_needs_torchvision_says_so(
    checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    if find_spec("torchvision"):
        pytest.skip("torchvision is installed")
    folder = Path(shutil.copytree(checkpoints["idefics3"], tmp_path / "smolvlm2"))
    path = folder / "processor_config.json"
    settings = json.loads(path.read_text())
    settings["processor_class"] = "SmolVLMProcessor"
    settings["video_processor"] = {"video_processor_type": "SmolVLMVideoProcessor"}
    path.write_text(json.dumps(settings))
    with pytest.raises(CaptionerError, match=r"smolvlm2 needs .*: pip install torchvision"):
        describe(make_captioner(folder))


def test_without_the_extra_the_error_names_it(
    checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(CaptionerError, match=r"need torch: pip install 'whenabouts\[local\]'"):
        make_captioner(checkpoints["idefics3"])


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"device": "cuda:99"}, "torch has no device 'cuda:99' here"),
        ({"device": "abacus"}, "torch has no device 'abacus' here"),
        ({"dtype": "int3"}, "there is no dtype 'int3'; use one of auto, float32"),
    ],
)
def test_a_device_or_dtype_that_is_not_there_is_an_error(
    checkpoints: dict[str, Path], options: dict[str, str], reason: str
) -> None:
    with pytest.raises(CaptionerError, match=reason):
        describe(make_captioner(checkpoints["idefics3"], **options))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_captions(checkpoints: dict[str, Path], dtype: str) -> None:
    captioner = make_captioner(checkpoints["idefics3"], dtype=dtype)
    assert len(describe(captioner)) == 5
    assert str(captioner._loaded._model.dtype) == f"torch.{dtype}"


def test_torch_uses_the_threads_it_is_given(checkpoints: dict[str, Path]) -> None:
    import torch

    describe(make_captioner(checkpoints["idefics3"], threads=2), count=1)
    assert torch.get_num_threads() == 2
    describe(make_captioner(checkpoints["idefics3"], threads=1), count=1)
    assert torch.get_num_threads() == 1
