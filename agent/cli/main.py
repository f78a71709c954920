"""The ``whenabouts`` command: what it accepts, and how an error or an interruption ends it.

Only the parser lives here, so that ``--help`` answers at once; ``commands`` does the work.
"""

import argparse
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from agent.cli.faults import report_fault
from agent.graph.cancelling import THREAD
from tools.errors import WhenaboutsError
from tools.terminal import (
    OutputError,
    Parser,
    abandon_output,
    complain,
    flush,
    prepare_streams,
    put,
)

FOUND, NOT_FOUND, FAILED = 0, 1, 2

SIGNALLED = 128
"""The number of the signal that ended the command is added to this, as shells do."""
INTERRUPTED = SIGNALLED + signal.SIGINT

SHOW_CURSOR = b"\x1b[?25h"
"""A progress bar hides it."""

EXIT_CODES = """\
exit codes:
  0  found, or done
  1  not found, or cannot tell from these captions
  2  bad input, or a failure; the message says what to do
 70  a fault in whenabouts itself, with its traceback
130  interrupted (Ctrl-C)
"""

EXAMPLES = """\
examples:
  whenabouts ask match.mp4 'the title "half time" is on screen'
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --captions kitchen.jsonl
  whenabouts ask kitchen.mp4 "the screen goes black" --json
  whenabouts index *.mp4
"""

ASK_EXAMPLES = """\
examples:
  whenabouts ask lobby.mp4 "something enters" --clip entering.mp4
  whenabouts ask talk.mp4 'the text "Thank you" appears' --json
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --captions kitchen.jsonl
  whenabouts ask holidays/ "a dog runs into the sea"
  whenabouts ask lobby.mp4 "the third time somebody comes in" --within 1:00-9:30
  whenabouts ask --all "a dog runs into the sea" --limit 3
  whenabouts ask holiday.mp4 --image dog.jpg --sight siglip2-base    # find by picture
  whenabouts ask lobby.mp4 "somebody waves" --captioner openai:MODEL --reasoner similarity --verify
  whenabouts ask clip.mp4 "the cup falls" --captioner none --direct openai:Qwen3-VL-8B-Instruct
  whenabouts ask clip.mp4 "the cup falls" --direct openai:MODEL --every-path

which evidence answers: all that is there is asked, and the answer says which of it answers
  1. what is measured (light, colour, cuts, camera), read or said word for word, if asked for
  2. captions of what is seen and what is said, and frames themselves (--sight): the surest first,
     and what several point to is surer; a line says which agree
  3. what is measured of things: something enters, moves, leaves
which captions: those of --captions FILE, else of --captioner, else the last made by a file or an
  image model, else made now by: a service, a model on this disk, the built-in senses

a captions file has one JSON object a line:
  {"t": 12.0, "caption": "what the frame at 12.0 s shows"}
  {"start_s": 12.0, "end_s": 14.0, "caption": "what happens from 12.0 s to 14.0 s"}
"""

CHAT_EXAMPLES = """\
examples:
  whenabouts chat lobby.mp4
  whenabouts chat lobby.mp4 yard.mp4 --thread break-in
  whenabouts chat --thread break-in            # continues where it ended
  whenabouts chat lobby.mp4 --json < turns.txt

inside: a question, a follow-up ("and after that?", "the second time", "cut that out"), or /help
"""

COMPLETION = """\
examples:
  eval "$(whenabouts completion bash)"               # in ~/.bashrc; the same for zsh
  whenabouts completion fish > ~/.config/fish/completions/whenabouts.fish
"""

REPLAY_EXAMPLES = """\
examples:
  whenabouts ask kitchen.mp4 "the chef cuts the pizza" --thread pizza
  whenabouts replay pizza --reasoner openai:gpt-5-mini
  whenabouts replay pizza --from watch --captioner openai:gpt-5-mini
  whenabouts replay pizza --reasoner openai:gpt-5-mini --prompts mine/
"""


SERVE_EXAMPLES = """\
examples:
  whenabouts serve holidays/ --open            # the page, at http://127.0.0.1:8765/
  whenabouts serve clips/ talks/ --port 0      # on a port that is free; the first line says which
  whenabouts serve clips/ --captioner openai:gpt-5-mini --max-usd 2
  WHENABOUTS_TOKEN=… whenabouts serve clips/ --address 0.0.0.0   # for other machines too

the API is at /api/v1; /api/v1/openapi.json describes it:
  curl -sT clip.mp4 -X POST 'http://127.0.0.1:8765/api/v1/videos?name=clip.mp4'
  curl -s http://127.0.0.1:8765/api/v1/jobs -H 'content-type: application/json' -d '{"video": "ID"}'
  curl -s http://127.0.0.1:8765/api/v1/videos/ID/ask -H 'content-type: application/json' \\
      -d '{"query": "a dog jumps"}'
"""


