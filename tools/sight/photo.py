"""A picture from a file, as people keep them: turned by cameras, transparent, for print, broken."""

from __future__ import annotations

import stat
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

MOST_PIXELS = 178_000_000
"""Of 500 MB in memory; cameras for medium format take 150 million, and Pillow refuses more."""

SIDE_PX = 1024
"""A larger picture is made smaller at once; models look at 224 or a little more."""

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "ICO", "PPM")
"""What is read, as far as this Pillow can; for some others, it starts another program with the
file."""

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

    _check_plain(path)
    Pillow.init()
    try:
        # Its own limit is a warning, and lower; ours is looked at before anything is decoded.
        with (
            warnings.catch_warnings(action="ignore"),
            Pillow.open(path, formats=[one for one in FORMATS if one in Pillow.OPEN]) as opened,
        ):
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
            shown = _as_rgb(turned)
            if shown is None:
                raise SightError(
                    f"{path} shows nothing: it is transparent, or holds no number; give another one"
                )
            return np.asarray(shown)
    except UnidentifiedImageError:
        raise SightError(
            f"{path} holds no picture that can be read here; --image takes a JPEG, PNG, WebP, GIF, "
            "BMP or TIFF file: convert it to one of these"
        ) from None
    except Pillow.DecompressionBombError:
        raise SightError(f"{path} has more than {MOST_PIXELS:,} pixels; make it smaller") from None
    # Decoders raise what they like of damaged files.
    except (OSError, SyntaxError, ValueError) as exc:
        why = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise SightError(f"{path} cannot be read ({why}); save it again as JPEG or PNG") from exc


def _check_plain(path: Path) -> None:
    """A pipe would be waited for, and a device read without an end."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SightError(f"there is no picture {path}; check the path given to --image") from None
    except (OSError, ValueError) as exc:
        raise SightError(f"the picture {path} cannot be opened ({exc}); check the path") from exc
    if stat.S_ISDIR(mode):
        raise SightError(f"{path} is a folder; --image takes one picture")
    if not stat.S_ISREG(mode):
        raise SightError(f"{path} is not a plain file; --image takes a picture from one")


def _as_rgb(image: PillowImage) -> PillowImage | None:
    """As a viewer shows it; None where it shows nothing."""
    from PIL import Image as Pillow

    if image.mode.startswith(("I", "F")):
        # Sixteen bits a pixel, or any numbers: from the darkest to the lightest that is there.
        values = np.asarray(image, np.float32)
        known = values[np.isfinite(values)]
        if not len(known):
            return None
        low, high = float(known.min()), float(known.max())
        scaled = np.nan_to_num((values - low) * (255 / max(high - low, 1e-9)))
        return Pillow.fromarray(scaled.clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        over = image.convert("RGBA")
        if not np.asarray(over)[..., 3].any():
            return None
        white = Pillow.new("RGBA", over.size, "white")
        return Pillow.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")
