"""What the command line accepts: its commands, and the options that each has of its own."""

import argparse
import os
from collections.abc import Sequence

from agent.cli.help_texts import (
    ASK_EXAMPLES,
    CHAT_EXAMPLES,
    COMPLETION,
    EXAMPLES,
    EXIT_CODES,
    MCP_EXAMPLES,
    REEL_EXAMPLES,
    REPLAY_EXAMPLES,
    SERVE_EXAMPLES,
)
from agent.cli.options import (
    add_command,
    add_json_option,
    add_reasoner_option,
    add_watching_options,
)
from tools.terminal import Parser


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="whenabouts",
        description="Ask a video when: intervals in seconds, with the captions that prove them.",
        epilog=EXAMPLES + "\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    ask = add_command(
        commands, "ask", "when does it happen? indexes first when needed", ASK_EXAMPLES
    )
    ask.add_argument(
        "words",
        metavar="[VIDEO ...] QUERY",
        nargs="*",
        help="video files, folders of them, links (https://…; extra `link`), or ids of indexed "
        "videos; then what to look for, in a sentence (or --image)",
    )
    ask.add_argument(
        "--image",
        metavar="PICTURE",
        help="find what looks like this picture, in place of a query (needs --sight)",
    )
    ask.add_argument("--all", action="store_true", help="ask every indexed video")
    ask.add_argument(
        "--limit", metavar="N", type=int, default=5, help="most answers from many videos (5)"
    )
    ask.add_argument(
        "--within", metavar="FROM-TO", help="search only this stretch, for example 1:00-1:30"
    )
    ask.add_argument(
        "--every",
        action="store_true",
        help="name all the times that it happens, the less sure ones too (or say “every time …”)",
    )
    ask.add_argument("--clip", metavar="OUT.mp4", help="cut the best interval out into a file")
    ask.add_argument(
        "--plot",
        metavar="OUT.png",
        help="draw the best answer: filmstrip, relevance over time, proof of the edges",
    )
    ask.add_argument(
        "--overwrite",
        action="store_true",
        help="let --clip, --export, --thumbnails and --plot replace existing files (never a video "
        "that is asked or indexed)",
    )
    ask.add_argument(
        "--export",
        nargs=2,
        action="append",
        default=[],
        metavar=("FORM", "FILE"),
        help="write the intervals as edl, fcpxml, csv, vtt, chapters or json, to a file or to - "
        "(standard output); may be repeated",
    )
    ask.add_argument(
        "--start-timecode",
        metavar="TIMECODE",
        help="where the timeline of --export begins: 00:00:00:00 (the default), 01:00:00:00, …",
    )
    ask.add_argument(
        "--thumbnails", metavar="DIR", help="write the frames behind the evidence into this folder"
    )
    add_watching_options(ask)
    ask.add_argument(
        "--anyway",
        action="store_true",
        help="look at the video even if the classical describer cannot answer the question",
    )
    ask.add_argument(
        "--strategy",
        choices=("general", "activity", "sight-first"),
        help="describe frames once for all questions, or for this question; sight-first: only "
        "those that show something new to the joint model (image models)",
    )
    ask.add_argument(
        "--thread",
        metavar="NAME",
        help="keep every step under this name, for `whenabouts replay` (one video)",
    )
    ask.add_argument(
        "--refine",
        action=argparse.BooleanOptionalAction,
        help="look closer at the edges of the answer (the default with an image model)",
    )
    ask.add_argument(
        "--verify",
        action=argparse.BooleanOptionalAction,
        help="let the image model judge the likeliest windows, in at most 10 calls, and say which "
        "ways to an answer agree (the default with --captioner openai:MODEL; a model on this "
        "machine judges too)",
    )
    ask.add_argument(
        "--direct",
        metavar="NAME",
        help="show a video model the frames of a short clip, or of the likeliest windows, and ask "
        "it when: openai:MODEL; auto (the default): the service's model, if it is known to take "
        "videos and no --reasoner is named; off",
    )
    ask.add_argument(
        "--every-path",
        action="store_true",
        default=None,
        help="have captions read too where a video model has answered, and compare the two",
    )
    add_reasoner_option(ask)
    add_json_option(ask)

    chat = add_command(commands, "chat", "talk about videos, with follow-ups", CHAT_EXAMPLES)
    chat.add_argument(
        "videos",
        metavar="VIDEO",
        nargs="*",
        help="video files, or ids of indexed videos; by default those of the thread",
    )
    chat.add_argument(
        "--thread", metavar="NAME", help="name of the conversation, new or to be continued"
    )
    add_watching_options(chat)
    add_reasoner_option(chat)
    add_json_option(chat)

    index = add_command(commands, "index", "caption videos now, so that asking is quick")
    index.add_argument(
        "videos",
        metavar="VIDEO",
        nargs="+",
        help="a video file, a folder and those below it, or a link (https://…; extra `link`)",
    )
    index.add_argument(
        "--dry-run",
        action="store_true",
        help="say what it would take (frames, captions, tokens, USD, time), and stop there",
    )
    index.add_argument(
        "--strategy",
        choices=("general", "sight-first"),
        help="describe all frames that differ, or only those that show something new to the joint "
        "model of --sight, which saves captions (image models)",
    )
    add_watching_options(index)
    add_json_option(index, "a JSON list, an object a video,")

    for add in (_add_watch, _add_reel, _add_serve, _add_mcp):
        add(commands)

    replay = add_command(
        commands,
        "replay",
        "answer a thread's question again from one of its steps, with other models",
        REPLAY_EXAMPLES,
    )
    replay.add_argument("thread", metavar="THREAD", help="the name given to ask or chat --thread")
    replay.add_argument(
        "--from",
        dest="node",
        metavar="NODE",
        default="reason",
        help="the step to begin at: watch, retrieve, reason (default), check, refine, …",
    )
    add_watching_options(replay, captions=False)
    add_reasoner_option(replay)
    add_json_option(replay)

    trace = add_command(
        commands, "trace", "print what a --trace file holds: steps, times, tokens, refusals"
    )
    trace.add_argument("file", metavar="FILE.jsonl")
    trace.add_argument("--prompts", action="store_true", help="with the exact prompts and replies")

    _add_upkeep(commands)
    return parser


