"""Commands that start at once: no graph and no model is loaded for them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from agent.cli.printing import doing, say, show, stderr
from agent.settings import load_settings
from tools.terminal import put, put_json

DONE, FAILED = 0, 2


def run_light(args: argparse.Namespace) -> int:
    """Run the command that the parser chose; returns its exit code."""
    stderr.quiet = args.quiet
    return LIGHT[args.command](args)


def list_videos(args: argparse.Namespace) -> int:
    """``whenabouts list``."""
    from agent.cli.record_lines import record_json, render_records
    from agent.watching.indexed import Indexed
    from agent.watching.opened import open_parts

    settings = load_settings(args.env)
    with doing("reading what is indexed"), open_parts(settings) as opened:
        # How many captions there are is noted once there are all.
        records = [
            record
            if record.complete
            else replace(record, captions=opened.store.count(record.video_id, record.track))
            for record in Indexed(settings, opened, tell=say).records()
        ]
    if args.json:
        put_json(json.dumps([record_json(record) for record in records], indent=2))
    elif records:
        show(*render_records(records))
    else:
        say("nothing is indexed yet; try: whenabouts index VIDEO")
    return DONE


def forget_videos(args: argparse.Namespace) -> int:
    """``whenabouts forget``."""
    from agent.cli.forgetting import forget_videos as forget

    forget(args, show=show, say=say, doing=doing)
    return DONE


def repair_store(args: argparse.Namespace) -> int:
    """``whenabouts repair``."""
    from agent.cli.upkeep import repair

    repair(load_settings(args.env), show=show, say=say, doing=doing)
    return DONE


def run_doctor(args: argparse.Namespace) -> int:
    """``whenabouts doctor``: 0 when a video can be asked here, 2 when not."""
    from agent.cli.doctor import examine, render_findings

    with doing("looking at what this machine has"):
        findings = examine(args.env)
    if args.json:
        put_json(json.dumps(findings.as_dict(), indent=2))
    else:
        show(*render_findings(findings, with_all=args.all))
    return DONE if findings.ready else FAILED


def print_schema(_: argparse.Namespace) -> int:
    """``whenabouts schema``."""
    from agent.grounding import Grounding

    put_json(json.dumps(Grounding.model_json_schema(by_alias=True), indent=2))
    return DONE


def print_trace(args: argparse.Namespace) -> int:
    """``whenabouts trace``."""
    from agent.cli.trace_tree import render_trace

    show(render_trace(Path(args.file), prompts=args.prompts))
    return DONE


def print_completion(args: argparse.Namespace) -> int:
    """``whenabouts completion``."""
    from argcomplete.shell_integration import shellcode

    put(shellcode(["whenabouts"], shell=args.shell))
    return DONE


LIGHT: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "list": list_videos,
    "forget": forget_videos,
    "repair": repair_store,
    "doctor": run_doctor,
    "trace": print_trace,
    "schema": print_schema,
    "completion": print_completion,
}
