"""Training itself, on a model of a real architecture with random weights."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs the extra train")

from agent.cli.main import main
from tests.small_files import files_of_at_most
from tests.tiny_models import save_blip, save_idefics3
from training.collect import collect, finish, plan
from training.conversations import TuningData, TuningError, read_data
from training.drawn_lessons import PROMPTS, DrawnTeacher, draw_videos, queries_of
from training.merge import merge
from training.recipe import Recipe
from training.student import check_template, find_base, load_for_training
from training.train import as_examples, make_collator, train
from training.training_log import LOG, read_log

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("torch")]

RECIPE = Recipe(rank=4, alpha=8, epochs=2, batch=8, learning_rate=1e-3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TuningData:
    from prompts.catalog import Prompts
    from tools.captioners.looks import LookMode

    folder = tmp_path_factory.mktemp("drawn")
    drawn = draw_videos(folder / "videos", "seen", 12, seed=1)
    to_ask = plan(queries_of(drawn), folder / "videos", inside=1, outside=1)
    mode, teacher = LookMode(), DrawnTeacher(drawn)
    out = folder / "data"
    how: dict[str, Any] = {"mode": mode, "rate_hz": 2.0, "in_flight": 1, "max_usd": None}
    collected = collect(to_ask, teacher, out, report=lambda *_: None, **how)
    prompts = Prompts(PROMPTS)
    finish(to_ask, collected, out, teacher=teacher, prompts=prompts, about={}, mode=mode)
    return read_data(out)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_idefics3(tmp_path_factory.mktemp("base") / "tiny")


def test_the_loss_is_on_the_completion_alone(base: Path, data: TuningData) -> None:
    from PIL import Image

    processor, _ = load_for_training(base)
    example = as_examples(data, held_out=False)[0]
    example["images"] = [Image.open(one) for one in example["images"]]
    said = example["completion"][0]["content"]
    batch = make_collator(processor)([example])
    labels = batch["labels"][0]
    told = processor.tokenizer.decode(labels[labels != -100])
    assert told.removesuffix("<end>\n").strip() == said
    picture = processor.tokenizer.convert_tokens_to_ids("<image>")
    assert picture in batch["input_ids"]
    assert picture not in labels


def test_what_sees_is_not_trained_and_the_adapter_captions(
    base: Path, data: TuningData, tmp_path: Path
) -> None:
    from safetensors import safe_open

    from tools.captioners.local import LocalCaptioner

    done = train(str(base), data, tmp_path / "out", RECIPE, report=lambda _: None)
    assert done.last_loss < done.first_loss
    with safe_open(str(done.adapter / "adapter_model.safetensors"), "pt") as weights:
        names = list(weights.keys())
    assert names
    assert not any("vision" in name or "connector" in name for name in names)
    captioner = LocalCaptioner(base, prompt="?", prompt_version="1", adapter=done.adapter)
    assert captioner.model
    merged = merge(done.adapter, tmp_path / "merged")
    assert find_base(str(merged)) == merged


def test_an_adapter_is_named_beside_its_base(
    base: Path, data: TuningData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = ["index", str(data.folder.parent / "videos" / "seen0.mp4"), "--adapter", str(tmp_path)]
    assert main([*index, "--captioner", f"local:{base}"]) == 2
    assert f"{tmp_path} is not a LoRA adapter" in capsys.readouterr().err
    assert main([*index, "--captioner", "classical"]) == 2
    assert "is for a model on this machine" in capsys.readouterr().err


def test_killed_and_started_again_it_has_the_same_losses(
    base: Path, data: TuningData, tmp_path: Path
) -> None:
    whole = tmp_path / "whole"
    how: dict[str, Any] = {"save_every": 3, "report": lambda _: None}
    train(str(base), data, whole, RECIPE, **how)
    killed = tmp_path / "killed"
    code = (
        "import sys; from pathlib import Path; from training.train import train; "
        "from training.recipe import Recipe; from training.conversations import read_data; "
        "base, data, out = sys.argv[1:]; "
        "recipe = Recipe(rank=4, alpha=8, epochs=2, batch=8, learning_rate=1e-3); "
        "train(base, read_data(Path(data)), Path(out), recipe, save_every=3, "
        "report=lambda done: print(done.step, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(base), str(data.folder), str(killed)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().isdigit() and int(line) >= 5:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    train(str(base), data, killed, RECIPE, **how)

    def losses(out: Path) -> dict[str, float]:
        return {row["step"]: float(row["loss"]) for row in read_log(out / LOG) if row["loss"]}

    assert losses(killed) == pytest.approx(losses(whole), abs=1e-4)


def test_a_template_that_asks_otherwise_than_it_answers_is_refused(base: Path) -> None:
    processor, _ = load_for_training(base)
    check_template(processor)
    processor.chat_template = processor.chat_template.replace("assistant: ", "assistant:\n")
    with pytest.raises(TuningError, match="chat template"):
        check_template(processor)


def test_a_folder_with_another_run_is_left_alone(
    base: Path, data: TuningData, tmp_path: Path
) -> None:
    train(str(base), data, tmp_path, RECIPE, report=lambda _: None)
    other = Recipe(rank=8, alpha=8, epochs=2, batch=8)
    with pytest.raises(TuningError, match="another recipe"):
        train(str(base), data, tmp_path, other, report=lambda _: None)


def test_a_model_that_holds_no_conversations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TuningError, match="chat template"):
        find_base(str(save_blip(tmp_path / "blip")))
    with pytest.raises(TuningError, match=r"neither.* on this machine$"):
        find_base(str(tmp_path / "nothing"))
    with pytest.raises(TuningError, match=r"first: hf download nobody/such-a-model$"):
        find_base("nobody/such-a-model")


@pytest.mark.parametrize("harm", ["no processor", "empty processor", "no image processor"])
def test_a_model_that_takes_no_pictures_is_refused(base: Path, tmp_path: Path, harm: str) -> None:
    shutil.copytree(base, tmp_path / "base")
    file = tmp_path / "base" / "processor_config.json"
    settings = json.loads(file.read_text())
    settings.pop("image_processor")
    if harm == "no processor":
        file.unlink()
    else:
        file.write_text(json.dumps({} if harm == "empty processor" else settings))
    with pytest.raises(TuningError, match=r"image processor|for want of processor_config"):
        load_for_training(find_base(str(tmp_path / "base")))


def test_a_model_that_cannot_be_trained_does_not_take_the_folder(
    base: Path, data: TuningData, tmp_path: Path
) -> None:
    out, unfit = tmp_path / "out", tmp_path / "unfit"
    shutil.copytree(base, unfit)
    (unfit / "processor_config.json").unlink()
    with pytest.raises(TuningError, match="processor_config"):
        train(str(unfit), data, out, RECIPE, report=lambda _: None)
    train(str(base), data, out, RECIPE, report=lambda _: None)


def test_a_full_disk_is_told_and_the_same_command_goes_on(
    base: Path, data: TuningData, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, merged = tmp_path / "out", tmp_path / "merged"
    to_train = ["tune", "train", "--model", str(base), "--data", str(data.folder)]
    to_merge = ["tune", "merge", "--adapter", str(out / "adapter"), "--out", str(merged)]
    for command in ([*to_train, "--out", str(out)], to_merge):
        with files_of_at_most(60_000):
            assert main(command) == 2
        told = capsys.readouterr().err
        assert "cannot be written" in told
        assert "Traceback" not in told
        assert not merged.exists()
        assert main(command) == 0
        done = "steps, loss" if command is not to_merge else "ask with --captioner local:"
        assert done in capsys.readouterr().out
    assert find_base(str(merged)) == merged


def test_an_adapter_of_another_model_is_not_merged(tmp_path: Path) -> None:
    (tmp_path / "adapter").mkdir()
    with pytest.raises(TuningError, match="not a LoRA adapter"):
        merge(tmp_path / "adapter", tmp_path / "out")