REEL_EXAMPLES = """\
examples:
  whenabouts reel "the ball goes in" "somebody falls" --in match.mp4 --out best.mp4
  whenabouts reel "a dog runs into the sea" --in holidays/ --limit 10 --out dogs.mp4
  whenabouts reel "a dog" --out dogs.mp4       # from every indexed video

the clips come in the order of the questions, then of the videos, then of time
"""

MCP_EXAMPLES = """\
examples:
  whenabouts mcp holidays/                     # a client starts it, and speaks on its stdin
  whenabouts mcp clips/ talks/ --http 8766     # streamable HTTP, at http://127.0.0.1:8766/mcp
  claude mcp add whenabouts -- whenabouts mcp /home/me/videos

docs/mcp.md shows what to write into Claude Desktop, VS Code and a LangGraph agent
"""


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

    ask = _command(commands, "ask", "when does it happen? indexes first when needed", ASK_EXAMPLES)
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
        help="write the intervals as edl, fcpxml, csv, vtt, chapters or json; may be repeated",
    )
    ask.add_argument(
        "--start-timecode",
        metavar="TIMECODE",
        help="where the timeline of --export begins: 00:00:00:00 (the default), 01:00:00:00, …",
    )
    ask.add_argument(
        "--thumbnails", metavar="DIR", help="write the frames behind the evidence into this folder"
    )
    _watching_options(ask)
    ask.add_argument(
        "--anyway",
        action="store_true",
        help="look at the video even if the built-in senses cannot answer the question",
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
    _reasoner_option(ask)
    _json_option(ask)

    chat = _command(commands, "chat", "talk about videos, with follow-ups", CHAT_EXAMPLES)
    chat.add_argument(
        "videos",
        metavar="VIDEO",
        nargs="*",
        help="video files, or ids of indexed videos; by default those of the thread",
    )
    chat.add_argument(
        "--thread", metavar="NAME", help="name of the conversation, new or to be continued"
    )
    _watching_options(chat)
    _reasoner_option(chat)
    _json_option(chat)

    index = _command(commands, "index", "caption videos now, so that asking is quick")
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
    _watching_options(index)
    _json_option(index, "a JSON list, an object a video,")

    for add in (_add_watch, _add_reel, _add_serve, _add_mcp):
        add(commands)

    replay = _command(
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
    _watching_options(replay, captions=False)
    _reasoner_option(replay)
    _json_option(replay)

    trace = _command(
        commands, "trace", "print what a --trace file holds: steps, times, tokens, refusals"
    )
    trace.add_argument("file", metavar="FILE.jsonl")
    trace.add_argument("--prompts", action="store_true", help="with the exact prompts and replies")

    _add_upkeep(commands)
    return parser


def _add_watch(commands: "argparse._SubParsersAction[Parser]") -> None:
    watch = _command(commands, "watch", "index what is new or changed in folders, until stopped")
    watch.add_argument("videos", metavar="FOLDER", nargs="+", help="it, and those below it")
    _watching_options(watch, captions=False)


def _add_reel(commands: "argparse._SubParsersAction[Parser]") -> None:
    reel = _command(
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
    _watching_options(reel, captions=False)
    _reasoner_option(reel)


def _add_serve(commands: "argparse._SubParsersAction[Parser]") -> None:
    serve = _command(
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
    _watching_options(serve, captions=False)
    _reasoner_option(serve)


def _add_mcp(commands: "argparse._SubParsersAction[Parser]") -> None:
    mcp = _command(commands, "mcp", "tools for agents that speak MCP", MCP_EXAMPLES)
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
    _watching_options(mcp, captions=False)
    _reasoner_option(mcp)


def _add_upkeep(commands: "argparse._SubParsersAction[Parser]") -> None:
    """The commands about stored data, what is installed, and the program itself."""
    listing = _command(commands, "list", "the indexed videos, and which files are gone")
    _json_option(listing, "a JSON list, an object a track,")

    forget = _command(commands, "forget", "delete a video's captions (never the file)")
    forget.add_argument(
        "videos", metavar="VIDEO", nargs="+", help="a video file, or the id of an indexed video"
    )

    forget.add_argument(
        "--threads",
        action="store_true",
        help="also delete the threads and chats that hold captions of it",
    )

    _command(commands, "repair", "rebuild a damaged caption store from its captions")

    doctor = _command(commands, "doctor", "what works here, what does not, and what would help")
    doctor.add_argument("--all", action="store_true", help="with versions, places and settings")
    _json_option(doctor)

    setup = _command(commands, "setup", "find and set up what sees best on this machine")
    setup.add_argument("--plan", action="store_true", help="say what would be done, and stop there")
    setup.add_argument("--yes", action="store_true", help="do it without asking, downloads too")
    setup.add_argument(
        "--speech",
        action="store_true",
        help="hear what is said too, by the Whisper model that fits (fetched if it is not here)",
    )
    _json_option(setup)

    demo = _command(commands, "demo", "draw a short clip, index it, and ask it four questions")
    demo.add_argument("--keep", metavar="FILE.mp4", help="keep the clip in this file")

    _command(commands, "schema", "print the JSON Schema of an answer")
    completion = _command(
        commands, "completion", "print a script for your shell to complete commands", COMPLETION
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish", "tcsh", "powershell"))
    _command(commands, "eval", "measure on a benchmark; `whenabouts eval --help` tells more")
    _command(commands, "tune", "tune a small image model; `whenabouts tune --help` tells more")


def run() -> NoReturn:
    """The command ``whenabouts``, in a process of its own."""
    # Loading makes a million things that stay, and looking through them for garbage takes a fifth
    # of the time until the command begins; see ``_loaded``.
    gc.disable()
    _open_standard_files()
    if sys.argv[1:2] != ["chat"]:  # In a chat, Ctrl-C cancels only the question.
        signal.signal(signal.SIGINT, _interrupt)
        signal.signal(signal.SIGTERM, _interrupt)
    code = main()
    is_reading = sys.argv[1:2] == ["mcp"]
    if is_reading or any(thread.name == THREAD for thread in threading.enumerate()):
        # A cancelled question still waits for its model, a server that was interrupted for a line
        # from its client; Python would wait for their threads.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def _open_standard_files() -> None:
    """Open any that is closed: else the next file opened would take its number, and our output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


_ended_by: list[int] = []


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first Ctrl-C keeps the replies that are paid for, then ends; the second ends at once.

    A request to end, from a system that shuts down or from ``timeout``, works like Ctrl-C.
    """
    signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    _ended_by.append(number)
    signal.default_int_handler(number, frame)


def _leave(number: int, _: FrameType | None) -> None:
    if os.isatty(2):
        os.write(2, SHOW_CURSOR)
    os.write(2, b"whenabouts: stopped at once; what was stored so far is kept\n")
    os._exit(SIGNALLED + number)


def _parse(parser: Parser, argv: Sequence[str]) -> argparse.Namespace:
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
        parser.error(f"unrecognized arguments: {' '.join([*left, *behind])}")
    if any(word.startswith("-") for word in left):
        hint = "; put -- before a query that begins with -" if listed == "words" else ""
        parser.error(f"unrecognized arguments: {' '.join(left)}{hint}")
    if left or behind:
        setattr(args, listed, [*getattr(args, listed), *left, *behind])
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Read when numpy is loaded. Our matrices are too small to share out: threads that wait for
    # each other took half of a question's processor time, and more beside other questions.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    prepare_streams()
    try:
        try:
            return _parse_and_run(sys.argv[1:] if argv is None else argv)
        finally:
            flush()  # Help and version too: output that cannot be written is not a success.
    except OutputError as exc:
        abandon_output()
        complain(f"whenabouts: {exc}")
    except WhenaboutsError as exc:
        complain(f"whenabouts: {exc}")
    except BrokenPipeError:
        # The reader of our output (`| head`) has enough: say nothing more, not at exit either.
        abandon_output()
    except KeyboardInterrupt:
        complain(
            "whenabouts: interrupted; what was indexed so far is kept, and the same command "
            "continues from there"
        )
        return SIGNALLED + (_ended_by[0] if _ended_by else signal.SIGINT)
    except Exception as exc:  # noqa: BLE001  # a fault of ours must not pass for "not found"
        return report_fault(exc, complain)
    except BaseException as exc:
        if type(exc).__name__ != "PanicException":  # Raised by Rust code, such as Chroma's.
            raise
        return report_fault(exc, complain)
    return FAILED


def _parse_and_run(argv: Sequence[str]) -> int:
    parser = build_parser()
    with suppress(ImportError):  # Help and the version need nothing installed.
        import argcomplete

        argcomplete.autocomplete(parser)  # Only where a shell asks for it; the process ends there.
    # These parse what comes after them, and print their own help.
    args = _parse(parser, argv[:1] if argv[:1] in (["eval"], ["tune"]) else argv)
    if args.version:
        from importlib.metadata import version

        put(f"whenabouts {version('whenabouts')}")
        return FOUND
    if args.command is None:
        parser.print_help()
        return FAILED
    return _run(args, argv)


def _run(args: argparse.Namespace, argv: Sequence[str]) -> int:
    if args.command == "eval":
        from evaluation.command import run as run_eval

        _loaded()
        return run_eval(argv[1:])
    if args.command == "tune":
        from training.command import run as run_tune

        _loaded()
        return run_tune(argv[1:])
    from agent.cli.light_commands import LIGHT, run_light

    if args.command in LIGHT:
        _loaded()
        return run_light(args)
    from agent.cli.commands import run

    _loaded()
    return run(args)


def _loaded() -> None:
    """What was loaded is never garbage; from here on, what becomes garbage is collected."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def _command(
    commands: "argparse._SubParsersAction[Parser]",
    name: str,
    does: str,
    examples: str = "",
) -> argparse.ArgumentParser:
    command = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=examples + ("\n" if examples else "") + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument(
        "--env", metavar="FILE", help="read settings from this file, not from .env in the home"
    )
    command.add_argument(
        "--quiet", action="store_true", help="print only the answer, and what went wrong"
    )
    return command


def _reasoner_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--reasoner",
        metavar="NAME",
        help="who decides from captions: similarity, or a text model such as openai:MODEL",
    )
    command.add_argument(
        "--strict",
        action="store_true",
        default=None,
        help="if a text model's service fails, end in an error and not in the LLM-free answer",
    )


def _watching_options(command: argparse.ArgumentParser, *, captions: bool = True) -> None:
    if captions:
        command.add_argument(
            "--captions", metavar="FILE.jsonl", help="answer from these captions, not from frames"
        )
    command.add_argument(
        "--rate", metavar="HZ", dest="rate_hz", type=float, help="frames to look at per second"
    )
    command.add_argument(
        "--captioner",
        metavar="NAME",
        help="who describes frames: classical, openai:MODEL or local:MODEL (a folder or hub name)",
    )
    command.add_argument(
        "--adapter",
        metavar="DIR",
        help="a LoRA adapter for a local:MODEL, from `tune train`",
    )
    command.add_argument(
        "--mode",
        metavar="MODE",
        help="what an image model is shown at a time: frame, grid4 (one picture) or clip4",
    )
    command.add_argument(
        "--subtitles",
        metavar="FILE",
        help="read what is said from this file (.srt, .vtt, .ass, .sbv); auto: subtitles beside or "
        "inside the video; off: none",
    )
    command.add_argument(
        "--speech",
        metavar="MODEL",
        help="hear what is said with a Whisper model: a folder, or a name that is on this disk",
    )
    command.add_argument(
        "--sight",
        metavar="MODEL",
        help="search the frames themselves by a joint image-text model: siglip2-base, "
        "clip-vit-b32, a folder, or off",
    )
    command.add_argument(
        "--screen",
        action="store_true",
        default=None,
        help="read text off the screen too, beside what an image model says (slow)",
    )
    command.add_argument(
        "--every-frame",
        action="store_true",
        default=None,
        help="have an image model also describe frames that look like the one before",
    )
    command.add_argument(
        "--max-usd",
        metavar="USD",
        type=float,
        help="spend no more than this on image and text models",
    )
    command.add_argument(
        "--max-captions", metavar="N", type=int, help="make no more captions than this in one run"
    )
    command.add_argument(
        "--max-minutes", metavar="MIN", type=float, help="describe for no longer than this"
    )
    command.add_argument(
        "--prompts",
        metavar="FOLDER",
        help="folder of prompts (NAME.md) to use in place of those of the same name in prompts/",
    )
    command.add_argument(
        "--trace", metavar="FILE.jsonl", help="write what happens here, for `whenabouts trace`"
    )
    command.add_argument(
        "--yes", action="store_true", help="fetch a missing model, or a link, without asking"
    )


def _json_option(command: argparse.ArgumentParser, what: str = "one JSON object") -> None:
    command.add_argument("--json", action="store_true", help=f"print {what} and no prose")
