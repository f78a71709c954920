"""``whenabouts tune train``: LoRA through TRL's trainer, which goes on where it was killed."""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.captioners.checkpoints import fingerprint
from tools.output_files import refuse_strange_files
from training.conversations import MANIFEST, TuningData, TuningError, digest
from training.full_disk import writing
from training.student import (
    check_installed,
    check_template,
    find_base,
    load_for_training,
    trained_modules,
)
from training.training_log import LOG, TrainingProgress, make_logger, read_log

if TYPE_CHECKING:
    from training.recipe import Recipe

ADAPTER, CHECKPOINTS, TUNING = "adapter", "checkpoints", "tuning.json"


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of it.

    Attributes:
        adapter: Folder of the adapter.
        first_loss: Of the first step.
        last_loss: Of the last one.
        held_out_loss: The lowest one; None where nothing is held out.
        steps: Steps done.
    """

    adapter: Path
    first_loss: float
    last_loss: float
    held_out_loss: float | None
    steps: int


def train(
    model: str,
    data: TuningData,
    out: Path,
    recipe: Recipe,
    *,
    device_batch: int = 4,
    checkpointing: bool | None = None,
    save_every: int = 50,
    seed: int = 0,
    report: Callable[[TrainingProgress], None],
) -> Trained:
    """Tune a model, from the last checkpoint in ``out`` where there is one.

    Args:
        model: A folder, or a name in the hub's cache.
        data: From ``read_data``.
        out: Gets the adapter, checkpoints, the log and ``tuning.json``.
        recipe: How.
        device_batch: Conversations at a time; the rest of ``recipe.batch`` is accumulated.
        checkpointing: Whether activations are computed twice to save memory; None where there is a
            GPU.
        save_every: Steps between checkpoints, and between looks at the held-out loss.
        seed: Of the order of the data and of the adapter.
        report: Told after each step.

    Raises:
        TuningError: If the model, the data or the disk is not fit for it.
    """
    check_installed()
    base = find_base(model)
    about = _about(base, data, recipe, seed)
    _refuse_another_run(out, about)
    import torch
    from datasets import disable_progress_bars
    from transformers import set_seed

    disable_progress_bars()
    set_seed(seed)
    on_gpu = torch.cuda.is_available()
    processor, net = load_for_training(base)
    check_template(processor)
    # Only now: a folder does not belong to a model that cannot be trained.
    _note_run(out, about)
    trainer = _trainer(
        net,
        processor,
        data,
        out,
        recipe,
        device_batch=min(device_batch, recipe.batch),
        checkpointing=on_gpu if checkpointing is None else checkpointing,
        save_every=save_every,
        seed=seed,
        report=report,
    )
    last = _last_checkpoint(out)
    try:
        with warnings.catch_warnings(), writing(out):
            # Between peft, TRL and transformers; what the user can act on is an error of ours.
            warnings.simplefilter("ignore")
            trainer.train(resume_from_checkpoint=str(last) if last else None)
            trainer.model.save_pretrained(str(out / ADAPTER))
    except torch.OutOfMemoryError:
        raise TuningError(
            f"memory ran out with {device_batch} conversations at a time; use a smaller "
            "--device-batch, or --checkpointing"
        ) from None
    with writing(out):
        _name_base(out / ADAPTER, base)
        return _told(out, trainer.state.global_step)


def make_collator(processor: Any) -> Any:
    """What makes batches: labels are on the completion alone, the rest is -100."""
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    return DataCollatorForVisionLanguageModeling(
        processor, max_length=None, completion_only_loss=True
    )


def as_examples(data: TuningData, *, held_out: bool) -> list[dict[str, Any]]:
    """Conversations as TRL takes them, with paths of pictures."""
    return [
        {
            "images": [str(data.image(name)) for name in row.images],
            "prompt": [{"role": "user", "content": row.prompt}],
            "completion": [{"role": "assistant", "content": row.completion}],
        }
        for row in (data.held_out if held_out else data.train)
    ]


def _trainer(
    net: Any,
    processor: Any,
    data: TuningData,
    out: Path,
    recipe: Recipe,
    *,
    device_batch: int,
    checkpointing: bool,
    save_every: int,
    seed: int,
    report: Callable[[TrainingProgress], None],
) -> Any:
    import torch
    from datasets import Dataset, Image, List
    from peft import LoraConfig
    from transformers import EarlyStoppingCallback, PrinterCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    def dataset(*, held_out: bool) -> Any:
        rows = Dataset.from_list(as_examples(data, held_out=held_out))
        return rows.cast_column("images", List(Image(mode="RGB")))

    evaluates = bool(data.held_out)
    on_gpu = torch.cuda.is_available()
    has_bf16 = on_gpu and torch.cuda.is_bf16_supported()
    steps = math.ceil(len(data.train) / recipe.batch) * recipe.epochs
    devices = max(1, int(os.environ.get("WORLD_SIZE", "1")))
    config = SFTConfig(
        output_dir=str(out / CHECKPOINTS),
        per_device_train_batch_size=device_batch,
        per_device_eval_batch_size=device_batch,
        gradient_accumulation_steps=max(1, recipe.batch // (device_batch * devices)),
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=max(1, round(recipe.warm_up * steps)),
        num_train_epochs=recipe.epochs,
        max_length=None,
        packing=False,
        completion_only_loss=True,
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        bf16=has_bf16,
        use_cpu=not on_gpu,
        seed=seed,
        data_seed=seed,
        logging_steps=1,
        save_strategy="steps",
        save_steps=save_every,
        save_total_limit=2,
        eval_strategy="steps" if evaluates else "no",
        eval_steps=save_every if evaluates else None,
        load_best_model_at_end=evaluates,
        metric_for_best_model="eval_loss" if evaluates else None,
        greater_is_better=False if evaluates else None,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=on_gpu,
    )
    lora = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=trained_modules(net),
        task_type="CAUSAL_LM",
    )
    callbacks: list[Any] = [make_logger(out / LOG, report)]
    if evaluates:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=recipe.patience))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = SFTTrainer(
            model=net,
            args=config,
            train_dataset=dataset(held_out=False),
            eval_dataset=dataset(held_out=True) if evaluates else None,
            processing_class=processor,
            data_collator=make_collator(processor),
            peft_config=lora,
            callbacks=callbacks,
        )
    trainer.remove_callback(PrinterCallback)  # Standard output is ours.
    return trainer


def _about(base: Path, data: TuningData, recipe: Recipe, seed: int) -> Mapping[str, Any]:
    """What is trained on what."""
    return {
        "base": str(base),
        "base_fingerprint": fingerprint(base),
        "data": digest((data.folder / MANIFEST).read_bytes()),
        "teacher": data.manifest.get("teacher"),
        "recipe": asdict(recipe),
        "seed": seed,
    }


def _refuse_another_run(out: Path, about: Mapping[str, Any]) -> None:
    """A folder with another run in it is left alone."""
    file = out / TUNING
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
        differing = [name for name in about if known.get(name) != about[name]]
    except FileNotFoundError:
        refuse_strange_files(out, (ADAPTER, CHECKPOINTS, LOG, "loss.png"), marker=TUNING)
        return
    except (ValueError, AttributeError):
        raise TuningError(f"{file} is damaged; name another folder with --out") from None
    except OSError as exc:
        raise TuningError(f"{file} cannot be read ({exc.strerror or exc})") from None
    if differing:
        raise TuningError(
            f"{out} holds a run with another {' and '.join(differing)}; name another folder with "
            "--out"
        )


def _note_run(out: Path, about: Mapping[str, Any]) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not (out / TUNING).is_file():
            (out / TUNING).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except OSError as exc:
        raise TuningError(f"{out} cannot be written ({exc.strerror or exc})") from None


def _last_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint; a killed run may leave one that is not."""
    folders: Sequence[Path] = sorted(
        (out / CHECKPOINTS).glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1])
    )
    whole = [one for one in folders if _is_whole(one / "trainer_state.json")]
    return whole[-1] if whole else None


def _is_whole(state: Path) -> bool:
    """It is written last."""
    try:
        return bool(json.loads(state.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def _name_base(adapter: Path, base: Path) -> None:
    """The adapter names the folder of its base, whole."""
    file = adapter / "adapter_config.json"
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = str(base)
    file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _told(out: Path, steps: int) -> Trained:
    rows = read_log(out / LOG)
    losses = [float(row["loss"]) for row in rows if row["loss"]]
    held_out = [float(row["held_out_loss"]) for row in rows if row["held_out_loss"]]
    trained = Trained(
        adapter=out / ADAPTER,
        first_loss=losses[0],
        last_loss=losses[-1],
        held_out_loss=min(held_out, default=None),
        steps=steps,
    )
    file = out / TUNING
    about = json.loads(file.read_text(encoding="utf-8"))
    about["result"] = asdict(trained) | {"adapter": ADAPTER}
    file.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return trained
