"""One run over a dataset: from what is to be asked to the files of the run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.api import Grounder, Settings
from evaluation.datasets.annotation_files import read_durations
from evaluation.datasets.query import Annotations
from evaluation.datasets.qvhighlights_files import submission_line
from evaluation.datasets.registry import Dataset
from evaluation.results import BenchmarkError
from evaluation.runs.bench import Bench, Standing
from evaluation.runs.caption_files import open_caption_files
from evaluation.runs.run_folder import PREDICTIONS, SUMMARY, TIMING, RunFolder, write_whole
from evaluation.runs.selection import select
from evaluation.runs.summary import as_json, commit, file_hash, summarise_run, timing_of
from evaluation.runs.videos import RECORDED_RATE_HZ, RecordedVideos, VideoFolder
from tools.terminal import complain, open_console, put, put_json
from tools.waiting import NowAndThen

DONE, INCOMPLETE = 0, 1


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is asked in a run, and how; named as on the command line.

    Attributes:
        annotations: File of the dataset.
        out: Folder for the results; a run that is there goes on.
        videos: Folder of the video files; else ``captions`` is given.
        captions: Captions in place of videos.
        durations: File of the videos' lengths.
        limit: Most queries; None for all.
        shuffle: Whether they are taken in a seeded order.
        seed: Of that, and of null queries.
        null_rate: Share of queries that are asked of other videos too.
        skip_bad: Whether bad lines and videos are left out, and counted.
        workers: Questions at a time.
        max_usd: Where the run stops.
        json: Whether the summary is printed as JSON.

    Raises:
        BenchmarkError: If one of them cannot be used.
    """

    annotations: Path
    out: Path
    videos: Path | None = None
    captions: Path | None = None
    durations: Path | None = None
    limit: int | None = None
    shuffle: bool = False
    seed: int = 0
    null_rate: float = 0.0
    skip_bad: bool = False
    workers: int = 1
    max_usd: float | None = None
    json: bool = False

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise BenchmarkError(f"--limit must be at least 1, not {self.limit}")
        if self.workers < 1:
            raise BenchmarkError(f"--workers must be at least 1, not {self.workers}")
        if not 0 <= self.null_rate <= 1:
            raise BenchmarkError(f"--null-rate must be from 0 to 1, not {self.null_rate:g}")
        if self.seed < 0:
            raise BenchmarkError(f"--seed must be 0 or more, not {self.seed}")
        if self.max_usd is not None and not self.max_usd > 0:
            raise BenchmarkError(f"--max-usd must be more than 0, not {self.max_usd:g}")


def run_dataset(dataset: Dataset, options: RunOptions, settings: Settings) -> int:
    """Ask a dataset's questions, write the run's files, and print its figures.

    Args:
        dataset: Reads the annotations.
        options: What is asked.
        settings: Who answers, and how; the store is one of the benchmarks' own.

    Returns:
        The exit code: 1 where questions are left without an answer.

    Raises:
        WhenaboutsError: If the options or the data are bad, or it cannot go on.
    """
    durations_s = read_durations(options.durations) if options.durations else {}
    annotations = dataset.read(options.annotations, durations_s)
    videos = _videos(annotations, options)
    console = open_console("stderr")
    with console.status("looking at the videos"):
        selection = select(
            annotations,
            videos,
            source_of=dataset.source_of,
            limit=options.limit,
            shuffle=options.shuffle,
            seed=options.seed,
            null_rate=options.null_rate,
            skip_bad=options.skip_bad,
        )
    captioner = videos.captioner if isinstance(videos, RecordedVideos) else None
    folder = RunFolder(options.out)
    submits = dataset.name == "qvhighlights"
    with (
        Grounder(_for_run(settings, options), captioner=captioner, tell=console.print) as grounder,
        folder.open(identity := _identity(dataset, options, grounder), selection.questions),
        _bar(console) as report,
    ):
        bench = Bench(
            grounder,
            videos,
            folder,
            at_once=options.workers,
            max_usd=options.max_usd,
            with_relevance=submits,
            report=report,
        )
        stopped = bench.run(selection.questions)
        results = folder.finish(selection.questions)
    summary = summarise_run(
        results, selection, stopped=stopped, by_length=submits, is_benchmark=dataset.name != "own"
    )
    summary["provenance"] = identity | _provenance(options)
    write_whole(folder.path / SUMMARY, as_json(summary))
    write_whole(folder.path / TIMING, as_json(timing_of(results)))
    if submits:
        own = (result for result in results if result.kind == "own")
        lines = [json.dumps(submission_line(result)) + "\n" for result in own]
        write_whole(folder.path / PREDICTIONS, "".join(lines))
    if options.json:
        put_json(as_json(summary).rstrip())
    else:
        _show(summary, folder)
    return INCOMPLETE if stopped or summary["questions"]["errors"] else DONE


