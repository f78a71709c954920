"""``whenabouts chat`` at a terminal, or through a pipe: lines in, answers out."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from agent.chat.follow_up import ChatError, FollowUpError
from agent.chat.grammar import understood_forms
from agent.chat.session import ChatEvent, ChatSession, Understood
from agent.chat.turns import ChatAnswer, ReadCaption, TurnRefusal, VideoResult
from agent.cli.printing import doing, print_to
from agent.cli.rendering import look_up_line, render_answer
from agent.ending import was_asked_to_end
from agent.errors import QueryError, WhenaboutsError
from agent.grounding import Grounding, Refusal
from tools.clock import clock
from tools.indexing.indexer import Progress, Report
from tools.llm.retries import Retry
from tools.private_files import make_private_file, make_private_folder
from tools.terminal import open_console, put_json
from tools.text import in_one_row, one_line, printable

if TYPE_CHECKING:
    from agent.api import Grounder

DONE, FAILED = 0, 2

HISTORY_FILE = "chat_history"

SHOWN_CAPTIONS = 16

COMMANDS = """\
/videos        the videos of this chat
/video NAME    ask another video from now on; a new file joins the chat
/clip [FILE]   cut the last answer's interval out into a file
/json [N]      the last answer, or that of turn N, as JSON
/trace [N]     how that answer was found
/quit          leave (so does Ctrl-D); Ctrl-C only cancels a question
A question goes to the current video, or to others: "… in lobby.mp4", "… in all"."""

ReadLine = Callable[[str], str]
"""Shows a prompt and returns a line. Raises ``EOFError`` at the end."""


def run_chat(
    args: argparse.Namespace,
    grounder: Grounder,
    *,
    progress: Callable[[], AbstractContextManager[Report]],
) -> int:
    """Talk until the user leaves; returns the exit code.

    Args:
        args: What ``agent.cli.main`` accepts, with ``captions`` and ``json``.
        grounder: Finds.
        progress: Opens a bar for videos that are being described.

    Raises:
        QueryError: If no video is named and the thread knows none either.
    """
    stderr = open_console("stderr")
    if args.captions and len(args.videos) > 1:
        raise QueryError(
            f"--captions {args.captions} describes one video, but {len(args.videos)} were given"
        )
    # What is told while it opens; where it does not open, only the last of it matters.
    early: list[str] = []
    is_open = False

    def tell(line: str) -> None:
        if is_open:
            print_to(stderr, Text(in_one_row(line)))
        else:
            early.append(line)

    # A clock that is set back shows the same time twice: that must not go on with another chat.
    now, once = datetime.now().astimezone(), secrets.token_hex(2)
    thread = args.thread or f"chat-{now:%Y%m%d-%H%M%S}-{once}"
    with ChatSession(
        grounder,
        thread=thread,
        videos=args.videos,
        captions=args.captions,
        tell=tell,
    ) as session:
        if not session.videos and args.videos and early:
            raise QueryError(early[-1])
        is_open = True
        for line in early:
            tell(line)
        if not session.videos:
            new = f"“{args.thread}” is a new chat, and " if args.thread else ""
            raise QueryError(
                f"{new}there is no video to talk about; name one: whenabouts chat VIDEO"
                + _known_threads(session)
            )
        terminal = Terminal(session, progress=progress, as_json=args.json)
        terminal.greet(is_named=bool(args.thread))
        lines = _Lines(
            grounder.settings.home / HISTORY_FILE, stderr if args.json else open_console()
        )
        terminal.talk(lines.read)
        terminal.part()
    return DONE


class Terminal:
    """Reads lines, and prints the answers.

    Args:
        session: The conversation.
        progress: Opens a bar for videos that are being described.
        as_json: One line of JSON a turn on stdout, and everything else on stderr.
    """

    def __init__(
        self,
        session: ChatSession,
        *,
        progress: Callable[[], AbstractContextManager[Report]],
        as_json: bool,
    ) -> None:
        self._session = session
        self._progress = progress
        self._as_json = as_json
        self._stdout = open_console()
        self._stderr = open_console("stderr")

    def greet(self, *, is_named: bool) -> None:
        """Say which conversation this is, and where it stands."""
        session = self._session
        if session.turns:
            last = session.turns[-1]
            count = f"{len(session.turns)} turn{'s' if len(session.turns) > 1 else ''} remembered"
            said = f"“{last.said}” → {last.result.words}"
            self._say(f"“{session.thread}”, {count}; the last: {said}")
        elif is_named:
            self._say(f"“{session.thread}” is a new chat{_known_threads(session)}")
        names = ", ".join(Path(path).name for path in session.videos)
        self._say(f"talking about {names}; /help shows what you can type")

    def part(self) -> None:
        """Say how to go on."""
        if self._session.is_remembered and self._session.turns:
            self._say(f"to go on: whenabouts chat --thread {self._session.thread}")

    def talk(self, read_line: ReadLine) -> None:
        """Answer line after line, until the input ends or a line says to stop."""
        while True:
            try:
                name = in_one_row(printable(Path(self._session.current).name))
                line = read_line(f"{name}> ").strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                if was_asked_to_end():
                    raise
                self._say("(Ctrl-D or /quit leaves)")
                continue
            if line in {"/quit", "/exit", "/q"}:
                return
            try:
                if line.startswith("/"):
                    self._command(line)
                elif line:
                    self._answer(line)
            except WhenaboutsError as exc:
                self._refuse(line, exc)
            except KeyboardInterrupt:
                if was_asked_to_end():
                    raise
                self._say("cancelled; what was described so far is kept")

    def _answer(self, line: str) -> None:
        with doing("looking for the answer"), self._progress() as report:
            answer = self._session.ask(line, on_event=lambda event: self._tell(event, report))
        if self._as_json:
            put_json(answer.to_json())
        else:
            print_to(self._stdout, *render_turn(answer))

    def _tell(self, event: ChatEvent, report: Report) -> None:
        if isinstance(event, Progress):
            report(event)
        elif isinstance(event, Understood):
            if not event.is_plain and not self._as_json:
                print_to(self._stdout, Text(f"understood: {event.words}", style="dim"))
        elif isinstance(event, TurnRefusal):
            self._say(f"reading {event.attempt} was refused ({event.kind}): {event.message}")
        elif isinstance(event, Refusal):
            self._say(f"reply {event.attempt} was refused ({event.kind}): {event.message}")
        elif isinstance(event, Retry):
            self._say(event.line)
        else:
            self._say(look_up_line(event))

    def _command(self, line: str) -> None:
        name, _, argument = line.partition(" ")
        argument = argument.strip()
        commands: dict[str, Callable[[str], None]] = {
            "/help": self._help,
            "/videos": self._list_videos,
            "/video": self._switch,
            "/clip": self._clip,
            "/json": self._print_json,
            "/trace": self._trace,
        }
        if name not in commands:
            raise ChatError(f"there is no command {name}; /help lists the commands")
        commands[name](argument)

    def _help(self, _: str) -> None:
        self._show(COMMANDS, "", understood_forms())

    def _list_videos(self, _: str) -> None:
        for path in self._session.videos:
            gone = "" if Path(path).exists() else "  (the file is gone)"
            mark = "*" if path == self._session.current else " "
            self._show(in_one_row(f"{mark} {path}{gone}"))

    def _switch(self, name: str) -> None:
        if not name:
            raise ChatError("which video? type /video NAME; /videos lists the videos of this chat")
        self._show(in_one_row(f"asking {self._session.add_video(name)} from now on"))

    def _clip(self, name: str) -> None:
        written = self._session.cut_last(Path(name) if name else None)
        self._show(in_one_row(f"written to {written}"))

    def _print_json(self, number: str) -> None:
        put_json(self._answer_of(number).model_dump_json(by_alias=True, indent=2))

    def _trace(self, number: str) -> None:
        answer = self._answer_of(number)
        is_recalled = answer.turn <= self._session.recalled
        self._show(*trace_lines(answer, is_recalled=is_recalled))

    def _answer_of(self, number: str) -> ChatAnswer:
        """The answer of a turn by its number, or the last one."""
        turns = self._session.turns
        if not number and not turns:
            raise ChatError("no question has been answered yet")
        wanted = number or str(turns[-1].turn)
        found = next((turn for turn in turns if str(turn.turn) == wanted), None)
        if found is None:
            known = f"turns {turns[0].turn} to {turns[-1].turn}" if turns else "none yet"
            raise ChatError(f"there is no turn {number} to show; the chat has {known}")
        return found

    def _refuse(self, line: str, exc: WhenaboutsError) -> None:
        if self._as_json and not line.startswith("/"):
            put_json(json.dumps({"said": line, "error": str(exc)}))
        elif isinstance(exc, FollowUpError):
            print_to(self._stderr, Text(str(exc)))  # Two lines, and no name in them.
        else:
            self._say(str(exc))

    def _say(self, line: str) -> None:
        """Print a line that is not an answer: never on stdout."""
        print_to(self._stderr, Text(in_one_row(line)))

    def _show(self, *lines: str) -> None:
        print_to(self._stderr if self._as_json else self._stdout, *map(Text, lines))


class _Lines:
    """Lines from a terminal, with editing and history, or from a pipe, echoed.

    Args:
        history: File that keeps what was typed.
        console: Where lines from a pipe are shown.
    """

    def __init__(self, history: Path, console: Console) -> None:
        self._console = console
        self._read: ReadLine = self._echo
        if sys.stdin.isatty() and sys.stdout.isatty():
            from prompt_toolkit import PromptSession
            from prompt_toolkit.completion import NestedCompleter, PathCompleter
            from prompt_toolkit.history import FileHistory

            make_private_folder(history.parent)
            make_private_file(history)
            files = {"/clip", "/video"}
            names = [line.split()[0] for line in COMMANDS.splitlines() if line[0] == "/"]
            after = {name: PathCompleter() if name in files else None for name in names}
            prompt: PromptSession[str] = PromptSession(
                history=FileHistory(str(history)),
                completer=NestedCompleter.from_nested_dict(after),
                complete_while_typing=False,
            )
            self._read = prompt.prompt

    def read(self, prompt: str) -> str:
        """The next line. Raises ``EOFError`` at the end."""
        return self._read(prompt)

    def _echo(self, prompt: str) -> str:
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        # A line from a pipe was not typed, so it is shown: the transcript stays readable.
        print_to(self._console, Text(f"{prompt}{line.rstrip()}"))
        return line


def render_turn(answer: ChatAnswer) -> list[RenderableType]:
    """An answer, video by video."""
    parts: list[RenderableType] = []
    for result in answer.results:
        if len(answer.results) > 1 and result.video:
            name = in_one_row(Path(result.video.path).name)
            parts.append(Text(name, style="bold"))
        parts += _render_result(answer, result)
    return parts


def _render_result(answer: ChatAnswer, result: VideoResult) -> list[RenderableType]:
    if result.grounding and answer.follow_up.is_plain:
        return render_answer(_in_time_order(result.grounding))
    parts: list[RenderableType] = [Text(one_line(result.words), style="bold")]
    shown = thin_out(result.captions)
    if shown:
        parts.append(_captions([(one.start_s, one.text) for one in shown]))
    hidden = len(result.captions) - len(shown)
    if hidden:
        captions = "1 caption" if hidden == 1 else f"{hidden} captions"
        parts.append(Text(f"  … {captions} between these (/json has them all)", style="dim"))
    begins = [(one.start_s, one.shows) for one in result.intervals if one.shows]
    if begins and not shown:
        parts.append(_captions(begins))
    if result.grounding and result.grounding.advice:
        parts.append(Text(result.grounding.advice, style="cyan"))
    return parts


def thin_out(read: Sequence[ReadCaption], limit: int = SHOWN_CAPTIONS) -> list[ReadCaption]:
    """At most ``limit``, evenly spread, with the first and the last among them."""
    if len(read) <= limit:
        return list(read)
    step = (len(read) - 1) / (limit - 1)
    return [read[round(place * step)] for place in range(limit)]


def _in_time_order(grounding: Grounding) -> Grounding:
    """So that "the second one" is the second on the screen, too."""
    ordered = tuple(sorted(grounding.intervals, key=lambda interval: interval.start_s))
    return grounding.model_copy(update={"intervals": ordered})


def _captions(said: Sequence[tuple[float, str]]) -> RenderableType:
    """Texts, each beside the time at which it begins."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(justify="right", min_width=10)
    table.add_column()
    for start_s, text in said:
        table.add_row(clock(start_s), Text(one_line(text)))
    return table


