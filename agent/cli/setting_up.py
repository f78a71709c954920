"""``whenabouts setup``: says what would work best here, asks, does it, and tries it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from agent.errors import SettingsError
from agent.settings import load_settings
from agent.setup.plan import look_at_machine, make_plan
from agent.setup.servers import find_servers
from tools.terminal import put_json


def set_up(
    args: argparse.Namespace, *, show: Callable[[str], None], ask: Callable[[str], str]
) -> None:
    """Plan, and unless ``--plan`` is given, do it.

    Args:
        args: Of the command line.
        show: Receives each line for the user.
        ask: Asks a person a question; returns the answer.

    Raises:
        SettingsError: If nobody can be asked, and ``--yes`` is not given.
        WhenaboutsError: If it cannot be done.
    """
    settings = load_settings(args.env)
    plan = make_plan(settings, look_at_machine(settings.home), find_servers())
    file = Path(args.env) if args.env else settings.settings_file
    if not args.json:
        for line in plan.lines():
            show(line)
    saw = ""
    if not args.plan and plan.writes:
        if not args.yes:
            if args.json or not sys.stdin.isatty():
                raise SettingsError("nobody can be asked here; --yes agrees, --plan only looks")
            if ask("Do it? [y/N] ").strip().lower() not in {"y", "yes"}:
                show("nothing was changed")
                return
        from agent.setup.carry_out import carry_out

        # Its size was just shown, and agreed to.
        saw = carry_out(plan, file, confirm=lambda _name, _bytes: True)
        if not args.json:
            show(saw)
            show(f"written to {file}")
    if args.json:
        put_json(json.dumps(plan.as_dict() | {"file": str(file), "tried": saw}, indent=2))
