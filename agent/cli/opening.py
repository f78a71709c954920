"""A ``Grounder`` with the settings that a command's options name."""

import argparse
import re
import sys

from pydantic import SecretStr
from rich.filesize import decimal

from agent.api import Grounder
from agent.cli.printing import ask_person, say, stderr
from agent.errors import SettingsError
from agent.settings import load_settings
from agent.watching.choice import Confirm


def open_grounder(args: argparse.Namespace, *, asks: bool = True) -> Grounder:
    """Open one with the settings of a command line; without ``asks`` it only estimates.

    Raises:
        SettingsError: If a setting is not valid, named as the option that gave it.
    """
    given = {
        "rate_hz": args.rate_hz,
        "captioner": args.captioner,
        "adapter": args.adapter,
        "mode": args.mode,
        "every_frame": args.every_frame,
        "prompts": args.prompts,
        "trace": args.trace,
        "max_usd": args.max_usd,
        "max_captions": args.max_captions,
        "max_minutes": args.max_minutes,
        "subtitles": args.subtitles,
        "speech": args.speech,
        "sight": args.sight,
        "screen": args.screen,
        "refine": getattr(args, "refine", None),
        "strategy": getattr(args, "strategy", None),
        "reasoner": getattr(args, "reasoner", None),  # Indexing asks nobody.
        "strict": getattr(args, "strict", None),
        "verify": getattr(args, "verify", None),
        "direct": getattr(args, "direct", None),
        "every_path": getattr(args, "every_path", None),
    }
    try:
        settings = load_settings(args.env, **given)
    except SettingsError as exc:
        raise SettingsError(re.sub(r"\boption (\w+)", _as_typed, str(exc))) from None
    if args.adapter and not settings.captioner.startswith("local:"):
        raise SettingsError(
            f"--adapter {args.adapter} is for a model on this machine: name its base with "
            f"--captioner local:BASE, not {settings.captioner}"
        )
    is_without_key = not (settings.openai_api_key or settings.openai_base_url)
    if not asks and is_without_key and settings.captioner.startswith("openai:"):
        # The cost can be estimated before there is a key.
        settings = settings.model_copy(update={"openai_api_key": SecretStr("nobody-is-asked")})
    return Grounder(settings, tell=say, confirm=_agrees(yes=args.yes))


def _as_typed(setting: re.Match[str]) -> str:
    """``--max-usd`` for ``option max_usd``."""
    return "--" + setting[1].removesuffix("_hz").replace("_", "-")


def _agrees(*, yes: bool) -> Confirm:
    """Whether gigabytes may be fetched: by option, or by a person who is asked."""

    def confirm(what: str, size_bytes: int) -> bool:
        if yes or stderr.quiet or not (sys.stdin.isatty() and stderr.is_terminal):
            return yes
        size = decimal(size_bytes) if size_bytes else "of unknown size"
        question = f"{what}: {size} to fetch. Fetch it? [y/N] "
        return ask_person(question).strip().lower() in {"y", "yes"}

    return confirm
