"""``whenabouts setup``: says what would work best here, asks, does it, and tries it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from agent.errors import SettingsError
from agent.settings import Settings, load_settings
from agent.setup.plan import Plan, look_at_machine, make_plan
from agent.setup.servers import find_servers
from tools.terminal import put_json
from tools.waiting import Doing


def set_up(
    args: argparse.Namespace,
    *,
    show: Callable[[str], None],
    say: Callable[[str], None],
    doing: Doing,
    ask: Callable[[str], str],
) -> None:
    """Plan, and unless ``--plan`` is given, do it.

    Args:
        args: Of the command line.
        show: Receives each line that the user asked for.
        say: Receives what else the user should know.
        doing: Says what is done where that takes long.
        ask: Asks a person a question; returns the answer.

    Raises:
        SettingsError: If nobody can be asked, and ``--yes`` is not given.
        WhenaboutsError: If it cannot be done.
    """
    settings = load_settings(args.env)
    with doing("looking at this machine, and for model servers on it"):
        servers = find_servers(also=str(settings.openai_base_url or ""))
        plan = make_plan(settings, look_at_machine(settings.home), servers)
    file = Path(args.env) if args.env else settings.settings_file
    if not args.json:
        for line in plan.lines():
            show(line)
    saw, heard = "", ""
    if args.speech and not plan.speech:
        raise SettingsError("speech needs the extra: pip install 'whenabouts[speech]'")
    if not args.plan and plan.writes:
        if not args.yes:
            if args.json or not sys.stdin.isatty():
                raise SettingsError("nobody can be asked here; --yes agrees, --plan only looks")
            if ask("Do it? [y/N] ").strip().lower() not in {"y", "yes"}:
                show("nothing was changed")
                return
        from agent.setup.carry_out import carry_out

        say("setting it up, and trying it on one picture")
        # Its size was just shown, and agreed to.
        saw = carry_out(plan, file, settings=settings, confirm=lambda _name, _bytes: True)
        if not args.json:
            show(saw)
            show(f"written to {file}")
    if not args.plan and plan.speech and _wants_speech(args, plan, settings, ask):
        from agent.setup.carry_out import listen

        fetched = f"fetching Whisper {plan.speech} ({plan.speech_mb} MB)"
        say(f"{fetched if plan.speech_mb else 'opening Whisper'}, and trying it on one second")
        heard = listen(plan, file)
        if not args.json:
            show(heard)
    if args.json:
        told = {"file": str(file), "tried": saw, "heard": heard}
        put_json(json.dumps(plan.as_dict() | told, indent=2))


def _wants_speech(
    args: argparse.Namespace, plan: Plan, settings: Settings, ask: Callable[[str], str]
) -> bool:
    """Whether speech is to be heard too: it takes minutes of every video that is indexed."""
    if args.speech or settings.speech or args.yes or args.json or not sys.stdin.isatty():
        return bool(args.speech)
    fetch = f", {plan.speech_mb} MB to fetch" if plan.speech_mb else ""
    question = f"Hear what is said too, by Whisper {plan.speech}{fetch}? [y/N] "
    return ask(question).strip().lower() in {"y", "yes"}