def _add_watch(commands: "argparse._SubParsersAction[Parser]") -> None:
    watch = add_command(commands, "watch", "index what is new or changed in folders, until stopped")
    watch.add_argument("videos", metavar="FOLDER", nargs="+", help="it, and those below it")
    add_watching_options(watch, captions=False)


def _add_reel(commands: "argparse._SubParsersAction[Parser]") -> None:
    reel = add_command(
        commands, "reel", "join the clips that answer several questions in one file", REEL_EXAMPLES
    )
    reel.add_argument(
        "words", metavar="QUERY", nargs="+", help="what to look for, each in a sentence"
    )
    reel.add_argument(
        "--in",
        dest="places",
        metavar="VIDEO",
        nargs="+",
        default=[],
        help="video files, folders of them, or ids of indexed ones; by default, all indexed videos",
    )
    reel.add_argument("--out", metavar="OUT.mp4", required=True, help="where to (.mp4 or .mkv)")
    reel.add_argument(
        "--limit", metavar="N", type=int, default=5, help="most videos for each question (5)"
    )
    reel.add_argument(
        "--card",
        metavar="S",
        dest="card_s",
        type=float,
        default=2.0,
        help="seconds that the title card before each clip is shown (2); 0: no cards",
    )
    reel.add_argument(
        "--overwrite",
        action="store_true",
        help="replace an existing file (never a video that is asked or indexed)",
    )
    add_watching_options(reel, captions=False)
    add_reasoner_option(reel)


def _add_serve(commands: "argparse._SubParsersAction[Parser]") -> None:
    serve = add_command(
        commands,
        "serve",
        "a page in the browser with player, timeline and evidence, and an HTTP API",
        SERVE_EXAMPLES,
    )
    serve.add_argument(
        "videos",
        metavar="FOLDER",
        nargs="*",
        help="serve the videos in and below it; without one, only what is uploaded",
    )
    serve.add_argument("--port", metavar="N", type=int, default=8765, help="8765; 0: a free one")
    serve.add_argument(
        "--address",
        metavar="IP",
        default="127.0.0.1",
        help="where to listen; any but 127.0.0.1 needs WHENABOUTS_TOKEN",
    )
    serve.add_argument(
        "--max-upload", metavar="MB", type=int, default=8192, help="largest upload (8192)"
    )
    serve.add_argument("--open", action="store_true", help="open the page in the browser")
    add_watching_options(serve, captions=False)
    add_reasoner_option(serve)


