"""A disk that does not take what libraries write, told in our words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.conversations import TuningError

_TORCH = re.compile(r"PytorchStreamWriter|file write failed|unexpected pos|inline_container")
"""What torch says in a RuntimeError when a file cannot be written."""


@contextmanager
def writing(
    out: Path, kept: str = "checkpoints stay, and the same command goes on from the last one"
) -> Iterator[None]:
    """Around the writing of weights and checkpoints.

    Args:
        out: The folder that is written.
        kept: What becomes of what was done so far.

    Raises:
        TuningError: If the disk does not take it.
    """
    from safetensors import SafetensorError

    try:
        yield
    except OSError as exc:
        raise TuningError(f"{out} cannot be written ({exc.strerror or exc}); {kept}") from None
    except SafetensorError as exc:
        raise TuningError(f"{out} cannot be written ({exc}); {kept}") from None
    except RuntimeError as exc:
        if not _TORCH.search(str(exc)):
            raise
        line = str(exc).splitlines()[0][:200]
        raise TuningError(f"{out} cannot be written ({line}); {kept}") from None
