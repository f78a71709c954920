"""Questions over HTTP, all at once: python benchmarks/serve.py [--questions 200].

Serves the lobby of `examples/` on a free port, in a process of its own and a store of its own, and
asks it without a text model. Prints errors, the median, 95th percentile and longest time, and what
the server's CPU did for each: on a busy machine, that is what can be compared.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

LOBBY = Path(__file__).resolve().parents[1] / "examples" / "lobby"
QUERY = "a blonde with very long hair comes to the table"
QUERIES = [
    f"a {who} with {what} comes to the {where}"
    for who in ("blonde", "woman", "man", "guest", "waiter", "girl", "boy", "child")
    for what in ("curls", "a hat", "a bag", "glasses", "a coat", "a phone")
    for where in ("table", "desk", "door", "sofa", "window", "stairs", "bar")
]
"""All different: what was asked before costs less."""
CLI = [sys.executable, "-m", "agent.cli"]


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=200)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"WHENABOUTS_HOME": home}
        first = [*CLI, "ask", str(LOBBY / "lobby.mp4"), QUERY]
        subprocess.run(
            [*first, "--captions", str(LOBBY / "lobby.jsonl")],
            env=environment,
            check=True,
            capture_output=True,
        )
        serving = subprocess.Popen(
            [*CLI, "serve", str(LOBBY), "--port", "0"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert serving.stderr is not None
        try:
            url = next(word for word in serving.stderr.readline().split() if "://" in word)
            measure(f"{url}api/v1", asked.questions, serving.pid)
        finally:
            serving.terminate()
            serving.wait()


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used; 0 where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(api: str, questions: int, pid: int) -> None:
    """Ask once, then all at once."""
    limits = httpx.Limits(max_connections=questions)
    with httpx.Client(timeout=300, limits=limits, trust_env=False) as client:
        (video,) = client.get(f"{api}/videos").json()

        def ask(number: int) -> tuple[float, int]:
            body = {"query": QUERIES[number % len(QUERIES)] if number else QUERY}
            began = time.perf_counter()
            told = client.post(f"{api}/videos/{video['id']}/ask", json=body)
            return time.perf_counter() - began, told.status_code

        ask(0)
        alone = [ask(0)[0] for _ in range(10)]
        used_s = cpu_s(pid)
        with ThreadPoolExecutor(questions) as threads:
            answers = list(threads.map(ask, range(questions)))
        used_s = cpu_s(pid) - used_s
    took = sorted(seconds for seconds, _ in answers)
    errors = sum(status != 200 for _, status in answers)
    print(f"alone: median {statistics.median(alone) * 1000:.0f} ms")
    print(
        f"{questions} at once: {errors} errors, median {statistics.median(took):.2f} s, "
        f"p95 {took[int(0.95 * (len(took) - 1))]:.2f} s, longest {took[-1]:.2f} s; "
        f"{used_s / questions * 1000:.0f} ms of the server's CPU each"
    )


if __name__ == "__main__":
    main()
