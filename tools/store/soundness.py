"""Whether a store is sound, found out by a process of its own: ``python -m tools.store.soundness``.

Chroma reads a damaged vector file as if it were whole, and may end its process by that.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from tools.errors import StoreError
from tools.store.isolation import open_client
from tools.store.store_failures import damage, trouble_around
from tools.terminal import complain

BATCH = 256
SOUND, DAMAGED, UNKNOWN = 0, 65, 66
SIGNALLED = 128
"""Exit codes from here on, and negative ones, are of a process that the system ended."""


def is_sound(folder: Path) -> bool:
    """Whether the database passes its check and every item has its vector.

    Raises:
        StoreError: If it could not be checked.
    """
    if damage(folder):
        return False
    done = subprocess.run(
        [sys.executable, "-m", __name__, str(folder.absolute())],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode == SOUND:
        return True
    if done.returncode == DAMAGED or not 0 <= done.returncode < SIGNALLED:
        return False
    said = done.stderr.strip().rpartition("\n")[2]
    raise StoreError(f"the caption store in {folder} could not be checked: {said}")


def _are_vectors_sound(folder: Path) -> bool:
    client = open_client(folder)
    try:
        for collection in client.list_collections():
            ids = collection.get(include=[])["ids"]
            for first in range(0, len(ids), BATCH):
                batch = ids[first : first + BATCH]
                vectors = collection.get(ids=batch, include=["embeddings"])["embeddings"]
                if vectors is None or len(vectors) != len(batch):
                    return False
            if ids:
                width = (collection.metadata or {}).get("dimension", 1)
                collection.query(query_embeddings=np.ones((1, width), np.float32), n_results=1)
    finally:
        client.close()
    return True


def main() -> int:
    """Check the folder that is named; the exit code tells."""
    try:
        return SOUND if _are_vectors_sound(Path(sys.argv[1])) else DAMAGED
    except Exception as exc:  # noqa: BLE001  # it is damaged in whatever way
        if trouble := trouble_around(Path(sys.argv[1]), exc, what="it"):
            # A full disk, or the like: that says nothing of what is stored.
            complain(str(trouble))
            return UNKNOWN
        return DAMAGED
    except BaseException as exc:
        if type(exc).__name__ == "PanicException":
            return DAMAGED
        raise


if __name__ == "__main__":
    sys.exit(main())
