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

RESAMPLES = range(6)
"""All of Pillow's numbers."""

MOST_SIDE_PX = 2048
"""Four times as much as any joint model looks at."""

UNUSABLE = "preprocessor_config.json does not say how pictures are prepared"
INSTEAD = "fetch the model again, or use another one"


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
        try:
            height_px, width_px = _size(crop or plain.get("size"))
            mean, std = np.zeros(3), np.ones(3)
            if plain.get("do_normalize", True):
                mean, std = (
                    np.broadcast_to(np.asarray(plain.get(name, usual), np.float64), 3)
                    for name, usual in (("image_mean", mean), ("image_std", std))
                )
            factor = 1.0
            if plain.get("do_rescale", True):
                factor = float(plain.get("rescale_factor", 1 / 255))
            with np.errstate(divide="ignore", invalid="ignore"):
                scale, shift = factor / std, -mean / std
            resample = int(plain.get("resample", BICUBIC))
        except (TypeError, ValueError) as exc:
            raise SightError(f"{UNUSABLE} ({exc}); {INSTEAD}") from exc
        if not (np.isfinite(scale).all() and np.isfinite(shift).all() and scale.all()):
            raise SightError(
                f"{UNUSABLE}: image_mean {mean.tolist()}, image_std {std.tolist()}; {INSTEAD}"
            )
        if resample not in RESAMPLES:
            raise SightError(f"{UNUSABLE}: there is no filter {resample}; {INSTEAD}")
        return cls(
            height_px, width_px, resample, scale.astype(np.float32), shift.astype(np.float32)
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
    if isinstance(plain, int) and not isinstance(plain, bool):
        plain = (plain, plain)
    if isinstance(plain, dict):
        side = plain.get("shortest_edge")
        plain = (side or plain.get("height"), side or plain.get("width"))
    if isinstance(plain, tuple) and all(isinstance(one, int) for one in plain):
        height_px, width_px = plain
        if 0 < height_px <= MOST_SIDE_PX and 0 < width_px <= MOST_SIDE_PX:
            return height_px, width_px
    raise SightError(f"{UNUSABLE}: their size is {plain!r}; {INSTEAD}")