def trace_lines(answer: ChatAnswer, *, is_recalled: bool = False) -> list[str]:
    """How an answer was found, step by step; for a recalled one, only how the turn was read."""
    lines = [f"turn {answer.turn}: “{answer.said}”"]
    lines += [
        in_one_row(line)
        for one in answer.refusals
        for line in (
            f"  reading {one.attempt} refused ({one.kind}): {one.message}",
            f"    it said: {one.reply}",
        )
    ]
    lines.append(f"  understood by {answer.by}: {answer.understood}")
    lines.append(f"  {answer.follow_up.model_dump_json(exclude_defaults=True)}")
    spent = ", ".join(f"{node} {spent_s:.2f} s" for node, spent_s in answer.seconds.items())
    tokens = answer.usage.tokens_in + answer.usage.tokens_out
    lines.append(f"  {spent}{f'; {tokens:,} tokens to read the turn' if tokens else ''}")
    for result in answer.results:
        grounding = result.grounding
        if grounding is None:
            lines.append(
                "  from an earlier session: who was asked what is not remembered"
                if is_recalled
                else "  nobody was asked: from earlier answers, captions, or named times"
            )
            continue
        lines.append(
            f"  asked “{in_one_row(grounding.query)}” in "
            f"{in_one_row(Path(grounding.video.path).name)}: {grounding.verdict}, "
            f"by {grounding.models.reasoner} ({grounding.by}), "
            f"{grounding.attempts} attempt{'s' * (grounding.attempts > 1)}"
        )
        lines += [in_one_row(f"    {look_up_line(one)}") for one in grounding.look_ups]
        lines += [
            in_one_row(f"    reply {one.attempt} refused: {one.message}")
            for one in grounding.refusals
        ]
        nodes = grounding.usage.seconds.items()
        lines.append("    " + ", ".join(f"{node} {spent_s:.2f} s" for node, spent_s in nodes))
    return lines


def _known_threads(session: ChatSession) -> str:
    known = [name for name in session.known_threads if name != session.thread][:8]
    return f"; remembered chats: {', '.join(known)}" if known else ""
