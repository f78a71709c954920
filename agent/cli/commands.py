"""What each command does: a thin layer of text over ``Grounder``."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from agent.api import Event, Grounder
from agent.cli.asked import asked_videos, fetch_links, parse_within, words_of
from agent.cli.demo import DEMO_QUESTIONS, draw_demo_clip
from agent.cli.forecast_lines import ends_early, render_forecast, total_line
from agent.cli.index_progress import progress_bar, tell_events
from agent.cli.known_answer import render_known
from agent.cli.opening import open_grounder
from agent.cli.outputs import Out, spare_asked, spare_own_files
from agent.cli.printing import ask_person, doing, say, show, stderr, tell_beside
from agent.cli.record_lines import count_of, record_json
from agent.cli.rendering import render_answer, render_answers, render_json, render_replay
from agent.cli.take_away import check_exports, outs_of, write_files
from agent.errors import QueryError, UsedUpError, WhenaboutsError
from agent.graph.many_videos import LibraryAnswers
from agent.grounding import Grounding
from agent.settings import load_settings
from agent.watching.forecast import Forecast
from agent.watching.moved_files import own_file
from agent.watching.video_names import expand_videos
from tools.clock import clock, clock_span
from tools.retrieval.tracks import is_beside, name_of, of_copy
from tools.store.store import VideoRecord
from tools.terminal import complain, put_json
from tools.text import in_one_row, shorten
from tools.video.clip import check_clip_path, write_clip
from tools.video.reader import probe

DONE, NOT_FOUND, FAILED = 0, 1, 2

MOST_NAMED = 5
"""Videos that are named in one line."""


def run(args: argparse.Namespace) -> int:
    """Run the command that the parser chose; returns its exit code."""
    commands: dict[str, Callable[[argparse.Namespace], int]] = {
        "ask": ask,
        "chat": chat_with_videos,
        "index": index_videos,
        "watch": watch_for_videos,
        "reel": make_reel,
        "serve": serve_page,
        "mcp": speak_mcp,
        "replay": replay_thread,
        "setup": set_up_machine,
        "demo": run_demo,
    }
    stderr.quiet = args.quiet
    return commands[args.command](args)


def ask(args: argparse.Namespace) -> int:
    """``whenabouts ask``: one video, several, or all."""
    names, query = words_of(args)
    videos = asked_videos(args, names, query)
    is_one = len(videos) == 1 and not args.all
    exports = check_exports(args, is_one=is_one)
    writes = bool(args.clip or args.thumbnails or exports)
    if args.within:
        parse_within(args.within)  # A wrong one is told before anything is opened.
    with open_grounder(args) as grounder, progress_bar() as report, ExitStack() as run:
        on_event = tell_events(report)
        videos = fetch_links(grounder, videos)
        run.enter_context(grounder.within_limits())
        outs = outs_of(args, exports)
        if outs:
            spare_own_files(outs, grounder.settings)
            spare_asked(outs, videos, grounder.records())
        known = None
        if is_one and not (args.captions or args.anyway or args.image):
            with doing(f"reading {videos[0]}"):
                known = grounder.foresee(videos[0], query)
        if known and _wants_it_anyway(known):
            known = None
        if known:
            answers = LibraryAnswers((known,))
            _tell_unwritten(args)
        else:
            where = videos[0] if is_one else f"{len(videos) or 'all'} videos"
            with doing(f"looking for “{shorten(query, 60)}” in {shorten(where, 60)}"):
                answers = _answers(args, grounder, videos, query, on_event)
        records = grounder.records() if writes else []
        picture = None
        if args.plot and answers:
            with doing("drawing the picture of the answer"):
                picture = grounder.plot(answers[0])
    as_json = answers[0].to_json(indent=2) if is_one else render_json(query, answers)
    if args.json:
        put_json(as_json)
    else:
        # Standard output holds what was asked for there, and nothing else.
        tell = tell_beside if any(export.is_printed for export in exports) else show
        render_one = render_known if known else render_answer
        tell(*(render_one(answers[0]) if is_one else render_answers(query, answers)))
    if args.clip:
        _cut(answers, Path(args.clip), records, overwrite=args.overwrite)
    with doing("writing what --export and --thumbnails name"):
        write_files(args, exports, answers, records, whole_json=as_json, say=say)
    if picture:
        picture.save(Path(args.plot), overwrite=args.overwrite)
        say(f"a picture of the answer was written to {args.plot}")
    return DONE if any(answer.verdict == "found" for answer in answers) else NOT_FOUND


def _tell_unwritten(args: argparse.Namespace) -> None:
    """Say what an answer that needs no run leaves out."""
    for option, name in (("--trace", args.trace), ("--thread", args.thread)):
        if name:
            say(f"{option} {name}: nothing was run, so nothing was written; --anyway runs it")


def _answers(
    args: argparse.Namespace,
    grounder: Grounder,
    videos: Sequence[str],
    query: str,
    on_event: Callable[[Event], None],
) -> LibraryAnswers:
    """By words or by a picture, of one video or of many."""
    within = parse_within(args.within) if args.within else None
    wanted = None if args.all else videos
    if len(videos) == 1 and not args.all:
        if args.image:
            one = grounder.find_picture(videos[0], args.image, within=within, on_event=on_event)
        else:
            one = grounder.find(
                videos[0],
                query,
                captions=args.captions,
                within=within,
                every_time=args.every,
                thread=args.thread,
                on_event=on_event,
            )
        return LibraryAnswers((one,))
    if args.image:
        return grounder.find_picture_all(
            args.image, videos=wanted, limit=args.limit, on_event=on_event
        )
    return grounder.find_all(
        query, videos=wanted, limit=args.limit, every_time=args.every, on_event=on_event
    )


def _wants_it_anyway(known: Grounding) -> bool:
    """Whether a person wants a video described for an answer that is known beforehand."""
    if stderr.quiet or not (sys.stdin.isatty() and stderr.is_terminal):
        return False
    say(known.reasoning)
    question = "The classical describer cannot answer this. Look at the video anyway? [y/N] "
    return ask_person(question).strip().lower() in {"y", "yes"}


def chat_with_videos(args: argparse.Namespace) -> int:
    """``whenabouts chat``."""
    from agent.cli.chat_terminal import run_chat

    with open_grounder(args) as grounder:
        args.videos = fetch_links(grounder, args.videos)
        return run_chat(args, grounder, progress=progress_bar)


def index_videos(args: argparse.Namespace) -> int:
    """``whenabouts index``: one unusable video does not stop the others."""
    videos = expand_videos(args.videos)
    if args.captions and len(videos) > 1:
        raise QueryError(
            f"--captions {args.captions} describes one video, but {len(videos)} were given"
        )
    if args.dry_run:
        return _forecast(args, videos)
    done: list[VideoRecord] = []
    failed: dict[str, list[str]] = {}
    with open_grounder(args) as grounder, grounder.within_limits():
        for video in videos:
            try:
                (video,) = fetch_links(grounder, [video])  # noqa: PLW2901  # the same video
                # Its line is cleared before anything is printed.
                with doing(f"reading {video}"), progress_bar() as report:
                    record = grounder.watch(video, captions=args.captions, report=report)
            except UsedUpError as exc:
                complain(f"whenabouts: {exc}")  # Not a failure: the user set this limit.
                continue
            except WhenaboutsError as exc:
                if str(exc) not in failed:
                    complain(f"whenabouts: {exc}")
                failed.setdefault(str(exc), []).append(video)
                continue
            done.append(record)
            if not args.json:
                tracks = [one for one in grounder.records() if one.video_id == record.video_id]
                show(_indexed_line(record, tracks))
    for why, (_, *others) in failed.items():
        if others:
            complain(f"whenabouts: {_not_indexed(others)} for the same reason ({shorten(why, 80)})")
    if args.json:
        put_json(json.dumps([record_json(record) for record in done], indent=2))
    return FAILED if failed else DONE


def _not_indexed(videos: Sequence[str]) -> str:
    named = ", ".join(videos[:MOST_NAMED])
    more = f" and {len(videos) - MOST_NAMED} more" if len(videos) > MOST_NAMED else ""
    return f"{named}{more} {'is' if len(videos) == 1 else 'are'} not indexed"


def _forecast(args: argparse.Namespace, videos: Sequence[str]) -> int:
    """What indexing would take, for each video and in total."""
    if args.captions:
        raise QueryError(
            "--dry-run estimates what describing frames takes; captions from a file cost nothing, "
            "so leave out --dry-run or --captions"
        )
    if args.strategy == "sight-first":
        say("these figures are for all frames that differ; sight-first describes fewer of them")
    if args.screen or args.speech:
        say("these figures leave out --screen and --speech, which take time but no money")
    forecasts: list[Forecast] = []
    failed = 0
    with open_grounder(args, asks=False) as grounder:
        for video in videos:
            try:
                with doing(f"looking at parts of {video}"):
                    one = grounder.estimate(*fetch_links(grounder, [video]))
            except WhenaboutsError as exc:
                failed += 1
                complain(f"whenabouts: {exc}")
                continue
            twin = next((other for other in forecasts if other.video_id == one.video_id), None)
            if twin:
                say(f"{one.path} is the same video as {twin.path}, and described with it")
                continue
            forecasts.append(one)
            if not args.json:
                show(*render_forecast(one))
    if args.json:
        put_json(json.dumps([one.as_dict() for one in forecasts], indent=2))
        return FAILED if failed else DONE
    if len(forecasts) > 1:
        show(total_line(forecasts))
    if early := ends_early(forecasts, grounder.settings):
        show(early)
    return FAILED if failed else DONE


def watch_for_videos(args: argparse.Namespace) -> int:
    """``whenabouts watch``: until it is interrupted, or a limit is reached."""
    from agent.cli.folder_watch import watch_folders

    with open_grounder(args) as grounder:
        watch_folders(
            [Path(folder) for folder in args.videos],
            grounder,
            report=progress_bar,
            show=lambda record: show(_indexed_line(record, [])),
            complain=lambda line: complain(f"whenabouts: {line}"),
            say=say,
        )
    return DONE


def make_reel(args: argparse.Namespace) -> int:
    """``whenabouts reel``."""
    from agent.cli.reel_making import check_reel, join_clips

    check_reel(args)
    with open_grounder(args) as grounder, progress_bar() as report:
        args.places = fetch_links(grounder, args.places)
        scenes = join_clips(args, grounder, on_event=tell_events(report), say=say, doing=doing)
    return DONE if scenes else NOT_FOUND


def serve_page(args: argparse.Namespace) -> int:
    """``whenabouts serve``: until it is interrupted."""
    from agent.web.serving import serve

    with open_grounder(args) as grounder:
        serve(
            grounder,
            [Path(folder) for folder in args.videos],
            address=args.address,
            port=args.port,
            most_bytes=args.max_upload * 1_000_000,
            say=say,
            opens_browser=args.open,
        )
    return DONE


def speak_mcp(args: argparse.Namespace) -> int:
    """``whenabouts mcp``: until its client leaves, or it is interrupted."""
    from agent.mcp.speaking import speak

    with open_grounder(args) as grounder:
        folders = [Path(folder) for folder in args.videos]
        speak(grounder, folders, http_port=args.http, address=args.address, say=say)
    return DONE


def replay_thread(args: argparse.Namespace) -> int:
    """``whenabouts replay``."""
    waiting = doing(f"replaying {args.thread}")
    with open_grounder(args) as grounder, waiting, progress_bar() as report:
        replayed = grounder.replay(
            args.thread,
            args.node,
            describe_anew=args.captioner is not None,
            on_event=tell_events(report),
        )
    if args.json:
        both = {"from": replayed.node, "before": replayed.before, "after": replayed.after}
        plain = {
            name: one.printed() if isinstance(one, Grounding) else one for name, one in both.items()
        }
        put_json(json.dumps(plain, indent=2))
    else:
        show(render_replay(replayed))
    return DONE if replayed.after.verdict == "found" else NOT_FOUND


def set_up_machine(args: argparse.Namespace) -> int:
    """``whenabouts setup``."""
    from agent.cli.setting_up import set_up

    set_up(
        args,
        show=show,
        say=say,
        doing=doing,
        ask=ask_person,
    )
    return DONE


def run_demo(args: argparse.Namespace) -> int:
    """``whenabouts demo``: the main job on a clip of our own, in a store of its own."""
    with tempfile.TemporaryDirectory(prefix="whenabouts-demo-") as scratch:
        clip = Path(args.keep) if args.keep else Path(scratch) / "demo.mp4"
        if args.keep:
            check_clip_path(clip, option="")
        with doing("drawing a clip to look at"):
            draw_demo_clip(clip)
        defaults = load_settings(args.env)
        # Whatever is configured: the demo costs nothing, and sends nothing anywhere.
        own = {"captioner": "classical", "strategy": "general", "reasoner": "similarity"}
        settings = defaults.model_copy(update={"store": Path(scratch), "chroma_url": None} | own)
        with Grounder(settings) as grounder:
            with progress_bar() as report:
                record = grounder.watch(clip, report=report)
            show(_indexed_line(record, []))
            for question in DEMO_QUESTIONS:
                show("", f'$ whenabouts ask {clip.name} "{question.query}"')
                show(*render_answer(grounder.find(clip, question.query)))
    return DONE


def _indexed_line(record: VideoRecord, tracks: Sequence[VideoRecord]) -> str:
    """What a video is answered from: its captions, and the tracks beside them."""
    warning = record.warning.removeprefix(f"{record.path}: ")
    beside = (one for one in of_copy(tracks, record.path) if is_beside(one.track))
    made = [record, *(one for one in beside if one.complete)]
    counts = (f"{count_of(one)} by {name_of(one.track)}" for one in made)
    note = f"; {warning}" if warning else ""
    told = f"{record.path}: {', '.join(counts)}, {clock(record.duration_s)} long{note}"
    return in_one_row(told)


def _cut(
    answers: Sequence[Grounding], out: Path, records: Sequence[VideoRecord], *, overwrite: bool
) -> None:
    if not (answers and answers[0].intervals):
        say(f"nothing was found, so {out} was not written")
        return
    best = answers[0].intervals[0]
    video = own_file(answers[0].video, records)
    spare_asked([Out("--clip", out)], [answer.video.path for answer in answers], records)
    with doing(f"cutting {clock_span(best.span)} out of {video}"):
        write_clip(probe(video), best.span, out, overwrite=overwrite)
    say(f"{clock_span(best.span)} written to {out}")
