"""Index long videos, ask them, and sum up: the work of ``whenabouts eval haystack``."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent.api import Grounder, Settings, load_settings, make_question
from evaluation.console import open_console
from evaluation.datasets.nulls import AskedQuestion
from evaluation.datasets.query import Query
from evaluation.datasets.qvhighlights_files import read_queries
from evaluation.figures.answers import RIGHT_IOU, best_iou
from evaluation.figures.decomposition import decompose
from evaluation.figures.measures import measure
from evaluation.long_videos.stacks import Stack, stack_questions, stack_videos
from evaluation.results import WHOLE, BenchmarkError, Result
from evaluation.runs.bench import result_of
from evaluation.runs.caption_files import CaptionFiles, open_caption_files
from evaluation.runs.run_folder import SUMMARY, CaptionsPaid, RunFolder, write_whole
from evaluation.runs.summary import as_json, commit, file_hash
from evaluation.runs.vector_cache import CachedEmbedder
from tools import terminal
from tools.output_files import refuse_strange_files
from tools.store.store import VideoRecord
from tools.timeline import Track
from tools.waiting import NowAndThen

STORE_CAPTIONS = 20_000
"""Captions in a store at a time: a store for all would be read as fast, and be written slower."""


@dataclass(frozen=True)
class Material:
    """What long videos are made from.

    Attributes:
        files: Captions of short videos.
        durations_s: Their lengths.
        vectors: Embeds captions, from the disk where they are there.
        settings: Of the grounder that answers.
        track: What captions are stored as.
    """

    files: CaptionFiles
    durations_s: Mapping[str, float]
    vectors: CachedEmbedder
    settings: Settings
    track: Track

    @contextmanager
    def indexed(self, stacks: Sequence[Stack]) -> Iterator[Grounder]:
        """A grounder over these alone, warm; their store is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="whenabouts-") as folder:
            settings = self.settings.model_copy(update={"store": Path(folder)})
            with Grounder(settings) as grounder:
                for stack in stacks:
                    self._index(stack, grounder)
                # What is loaded on first use is no question's own time.
                grounder.embedder.embed(["when"])
                yield grounder

    def batches(self, stacks: Sequence[Stack]) -> Iterator[list[Stack]]:
        """As many at a time as make ``STORE_CAPTIONS``, one at least."""
        batch: list[Stack] = []
        captions = 0
        for stack in stacks:
            more = len(stack.captions(self.files, self.durations_s, track=self.track))
            if batch and captions + more > STORE_CAPTIONS:
                yield batch
                batch, captions = [], 0
            batch.append(stack)
            captions += more
        if batch:
            yield batch

    def _index(self, stack: Stack, grounder: Grounder) -> None:
        captions = stack.captions(self.files, self.durations_s, track=self.track)
        grounder.store.add(captions, self.vectors.embed([caption.text for caption in captions]))
        grounder.store.put_record(
            VideoRecord(
                video_id=stack.name,
                path=stack.name,
                duration_s=stack.duration_s,
                track=self.track,
                rate_hz=None,
                complete=True,
                warning="",
                indexed_at=datetime.now(UTC).isoformat(timespec="seconds"),
                captions=len(captions),
            )
        )


def run_haystack(options: argparse.Namespace) -> int:
    """See ``evaluation.long_videos.haystack.run``."""
    queries, files = read_queries(options.annotations), open_caption_files(options.captions)
    durations_s = {query.video_id: query.known_duration_s for query in queries}
    uncaptioned = sorted(name for name in durations_s if name not in files)
    if uncaptioned:
        raise BenchmarkError(
            f"{options.captions}: no captions for {len(uncaptioned)} of the videos asked about, "
            f"{uncaptioned[0]} for one"
        )
    by_hours = {
        hours: stack_videos(durations_s, hours=hours, seed=options.seed) for hours in options.hours
    }
    refuse_strange_files(options.out, [SUMMARY], marker=f"{next(iter(by_hours)):g}h")
    settings = load_settings(reasoner=options.reasoner)
    lengths = {}
    with _bars() as report, Grounder(settings) as grounder:
        material = Material(
            files,
            durations_s,
            CachedEmbedder(
                grounder.embedder,
                settings.cache_folder / "benchmarks",
                progress=lambda done, total: report("embeddings", done, total),
            ),
            settings,
            Track(f"file:{files.digest}", "", "file"),
        )
        identity = {
            "dataset": "haystack",
            "annotations": file_hash(options.annotations),
            "captions": files.digest,
            "seed": options.seed,
            "reasoner": grounder.reasoner.name,
            "embedder": grounder.embedder.name,
            "prompts": grounder.reasoner.prompts,
            "evidence_tokens": settings.evidence_tokens,
        }
        for hours, stacks in by_hours.items():
            questions = stack_questions(
                queries, stacks, limit=options.limit, nulls=options.nulls, seed=options.seed
            )
            folder = RunFolder(options.out / f"{hours:g}h")
            with folder.open(identity, questions):
                ask_all(questions, stacks, folder, material, partial(report, f"{hours:g} hours"))
                results = folder.finish(questions)
            lengths[f"{hours:g}"] = summarise(results, parts_of(queries, stacks))
    summary = {
        "hours": lengths,
        "provenance": identity | {"limit": options.limit, "commit": commit()},
    }
    write_whole(options.out / SUMMARY, as_json(summary))
    if options.json:
        terminal.put_json(as_json(summary).rstrip())
    else:
        _show(lengths)
    return 0


