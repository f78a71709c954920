"""Frames as a joint model wants them: its size, its range of numbers, all of the picture.

As transformers prepares them, with one exception: a model that was shown the middle of a picture is
shown the whole, made square. A video is wide, and what happens happens at its sides too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import SightError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tools.timeline import Image

INSTALL = "pip install 'whenabouts[see]'"

BICUBIC = 3
"""Pillow's number, which is what transformers writes; the usual one."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """How pictures become numbers.

    Attributes:
        height_px: Height that the model wants.
        width_px: Width that it wants.
        resample: Pillow's number of a filter.
        scale: Shape ``(3,)``, what each colour of 0 to 255 is multiplied with.
        shift: Shape ``(3,)``, what is added after that.
    """

    height_px: int
    width_px: int
    resample: int
    scale: NDArray[np.float32]
    shift: NDArray[np.float32]

    @classmethod
    def read(cls, plain: dict[str, Any]) -> Preparation:
        """Read ``preprocessor_config.json``.

        Raises:
            SightError: If it says no size, or if Pillow, which resizes, is not installed.
        """
        if find_spec("PIL") is None:
            raise SightError(f"a model that looks at frames needs Pillow: {INSTALL}")
        crop = plain.get("crop_size") if plain.get("do_center_crop") else None
        height_px, width_px = _size(crop or plain.get("size"))
        mean, std = (np.zeros(3), np.ones(3))
        if plain.get("do_normalize", True):
            mean = np.asarray(plain.get("image_mean", mean), np.float64)
            std = np.asarray(plain.get("image_std", std), np.float64)
        factor = plain.get("rescale_factor", 1 / 255) if plain.get("do_rescale", True) else 1.0
        return cls(
            height_px,
            width_px,
            int(plain.get("resample", BICUBIC)),
            (factor / std).astype(np.float32),
            (-mean / std).astype(np.float32),
        )

    def prepare(self, images: Sequence[Image]) -> NDArray[np.float32]:
        """Pictures of any size as one array, shape ``(n, 3, height_px, width_px)``."""
        from PIL import Image as Pillow

        prepared = np.empty((len(images), 3, self.height_px, self.width_px), np.float32)
        for row, image in zip(prepared, images, strict=True):
            resized = Pillow.fromarray(np.ascontiguousarray(image)).resize(
                (self.width_px, self.height_px), Pillow.Resampling(self.resample)
            )
            np.multiply(np.asarray(resized).transpose(2, 0, 1), self.scale[:, None, None], out=row)
        prepared += self.shift[:, None, None]
        return prepared


def _size(plain: Any) -> tuple[int, int]:
    if isinstance(plain, int):
        return plain, plain
    if isinstance(plain, dict):
        if side := plain.get("shortest_edge"):
            return int(side), int(side)
        if plain.get("height") and plain.get("width"):
            return int(plain["height"]), int(plain["width"])
    raise SightError(
        f"preprocessor_config.json says no size of pictures, but {plain!r}; fetch the model again, "
        "or use another one"
    )
