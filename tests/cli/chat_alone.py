"""A chat in a process of its own, which a test may kill; as ``whenabouts chat`` begins one."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from agent.api import Grounder, load_settings
from agent.chat.options import add_chat_options
from agent.chat.terminal import run_chat
from agent.errors import WhenaboutsError
from tools.indexer import Report


@contextmanager
def no_bar() -> Iterator[Report]:
    yield lambda _: None


def main() -> int:
    parser = argparse.ArgumentParser()
    add_chat_options(parser)
    parser.add_argument("--captions")
    parser.add_argument("--reasoner")
    parser.add_argument("--captioner")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    settings = load_settings(reasoner=args.reasoner, captioner=args.captioner)
    try:
        with Grounder(settings) as grounder:
            return run_chat(args, grounder, progress=no_bar)
    except WhenaboutsError as exc:
        sys.stderr.write(f"whenabouts: {exc}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
