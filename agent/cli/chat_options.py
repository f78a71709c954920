"""What ``whenabouts chat`` accepts: apart from the chat itself, so that help answers at once."""

import argparse

CHAT_EXAMPLES = """\
examples:
  whenabouts chat lobby.mp4
  whenabouts chat lobby.mp4 yard.mp4 --thread break-in
  whenabouts chat --thread break-in            # goes on tomorrow where it ended
  whenabouts chat lobby.mp4 --json < turns.txt

inside: a question, a follow-up ("and after that?", "the second time", "cut that out"), or /help
"""


def add_chat_options(command: argparse.ArgumentParser) -> None:
    """The arguments of ``whenabouts chat``, beside those of describing and reasoning."""
    command.add_argument(
        "videos",
        metavar="VIDEO",
        nargs="*",
        help="video files, or ids of indexed videos; none: those of the thread",
    )
    command.add_argument(
        "--thread", metavar="NAME", help="name of the conversation; one of before goes on"
    )
