"""The forms that answers can be taken away in, and writing them to files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from agent.errors import QueryError
from agent.grounding import Grounding
from tools.known_secrets import KNOWN
from tools.output_files import check_place, write_whole
from tools.terminal import put_file
from tools.text import printable_json

Form = Literal["edl", "fcpxml", "csv", "vtt", "chapters", "json"]
FORMS: Final[tuple[Form, ...]] = get_args(Form)

OF_ONE_VIDEO: Final[frozenset[Form]] = frozenset({"vtt", "chapters"})
"""Forms that belong to the clock of one video."""

_WHAT, _OPTION = "answers", "--export"

STANDARD_OUTPUT: Final = Path("-")


@dataclass(frozen=True, slots=True)
class Export:
    """A file that is wanted.

    Attributes:
        form: In which form.
        out: Where to; ``-`` is standard output.
        overwrite: Whether a file that is there is replaced.
    """

    form: Form
    out: Path
    overwrite: bool = False

    @property
    def is_printed(self) -> bool:
        """Whether it goes to standard output."""
        return self.out == STANDARD_OUTPUT

    def check(self) -> None:
        """Refuse a place where it cannot be written, before any work is done for it.

        Raises:
            VideoError: As ``tools.output_files.check_place``.
        """
        if self.is_printed:
            return
        check_place(self.out, what=_WHAT, option=_OPTION, overwrite=self.overwrite)


def parse_export(form: str, out: str, *, overwrite: bool) -> Export:
    """The export that two words ask for.

    Raises:
        QueryError: If there is no such form.
    """
    known = next((one for one in FORMS if one == form), None)
    if known is None:
        raise QueryError(f"--export {form}: there is no such form; take one of {', '.join(FORMS)}")
    return Export(known, Path(out), overwrite)


def write_export(
    export: Export, answers: Sequence[Grounding], whole_json: str, *, start_timecode: str
) -> tuple[str, ...]:
    """Write answers, of which at least one found something, unless the form is ``json``.

    Args:
        export: What, and where to.
        answers: Best first.
        whole_json: What ``ask --json`` prints for them.
        start_timecode: Of the timeline's first frame.

    Returns:
        What a reader should know of the times in it, a line each.

    Raises:
        QueryError: If the form cannot hold them.
        VideoError: If a video is gone, or the file cannot be written.
    """
    text, notes = render_export(export.form, answers, whole_json, start_timecode)
    text = KNOWN.hide_in(text)
    if export.is_printed:
        put_file(text)
        return notes

    def fill(part: Path) -> None:
        part.write_text(text, encoding="utf-8", newline="")

    write_whole(export.out, fill, what=_WHAT, option=_OPTION, overwrite=export.overwrite)
    return notes


def render_export(
    form: Form, answers: Sequence[Grounding], whole_json: str, start_timecode: str
) -> tuple[str, tuple[str, ...]]:
    """The text of an export, and what a reader should know of the times in it.

    Raises:
        QueryError: If the form cannot hold the answers.
        VideoError: If a video is gone.
    """
    if form == "json":
        return printable_json(whole_json) + "\n", ()
    if form in OF_ONE_VIDEO:
        from agent.exports.cues import render_chapters, render_vtt

        return (render_vtt if form == "vtt" else render_chapters)(answers[0]), ()
    from agent.exports.edl import render_edl
    from agent.exports.fcpxml import render_fcpxml
    from agent.exports.markers import mark
    from agent.exports.table import render_csv

    marked = mark(answers, start_timecode=start_timecode)
    title = answers[0].query
    if form == "csv":
        return render_csv(answers, marked), marked.notes
    return (render_edl if form == "edl" else render_fcpxml)(marked, title), marked.notes
