"""What the fast tests cost: CPU-seconds by file, and the dearest tests. Asserts nothing.

    python benchmarks/fast_tests.py [--tests 20] [PYTEST ARGUMENTS]

`make check` runs these tests before every commit, so what they cost is paid hundreds of times.
Seconds are of user and system together, of this process and of those that it waited for; a fixture
that several tests share is counted for the first, and so is what the first test of a file imports.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def cpu_s() -> float:
    """CPU-seconds that this process and its finished children have used."""
    return sum(os.times()[:4])


class Meter:
    """Notes what each test costs: its fixtures, itself, and what tidies up after it."""

    def __init__(self) -> None:
        self.by_test: dict[str, float] = defaultdict(float)
        self.collected_s = 0.0

    def pytest_collection_finish(self) -> None:
        self.collected_s = cpu_s()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began_s = cpu_s()
        try:
            return (yield)
        finally:
            self.by_test[item.nodeid] += cpu_s() - began_s


def main() -> int:
    """Run the fast tests once, in this process, and print what they cost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tests", type=int, default=20, help="how many of the dearest to name")
    options, others = parser.parse_known_args()
    os.chdir(ROOT)
    meter = Meter()
    fast = ["-p", "no:xdist", "-m", "not slow", *others]
    code = pytest.main(fast, plugins=[meter])
    by_file: dict[str, float] = defaultdict(float)
    count: Counter[str] = Counter()
    for name, spent_s in meter.by_test.items():
        by_file[name.partition("::")[0]] += spent_s
        count[name.partition("::")[0]] += 1
    print(f"\nCPU-s  tests  file ({len(meter.by_test)} tests)")
    for name, spent_s in _dearest(by_file):
        print(f"{spent_s:5.2f}  {count[name]:5}  {name}")
    print("\nCPU-s  test")
    for name, spent_s in _dearest(meter.by_test)[: options.tests]:
        print(f"{spent_s:5.2f}  {name}")
    print(f"\n{meter.collected_s:.1f} CPU-s to collect, {cpu_s():.1f} in all")
    return int(code)


def _dearest(costs: dict[str, float]) -> list[tuple[str, float]]:
    return sorted(costs.items(), key=lambda cost: -cost[1])


if __name__ == "__main__":
    sys.exit(main())
