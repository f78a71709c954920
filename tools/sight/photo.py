"""A picture from a file, as people keep them: turned by cameras, transparent, for print, broken."""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tools.errors import SightError
from tools.sight.pictures import INSTALL

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

    from tools.timeline import Image

MOST_PIXELS = 200_000_000
"""Of 600 MB in memory; cameras for medium format take 150 million."""

SIDE_PX = 1024
"""A larger picture is made smaller at once; models look at 224 or a little more."""

FEWEST_PX = 8
"""A side that is shorter shows nothing that could be found again."""


def read_photo(path: Path) -> Image:
    """The picture as a viewer shows it, RGB: the first one of several, on white where transparent.

    Raises:
        SightError: If there is no such file, it holds no picture, or one of no use.
    """
    if find_spec("PIL") is None:
        raise SightError(f"reading {path} needs Pillow: {INSTALL}")
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        # Its own limit is a warning, and lower; ours is looked at before anything is decoded.
        with warnings.catch_warnings(action="ignore"), Pillow.open(path) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise SightError(
                    f"{path} has {width} x {height} pixels, more than {MOST_PIXELS:,}; make it "
                    "smaller"
                )
            if min(width, height) < FEWEST_PX:
                raise SightError(
                    f"{path} has {width} x {height} pixels, too few to show anything; give a "
                    f"larger picture"
                )
            opened.draft("RGB", (SIDE_PX, SIDE_PX))
            turned = ImageOps.exif_transpose(opened)
            turned.thumbnail((SIDE_PX, SIDE_PX))
            return np.asarray(_as_rgb(turned))
    except FileNotFoundError:
        raise SightError(f"there is no picture {path}; check the path given to --image") from None
    except IsADirectoryError:
        raise SightError(f"{path} is a folder; --image takes one picture") from None
    except UnidentifiedImageError:
        raise SightError(
            f"{path} holds no picture that can be read here; --image takes a JPEG, PNG, WebP, GIF, "
            "BMP or TIFF file"
        ) from None
    # Decoders raise what they like of damaged files.
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError) as exc:
        why = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise SightError(f"{path} cannot be read ({why}); save it again as JPEG or PNG") from exc


def _as_rgb(image: PillowImage) -> PillowImage:
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        # Sixteen bits a pixel, or any numbers: from the darkest to the lightest that is there.
        values = np.asarray(image, np.float32)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        scaled = np.nan_to_num((values - low) * (255 / max(high - low, 1e-9)))
        return Pillow.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        white = Pillow.new("RGBA", over.size, "white")
        return Pillow.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")