def _videos(annotations: Annotations, options: RunOptions) -> VideoFolder | RecordedVideos:
    if options.videos:
        return VideoFolder(options.videos)
    assert options.captions is not None
    durations_s = {query.video_id: query.duration_s for query in annotations.queries}
    return RecordedVideos(open_caption_files(options.captions), options.captions, durations_s)


def _for_run(settings: Settings, options: RunOptions) -> Settings:
    # A store of its own, so that what is measured does not turn up among the user's videos.
    own: dict[str, Any] = {"store": settings.benchmark_store}
    if options.captions:
        own |= {"rate_hz": RECORDED_RATE_HZ, "strategy": "general"}
    return settings.model_copy(update=own)


def _identity(dataset: Dataset, options: RunOptions, grounder: Grounder) -> dict[str, Any]:
    """What answers depend on; opens who gives them, so that what is missing is said at once."""
    settings, captioner, reasoner = grounder.settings, grounder.captioner, grounder.reasoner
    return {
        "dataset": dataset.name,
        "annotations": file_hash(options.annotations),
        "captioner": captioner.model,
        "reasoner": reasoner.name,
        "embedder": grounder.embedder.name,
        "prompts": {"describe": captioner.prompt_version, **reasoner.prompts},
        "mode": captioner.mode,
        "strategy": settings.strategy,
        "rate_hz": settings.rate_hz,
        "max_attempts": settings.max_attempts,
        "max_look_ups": settings.max_look_ups,
        "evidence_tokens": settings.evidence_tokens,
        "context": settings.context,
        "refine": settings.refine,
        "every_frame": settings.every_frame,
    }


def _provenance(options: RunOptions) -> dict[str, Any]:
    """What else a figure must say of where it comes from."""
    return {
        "files": {
            path.name: file_hash(path)
            for path in (options.annotations, options.captions, options.durations)
            if path and path.is_file()
        },
        "videos": str(options.videos) if options.videos else None,
        "limit": options.limit,
        "shuffle": options.shuffle,
        "seed": options.seed,
        "null_rate": options.null_rate,
        "commit": commit(),
    }


def _show(summary: dict[str, Any], folder: RunFolder) -> None:
    questions, cost = summary["questions"], summary["cost"]
    for name, figure in summary["figures"].items():
        is_told = figure["low"] is not None
        interval = f"[{figure['low']:.2f}, {figure['high']:.2f}]" if is_told else "too few"
        put(f"{name:34}{figure['value']:8.2f}  {interval:20}of {figure['count']}")
    outcomes = ", ".join(
        f"{name.replace('_', ' ')} {count}" for name, count in summary["outcomes"].items() if count
    )
    put(f"\n{outcomes}" if outcomes else "nothing was answered")
    dollars = [one["usd"] for one in cost.values()]
    spent = "an unknown sum" if None in dollars else f"${sum(dollars):.4f}"
    put(f"{questions['asked']} of {questions['of']} questions, for {spent}; in {folder.path}")
    for what, count in (
        ("bad lines left out", len(summary["bad_lines"])),
        ("bad or missing videos left out", summary["bad_videos"]["videos"]),
        ("queries about those left out", summary["bad_videos"]["queries"]),
        ("queries with windows cut to the video's end", summary["windows_cut_to_video"]["queries"]),
        ("questions that failed (the same command asks them again)", questions["errors"]),
    ):
        if count:
            put(f"{what}: {count}")
    failed = next((one for one in folder.results.values() if one.error), None)
    if failed:
        put(f"the first of them: {failed.error}")
    if summary["stopped"]:
        put(f"stopped: {summary['stopped']}; a higher limit goes on from there")


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Standing], None]]:
    """One bar, with what is left to wait and what was spent; without a terminal, a line of it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[spent]}"),
        TextColumn("{task.fields[doing]}", style="dim"),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("questions", total=None, spent="", doing="")
        say = NowAndThen(complain)

        def report(standing: Standing) -> None:
            spent = "$ unknown" if standing.usd is None else f"${standing.usd:.4f}"
            failed = f", {standing.errors} failed" if standing.errors else ""
            doing = f"describing {standing.doing}" if standing.doing else ""
            if not console.is_terminal:
                told = (f"{standing.done} of {standing.total} questions", spent + failed, doing)
                say(lambda: ", ".join(filter(None, told)))
            progress.update(
                task,
                completed=standing.done,
                total=standing.total,
                spent=spent + failed,
                doing=doing,
            )

        yield report
