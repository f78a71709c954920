"""``whenabouts tune``: data from a teacher, training, merging."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Container, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tools.terminal import complain, open_console, put, put_json
from tools.text import counted
from tools.waiting import NowAndThen, waiting_for
from training.conversations import TuningError, read_data
from training.options import build_parser
from training.recipe import RECIPES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from training.collect import SamplePlan
    from training.teacher import Teacher

TOKENS_OUT = 250
"""Of a lesson, assumed."""


AT_FIRST = {
    "data": "reading the annotations and looking at the videos",
    "exclude": "reading the annotations",
    "inspect": "drawing a picture of the conversations",
    "train": "reading the conversations and opening the model",
    "merge": "joining the adapter and its base",
}
"""What each of the commands does first, in the words of one who waits for it."""


def run(argv: Sequence[str]) -> int:
    """Run ``whenabouts tune`` with its own arguments; returns the exit code.

    Raises:
        WhenaboutsError: If options or data are bad, or it cannot go on.
    """
    options = build_parser().parse_args(argv)
    commands: dict[str, Callable[[Any], int]] = {
        "data": _data,
        "exclude": _exclude,
        "inspect": _inspect,
        "train": _train,
        "merge": _merge,
    }
    with waiting_for(AT_FIRST[options.command], complain):
        return commands[options.command](options)


def _data(options: argparse.Namespace) -> int:
    from agent.api import load_settings
    from prompts.catalog import PACKAGED, Prompts
    from tools.captioners.looks import LookMode
    from training.collect import asked_by, collect, digest_of, finish, plan
    from training.exclusions import read_lists, refuse_excluded
    from training.replies import read_replies

    settings = load_settings(options.env)
    prompts = Prompts.read(settings.prompts) if settings.prompts else PACKAGED
    try:
        mode = LookMode.parse(options.mode)
    except ValueError as exc:
        raise TuningError(f"--mode: {exc}") from None
    if not 0 < options.rate <= 30:
        raise TuningError(f"--rate must be between 0 and 30 frames a second, not {options.rate:g}")
    if options.max_usd is not None and not options.max_usd > 0:
        raise TuningError(f"--max-usd must be positive, not {options.max_usd:g}")
    queries = _queries(options)
    refuse_excluded((one.video_id for one in queries), read_lists(options.exclude))
    teacher = _open_teacher(options.teacher, settings, prompts, is_asked=not options.dry_run)
    _check_limit(options.max_usd, teacher)
    to_ask = plan(queries, options.videos, inside=options.inside, outside=options.outside)
    bought = read_replies(options.out, asked_by(teacher, mode=mode, rate_hz=options.rate))
    put("\n".join(_told(to_ask, teacher, bought, frames=mode.frames)), to="stderr")
    if options.dry_run:
        return 0
    with _bar("asking the teacher", len(to_ask.samples)) as move:
        collected = collect(
            to_ask,
            teacher,
            options.out,
            mode=mode,
            rate_hz=options.rate,
            in_flight=settings.in_flight,
            max_usd=options.max_usd,
            report=lambda done, usd: move(done, "" if not usd else f"${usd:.4f}"),
        )
    about = {
        "dataset": options.dataset,
        "annotations": digest_of(options.annotations),
        "excluded": [digest_of(one) for one in options.exclude],
        "inside": options.inside,
        "outside": options.outside,
    }
    manifest = finish(
        to_ask,
        collected,
        options.out,
        teacher=teacher,
        prompts=prompts,
        about=about,
        mode=mode,
        strategy=options.strategy,
    )
    if options.json:
        put_json(json.dumps(manifest, indent=2, ensure_ascii=False))
    else:
        counts = manifest["conversations"]
        put(
            f"{options.out}: {counted(counts['train.jsonl'], 'conversation')} to train on, "
            f"{counts['held_out.jsonl']} held out, {counted(manifest['images'], 'picture')}"
        )
        if not counts["held_out.jsonl"]:
            put("  nothing is held out of so few videos, so training will not end early")
        for reason, count in sorted(collected.dropped.items()):
            put(f"  {counted(count, 'sample')} left out: {reason}")
    if not collected.is_whole:
        put("stopped by --max-usd; the same command goes on from there", to="stderr")
        return 1
    return 0


def _exclude(options: argparse.Namespace) -> int:
    from training.exclusions import write_list

    count = write_list((one.video_id for one in _queries(options)), options.out)
    put(f"{options.out}: {counted(count, 'video')}")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    from training.contact_sheet import draw_contact_sheet

    data = read_data(options.data)
    count = draw_contact_sheet(data, options.out, count=options.count, seed=options.seed)
    put(f"{options.out}: {count} of {len(data.train) + len(data.held_out)} conversations")
    return 0


def _train(options: argparse.Namespace) -> int:
    from training.exclusions import read_lists, refuse_excluded
    from training.full_disk import writing
    from training.train import train
    from training.training_log import LOG, TrainingProgress, plot_log

    data = read_data(options.data)
    # What is held out decides which weights are kept, so it is a part of the training.
    rows = [*data.train, *data.held_out]
    refuse_excluded((one.video_id for one in rows), read_lists(options.exclude))
    with _bar("training", None) as move:

        def report(done: TrainingProgress) -> None:
            loss = "" if done.loss is None else f"loss {done.loss:.4f}"
            move(done.step, loss, done.steps)

        trained = train(
            options.model,
            data,
            options.out,
            RECIPES[options.recipe],
            device_batch=options.device_batch,
            checkpointing=options.checkpointing,
            seed=options.seed,
            report=report,
        )
    with writing(options.out, "the adapter is whole"):
        plot_log(options.out / LOG, options.out / "loss.png")
    told = {
        "adapter": str(trained.adapter),
        "first_loss": trained.first_loss,
        "last_loss": trained.last_loss,
        "held_out_loss": trained.held_out_loss,
        "steps": trained.steps,
    }
    if options.json:
        put_json(json.dumps(told, indent=2))
    else:
        held_out = trained.held_out_loss
        beside = "" if held_out is None else f", held out {held_out:.4f}"
        put(
            f"{trained.adapter}: {trained.steps} steps, loss {trained.first_loss:.4f} -> "
            f"{trained.last_loss:.4f}{beside}"
        )
    return 0


def _merge(options: argparse.Namespace) -> int:
    from training.merge import merge

    put(f"{merge(options.adapter, options.out, base=options.base)}: ask with --captioner local:DIR")
    return 0


def _queries(options: argparse.Namespace) -> list[Any]:
    from evaluation.datasets.annotation_files import read_durations
    from evaluation.datasets.registry import DATASETS

    durations_s = read_durations(options.durations) if options.durations else {}
    return DATASETS[options.dataset].read(options.annotations, durations_s).all_or_error()


def _open_teacher(name: str, settings: Any, prompts: Any, *, is_asked: bool) -> Teacher:
    from tools.errors import ServiceError
    from tools.llm.prices import read_prices
    from training.teacher import HumanTeacher, ServiceTeacher

    if name == "human":
        return HumanTeacher()
    kind, _, model = name.partition(":")
    if kind != "openai" or not model:
        raise TuningError(f"--teacher must be openai:MODEL or human, not {name!r}")
    key = settings.openai_api_key
    try:
        return ServiceTeacher(
            model,
            # Nobody is asked in a dry run, which therefore needs no key.
            api_key=key.get_secret_value() if key else None if is_asked else "none",
            base_url=settings.openai_base_url,
            prompts=prompts,
            prices=read_prices(settings.prices) if settings.prices else {},
        )
    except ServiceError as exc:
        raise TuningError(f"--teacher {name}: {exc}") from None


def _check_limit(max_usd: float | None, teacher: Teacher) -> None:
    from training.teacher import ServiceTeacher

    if max_usd is not None and isinstance(teacher, ServiceTeacher) and teacher.price is None:
        raise TuningError(
            f"the price of {teacher.name} is not known, so --max-usd {max_usd:g} cannot be "
            "enforced; WHENABOUTS_PRICES names a file of prices"
        )


def _told(
    to_ask: SamplePlan, teacher: Teacher, bought: Container[str], *, frames: int
) -> list[str]:
    """What is going to be asked, and what it will cost about; what was bought costs no more."""
    from tools.indexing.estimate import BASE_TOKENS, CHARACTERS_PER_TOKEN, TILE_TOKENS
    from training.teacher import ServiceTeacher

    videos = len({one.query.video_id for one in to_ask.samples})
    wanted = [one for one in to_ask.samples if one.key not in bought]
    samples = counted(len(to_ask.samples), "sample")
    lines = [f"{samples} of {counted(videos, 'video')} for {teacher.name}"]
    if len(wanted) < len(to_ask.samples):
        lines.append(f"  {len(to_ask.samples) - len(wanted)} of them were answered before")
    if to_ask.missing:
        lines.append(
            f"  not there of the annotations: {counted(len(to_ask.missing), 'video')}, such as "
            f"{to_ask.missing[0]}"
        )
    lines += [f"  cannot be read: {name}: {why}" for name, why in to_ask.unreadable.items()]
    if isinstance(teacher, ServiceTeacher):
        asked = sum(len(teacher.prompt(one)) for one in wanted) / CHARACTERS_PER_TOKEN
        tokens_in = round(asked + len(wanted) * frames * (BASE_TOKENS + TILE_TOKENS))
        tokens_out = len(wanted) * TOKENS_OUT
        price = teacher.price
        usd = "price not known (WHENABOUTS_PRICES names a file of prices)"
        if price:
            usd = f"${(tokens_in * price.usd_in + tokens_out * price.usd_out) / 1e6:.2f}"
        lines.append(f"  about {tokens_in:,} tokens in, {tokens_out:,} out: {usd}")
    return lines


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Callable[..., None]]:
    """A progress bar with the time that is left; without a terminal, a line now and then."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = open_console("stderr")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[beside]}"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, beside="")
        say = NowAndThen(complain)

        def move(done: int, beside: str = "", of: int | None = None) -> None:
            if not console.is_terminal:
                counted = f"{done} of {of or total}" if of or total else str(done)
                say(lambda: ", ".join(filter(None, (f"{what}: {counted}", beside))))
            progress.update(task, completed=done, total=of or total, beside=beside)

        yield move
