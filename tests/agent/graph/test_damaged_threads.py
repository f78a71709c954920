"""A file of threads may be damaged anywhere, and is then no fault of ours."""

import random
from pathlib import Path
from typing import Any

from langgraph.checkpoint.base import empty_checkpoint

from agent.graph.thread_files import ThreadsError
from agent.graph.threads import open_threads


def test_damage_anywhere_in_the_file_of_threads_is_told_as_that(tmp_path: Path) -> None:
    path = tmp_path / "threads.sqlite"
    with open_threads(path) as saver:
        for number in range(4):
            config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
            checkpoint = empty_checkpoint() | {"channel_values": {"a": "b" * 2000}}
            saver.put(config, checkpoint, {"step": number}, {})
    whole = path.read_bytes()
    outcomes = set()
    for seed in range(40):
        chance = random.Random(seed)
        damaged = bytearray(whole)
        for _ in range(300):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            with open_threads(path) as saver:
                list(saver.list(config))
                saver.get_tuple(config)
                saver.delete_thread("t")
        except ThreadsError as exc:
            outcomes.add(str(path) in str(exc))
    assert outcomes == {True}
