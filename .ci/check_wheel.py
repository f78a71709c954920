"""Holds a built wheel to what it must carry: ``python .ci/check_wheel.py WHEEL``."""

import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("agent", "evaluation", "prompts", "tools", "training")
# Code, prompts, the experiments' recipes, the report, the page, and the embedder's vocabulary: no
# data, photographs or weights.
SUFFIXES = (".py", ".typed", ".md", ".yaml", ".html", ".css", ".js", ".svg", ".txt")


def find_faults(wheel: Path) -> list[str]:
    """What is wrong with the wheel, a sentence each; empty when it is as it should be."""
    dist_info = "-".join(wheel.name.split("-")[:2]) + ".dist-info"
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
        entry_points = archive.read(f"{dist_info}/entry_points.txt").decode()

    faults = []
    top_level = {name.split("/")[0] for name in names}
    if top_level != {*PACKAGES, dist_info}:
        faults.append(f"its top-level names are {sorted(top_level)}")
    if "whenabouts = agent.cli.main:run" not in entry_points:
        faults.append(f"its entry points are {entry_points!r}")
    if f"{dist_info}/licenses/LICENSE" not in names:
        faults.append("the licence is missing")

    packed = {name for name in names if not name.startswith(dist_info)}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    faults += [f"{name} is missing" for name in sorted(wanted - packed)]
    faults += [f"{name} is not of the packages" for name in sorted(packed - wanted)]
    faults += [
        f"{name} is not of a kind that is packed ({' '.join(SUFFIXES)})"
        for name in sorted(packed)
        if not name.endswith(SUFFIXES)
    ]
    return faults


if __name__ == "__main__":
    (argument,) = sys.argv[1:]
    if found := find_faults(Path(argument)):
        sys.exit(f"{argument}: " + "; ".join(found))
    print(f"{Path(argument).name} carries {', '.join(PACKAGES)}, the command and the licence")  # noqa: T201 - a script says what it saw
