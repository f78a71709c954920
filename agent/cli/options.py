"""Options that several commands share."""

import argparse

from agent.cli.help_texts import EXIT_CODES
from tools.terminal import Parser


def add_command(
    commands: "argparse._SubParsersAction[Parser]",
    name: str,
    does: str,
    examples: str = "",
) -> argparse.ArgumentParser:
    """A command, with what every command takes and the exit codes below its help."""
    command = commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=examples + ("\n" if examples else "") + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(parser=command)
    command.add_argument(
        "--env", metavar="FILE", help="read settings from this file, not from .env in the home"
    )
    command.add_argument(
        "--quiet", action="store_true", help="print only the answer, and what went wrong"
    )
    return command


def add_reasoner_option(command: argparse.ArgumentParser) -> None:
    """Who decides."""
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


def add_watching_options(command: argparse.ArgumentParser, *, captions: bool = True) -> None:
    """How a video is described; with ``captions``, also from a file of them."""
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
        help="who describes frames: classical, openai:MODEL, local:MODEL (a folder or hub name), "
        "or none (nobody, for models that see the frames themselves)",
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
        "--max-minutes",
        metavar="MIN",
        type=float,
        help="take no longer than this for a run or a turn",
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


def add_json_option(command: argparse.ArgumentParser, what: str = "one JSON object") -> None:
    """Output for programs."""
    command.add_argument("--json", action="store_true", help=f"print {what} and no prose")