def ask_all(
    questions: Sequence[AskedQuestion],
    stacks: Sequence[Stack],
    folder: RunFolder,
    material: Material,
    report: Callable[[int, int], None],
) -> None:
    """Ask what has no result yet, and only index what is asked."""
    missing: defaultdict[str, list[AskedQuestion]] = defaultdict(list)
    for question in questions:
        if question.key not in folder.results:
            missing[question.video_id].append(question)
    report(len(folder.results), len(questions))
    for batch in material.batches([stack for stack in stacks if stack.name in missing]):
        with material.indexed(batch) as grounder:
            for stack in batch:
                for question in missing[stack.name]:
                    folder.add(_ask(question, grounder))
                    report(len(folder.results), len(questions))


def _ask(question: AskedQuestion, grounder: Grounder) -> Result:
    """One question through the graph; ``seconds[WHOLE]`` is what it took from end to end."""
    asked = make_question(question.video_id, question.query.text)
    started_s = time.perf_counter()
    state = grounder.run(asked)
    spent_s = time.perf_counter() - started_s
    result = result_of(question, state, CaptionsPaid())
    return replace(result, seconds=result.seconds | {WHOLE: spent_s})


def parts_of(queries: Sequence[Query], stacks: Sequence[Stack]) -> dict[str, tuple[float, float]]:
    """By query, where the short video that it is about lies in its long one."""
    home = {name: stack for stack in stacks for name in stack.asked}
    parts = {}
    for query in queries:
        start_s = home[query.video_id].starts_s[query.video_id]
        parts[query.qid] = (start_s, start_s + query.known_duration_s)
    return parts


def summarise(
    results: Sequence[Result], parts: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    """The figures of one length; shares are in percent.

    Args:
        results: Of own queries, and of null queries if those were asked.
        parts: By query, the short video that it is about within the long one.

    Returns:
        ``answer`` holds the figures of ``evaluation.figures.measures``, for which an answer has to
            be "found"; ``ranked`` is the head of the ranked list, whatever the verdict.
            ``right part`` is how often that head lies in the short video which the query is about.
    """
    own = [one for one in results if one.kind == "own"]
    absent = [one for one in results if one.kind != "own"]
    ranked = np.array([best_iou(one.candidates[:1], one) for one in own])
    spent_ms = 1000 * np.array([one.seconds[WHOLE] for one in own])
    return {
        "videos": len({one.video for one in own}),
        "queries": len(own),
        "answer": {name: asdict(figure) for name, figure in measure(results).items()},
        "ranked": {
            "mIoU": 100 * float(ranked.mean()),
            f"R@1 IoU={RIGHT_IOU}": 100 * float((ranked >= RIGHT_IOU).mean()),
        },
        "right part": 100 * float(np.mean([_is_in(one, parts[one.qid]) for one in own])),
        "found": 100 * float(np.mean([one.verdict == "found" for one in own])),
        "found elsewhere": 100 * float(np.mean([one.verdict == "found" for one in absent]))
        if absent
        else None,
        "outcomes": decompose(own).shares,
        "ms": {
            "median": float(np.median(spent_ms)),
            "95th percentile": float(np.percentile(spent_ms, 95)),
        },
    }


def _is_in(result: Result, part: tuple[float, float]) -> bool:
    """Whether the middle of the best window lies in a part."""
    if not result.candidates:
        return False
    start_s, end_s, _ = result.candidates[0]
    return part[0] <= (start_s + end_s) / 2 < part[1]


@contextmanager
def _bars() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each thing that is done; without a terminal, a line of it now and then."""
    console = terminal.open_console("stderr")
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks: dict[str, Any] = {}
        say = NowAndThen(terminal.complain)

        def report(what: str, done: int, total: int) -> None:
            if not console.is_terminal:
                say(lambda: f"{what}: {done} of {total}")
            if what not in tasks:
                tasks[what] = progress.add_task(what)
            progress.update(tasks[what], completed=done, total=total)

        yield report


def _show(lengths: Mapping[str, dict[str, Any]]) -> None:
    table = Table("hours", box=None, pad_edge=False)
    for heading in ("videos", "queries", "mIoU", "R@1 0.5", "found"):
        table.add_column(heading, justify="right")
    for heading in ("ranked mIoU", "R@1 0.5", "right part", "search miss", "ms"):
        table.add_column(heading, justify="right")
    for hours, one in lengths.items():
        shares = (
            one["answer"]["mIoU"]["value"],
            one["answer"][f"R@1 IoU={RIGHT_IOU}"]["value"],
            one["found"],
            one["ranked"]["mIoU"],
            one["ranked"][f"R@1 IoU={RIGHT_IOU}"],
            one["right part"],
            one["outcomes"]["search_miss"],
        )
        table.add_row(
            hours,
            str(one["videos"]),
            str(one["queries"]),
            *(f"{share:.1f}" for share in shares),
            f"{one['ms']['median']:.0f}",
        )
    console = open_console()
    console.print(table)
    for hours, one in lengths.items():
        if one["found elsewhere"] is not None:
            share = one["found elsewhere"]
            console.print(f"{hours} hours: {share:.1f}% found in videos without it")
    console.print(
        "mIoU and the first R@1 are of the answer, which has to be found; all but ms in percent"
    )