def _add_mcp(commands: "argparse._SubParsersAction[Parser]") -> None:
    mcp = add_command(commands, "mcp", "tools for agents that speak MCP", MCP_EXAMPLES)
    mcp.add_argument(
        "videos", metavar="FOLDER", nargs="+", help="videos in and below it can be asked, no others"
    )
    mcp.add_argument(
        "--http",
        metavar="PORT",
        type=int,
        help="speak streamable HTTP on this port (0: a free one), not on stdin and stdout",
    )
    mcp.add_argument(
        "--address",
        metavar="IP",
        default="127.0.0.1",
        help="where to listen; any but 127.0.0.1 needs WHENABOUTS_TOKEN",
    )
    add_watching_options(mcp, captions=False)
    add_reasoner_option(mcp)


def _add_upkeep(commands: "argparse._SubParsersAction[Parser]") -> None:
    """The commands about stored data, what is installed, and the program itself."""
    listing = add_command(commands, "list", "the indexed videos, and which files are gone")
    add_json_option(listing, "a JSON list, an object a track,")

    forget = add_command(commands, "forget", "delete a video's captions (never the file)")
    forget.add_argument(
        "videos", metavar="VIDEO", nargs="+", help="a video file, or the id of an indexed video"
    )

    forget.add_argument(
        "--threads",
        action="store_true",
        help="also delete the threads and chats that hold captions of it",
    )

    add_command(commands, "repair", "rebuild a damaged caption store from its captions")

    doctor = add_command(commands, "doctor", "what works here, what does not, and what would help")
    doctor.add_argument("--all", action="store_true", help="with versions, places and settings")
    add_json_option(doctor)

    setup = add_command(commands, "setup", "find and set up what sees best on this machine")
    setup.add_argument("--plan", action="store_true", help="say what would be done, and stop there")
    setup.add_argument("--yes", action="store_true", help="do it without asking, downloads too")
    setup.add_argument(
        "--speech",
        action="store_true",
        help="hear what is said too, by the Whisper model that fits (fetched if it is not here)",
    )
    add_json_option(setup)

    demo = add_command(commands, "demo", "draw a short clip, index it, and ask it four questions")
    demo.add_argument("--keep", metavar="FILE.mp4", help="keep the clip in this file")

    add_command(commands, "schema", "print the JSON Schema of an answer")
    completion = add_command(
        commands, "completion", "print a script for your shell to complete commands", COMPLETION
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh", "powershell"))
    add_command(commands, "eval", "measure on a benchmark; `whenabouts eval --help` tells more")
    add_command(commands, "tune", "tune a small image model; `whenabouts tune --help` tells more")


def parse(parser: Parser, argv: Sequence[str]) -> argparse.Namespace:
    """Parse; videos and query may stand on both sides of options, which argparse leaves over."""
    for word in argv:
        if word.startswith("-") and os.path.isfile(word):  # noqa: PTH113  # no error if too long
            parser.error(f"{word} is taken for an option; if you mean the file, write ./{word}")
    args, left = parser.parse_known_args(argv)
    listed = "words" if "words" in args else "videos"
    # What comes after -- is not an option, however it begins.
    behind = list(argv[argv.index("--") + 1 :]) if "--" in argv else []
    if behind and left[-len(behind) :] == behind:
        left = [one for one in left[: -len(behind)] if one != "--"]
    else:
        behind = []
    if (left or behind) and listed not in args:
        args.parser.error(f"unrecognized arguments: {' '.join([*left, *behind])}")
    if any(word.startswith("-") for word in left):
        hint = "; put -- before a query that begins with -" if listed == "words" else ""
        wrong = [word for word in left if word.startswith("-")]
        args.parser.error(f"unrecognized arguments: {' '.join(wrong)}{hint}")
    if left or behind:
        setattr(args, listed, [*getattr(args, listed), *left, *behind])
    return args
