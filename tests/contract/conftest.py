"""What the contract tests share: tiny checkpoints, and a server over one of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import tiny_models
from tests.model_server import ModelServer, serve_checkpoint


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny checkpoints, by architecture. Read them, copy them, change nothing."""
    folder = tmp_path_factory.mktemp("checkpoints")
    saves: dict[str, Callable[[Path], Path]] = {
        "idefics3": tiny_models.save_idefics3,
        "llava": tiny_models.save_llava,
        "blip": tiny_models.save_blip,
    }
    return {name: save(folder / name) for name, save in saves.items()}


@pytest.fixture(scope="session")
def model_server(
    checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    """``transformers serve`` over the tiny Idefics3; tests that use it are slow."""
    with serve_checkpoint(checkpoints["idefics3"], tmp_path_factory.mktemp("serve")) as server:
        yield server
