"""The classical describer on drawn frames: every claim that is made is true, and read back."""

from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import Titles
from tools.captioners import classical
from tools.captioners.classical import ClassicalCaptioner
from tools.captioners.protocol import Description
from tools.errors import CaptionerError
from tools.signals.between_samples import passing_screens
from tools.signals.claims import Claim, Kind, read_claims, read_screen_text
from tools.signals.cuts import CutFinder
from tools.timeline import Frame, Interval

Picture = NDArray[np.uint8]
Draw = Callable[[float], Picture]

WIDTH, HEIGHT = 320, 180
STEP_S, EARLIER_S = 0.5, 0.1


def film(draw: Draw, seconds: float) -> list[Frame]:
    """Sample a drawn scene as the decoder does: two frames a second, luma ten times a second."""
    frames = []
    for tick in range(round(seconds / STEP_S)):
        time_s = tick * STEP_S
        luma_s = [time_s] if tick == 0 else [time_s - 0.1 * i for i in (4, 3, 2, 1, 0)]
        frames.append(
            Frame(
                time_s=time_s,
                image=draw(time_s),
                earlier=draw(time_s - EARLIER_S) if tick else None,
                earlier_s=time_s - EARLIER_S if tick else None,
                luma=np.stack([luma_of(draw(moment_s)) for moment_s in luma_s]),
                luma_s=np.array(luma_s),
            )
        )
    return frames


def luma_of(picture: Picture) -> Picture:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, (64, 36), interpolation=cv2.INTER_AREA), np.uint8)


def describe(frames: Iterable[Frame], **options: Any) -> list[Description]:
    seen = options.pop("seen", ())
    return list(ClassicalCaptioner(read_text=False).describe(frames, seen=seen, **options))


def claims_of(frames: Iterable[Frame]) -> list[list[Claim]]:
    """Of each frame, without what holds for a moment alone."""
    return [read_claims(one.text) for one in describe(frames) if one.exact is None]


def kinds_of(frames: Iterable[Frame]) -> list[set[Kind]]:
    return [{claim.kind for claim in claims} for claims in claims_of(frames)]


def plain(*colour: int) -> Picture:
    return np.full((HEIGHT, WIDTH, 3), colour, np.uint8)


def wallpaper(seed: int = 1) -> Picture:
    """A wide textured scene with corners everywhere."""
    chance = np.random.default_rng(seed)
    coarse = chance.integers(60, 190, (HEIGHT // 6, 3 * WIDTH // 6, 1), np.uint8)
    grey = cv2.resize(coarse, (3 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.repeat(np.asarray(grey, np.uint8)[..., None], 3, axis=2)


WALL = wallpaper()


def view(left_px: float, top_px: float = 0.0, *, zoom: float = 1.0) -> Picture:
    centre = (WIDTH + left_px, HEIGHT / 2 + top_px)
    shift = (WIDTH / 2 - zoom * centre[0], HEIGHT / 2 - zoom * centre[1])
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    size = (WIDTH, HEIGHT)
    moved = cv2.warpAffine(WALL, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def visit(time_s: float, *, came_s: float = 1.5, left_s: float = 3.5) -> Picture:
    """A box crosses the right half of a still scene."""
    picture = view(0).copy()
    if came_s <= time_s < left_s:
        x = 200 + round(20 * (time_s - came_s))
        cv2.rectangle(picture, (x, 60), (x + 40, 140), (250, 250, 250), -1)
    return picture


@pytest.mark.parametrize(
    ("colour", "kind"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((45, 45, 45), "dark"),
        ((205, 205, 205), "bright"),
        ((128, 128, 128), "medium"),
    ],
)
def test_the_brightness_of_a_plain_screen_is_named(
    colour: tuple[int, int, int], kind: Kind
) -> None:
    assert kind in kinds_of(film(lambda _: plain(*colour), 0.5))[0]


def test_a_black_screen_with_a_white_title_is_not_black() -> None:
    picture = plain(0, 0, 0)
    cv2.putText(picture, "HELLO", (80, 100), cv2.FONT_HERSHEY_SIMPLEX, 2, (255, 255, 255), 3)
    assert "black" not in kinds_of(film(lambda _: picture, 0.5))[0]


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((210, 30, 40), "red"),
        ((250, 140, 20), "orange"),
        ((120, 70, 30), "brown"),
        ((240, 220, 40), "yellow"),
        ((40, 160, 60), "green"),
        ((40, 80, 200), "blue"),
        ((120, 50, 190), "purple"),
        ((250, 90, 180), "pink"),
    ],
)
def test_a_colour_area_is_told_with_name_place_and_share(
    colour: tuple[int, int, int], name: str
) -> None:
    picture = plain(128, 128, 128)
    picture[60:120, :80] = colour
    (claims,) = claims_of(film(lambda _: picture, 0.5))
    assert claims == [Claim("colour", colour=name, place="at the left", percent=8)]


def test_skin_and_sand_have_no_colour_that_all_would_name() -> None:
    stripes = [plain(224, 186, 160), plain(206, 184, 140), plain(96, 104, 112)]
    picture = np.concatenate([stripe[:60] for stripe in stripes])
    assert "colour" not in kinds_of(film(lambda _: picture, 0.5))[0]


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda t: view(60 * t), "pans right"),
        (lambda t: view(-60 * t), "pans left"),
        (lambda t: view(0, -60 * t), "tilts up"),
        (lambda t: view(0, 60 * t), "tilts down"),
        (lambda t: view(0, zoom=1 + 0.4 * t), "zooms in"),
        (lambda t: view(0, zoom=2 - 0.5 * t), "zooms out"),
    ],
)
def test_a_moving_camera_is_named_and_nothing_else_moves(draw: Draw, kind: Kind) -> None:
    later = kinds_of(film(draw, 1.5))[1:]
    for kinds in later:
        assert kind in kinds
        assert not kinds & {"camera still", "moves", "appears", "present", "nothing moves", "cut"}


def test_somebody_who_comes_and_goes_is_told_from_entrance_to_exit() -> None:
    claims = claims_of(film(visit, 5.0))
    kinds = [{claim.kind for claim in some} for some in claims]
    assert [i * STEP_S for i, some in enumerate(kinds) if "appears" in some] == [1.5]
    assert [i * STEP_S for i, some in enumerate(kinds) if "present" in some] == [2.0, 2.5, 3.0]
    assert [i * STEP_S for i, some in enumerate(kinds) if "gone" in some] == [3.5]
    assert "empty" in kinds[2]
    assert "empty" in kinds[8]
    assert all("camera still" in some for some in kinds[1:])
    assert Claim("appears", place="at the right", size="medium-sized") in claims[3]
    assert "moves" in kinds[4]


def test_who_is_there_from_the_start_does_not_appear_but_leaves() -> None:
    kinds = kinds_of(film(lambda t: visit(t, came_s=0, left_s=1.5), 3.0))
    assert not any("appears" in some for some in kinds)
    assert any("gone" in some for some in kinds)
    assert "empty" in kinds[-1]


def test_a_cut_is_told_with_its_own_time() -> None:
    other = wallpaper(seed=2)[:, :WIDTH]
    said = describe(film(lambda t: other if t >= 1.15 else view(0), 3.0))
    assert [one.time_s for one in said] == [0.0, 0.5, 1.0, 1.5, 1.5, 2.0, 2.5]
    assert read_claims(said[3].text) == [Claim("cut", at_s=1.2)]
    assert said[3].exact is not None
    assert said[3].exact.start_s == pytest.approx(1.2)
    assert said[3].exact.end_s == pytest.approx(1.3)
    assert [one.exact for one in said].count(None) == 6


def test_two_cuts_between_two_samples_are_told_both() -> None:
    shots = [view(0), wallpaper(seed=2)[:, :WIDTH], wallpaper(seed=3)[:, :WIDTH]]
    frames = film(lambda t: shots[sum(t > cut_s for cut_s in (1.05, 1.35))], 3.0)
    exact = [one.exact for one in describe(frames) if one.exact]
    assert [cut.start_s for cut in exact] == pytest.approx([1.1, 1.4])


@pytest.mark.slow
def test_who_switches_the_light_makes_no_cut_and_nobody_comes_or_goes() -> None:
    def lit(time_s: float) -> Picture:
        dark = np.full((HEIGHT, WIDTH, 3), 0.6 if time_s >= 1.15 else 1.0)
        return np.asarray(view(0) * dark, np.uint8)

    kinds = set().union(*kinds_of(film(lit, 5.0)))
    assert not kinds & {"appears", "present", "gone"}
    assert not any(one.exact for one in describe(film(lit, 5.0)))


def test_a_flash_is_no_cut() -> None:
    kinds = kinds_of(film(lambda t: plain(255, 255, 255) if 1.15 < t < 1.25 else view(0), 3.0))
    assert not any("cut" in some for some in kinds)


def test_a_still_picture_is_unchanged_since_it_came() -> None:
    claims = claims_of(film(lambda _: view(0), 2.0))
    assert Claim("unchanged", at_s=0.0) in claims[3]
    assert Claim("nothing moves") in claims[3]


def digits(time_s: float, *, level: int = 230) -> Picture:
    """A textured picture with a clock in a corner, its digits a dozen pixels high."""
    picture = view(0).copy()
    text = f"12:00:{int(time_s):02}"
    cv2.putText(picture, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (level,) * 3, 1)
    return picture


def test_a_picture_in_which_a_clock_runs_is_not_unchanged() -> None:
    claims = claims_of(film(digits, 4.0))
    assert [claim.at_s for some in claims for claim in some if claim.kind == "unchanged"] == [
        pytest.approx(second) for second in range(4)
    ]


def strobe(time_s: float) -> Picture:
    """From 1 s on black at every sample, and white 0.1 s before and after."""
    if time_s < 0.95:
        return view(0)
    return plain(*[255 * (round(10 * time_s) % 5 in {1, 3, 4})] * 3)


def test_a_strobe_is_neither_black_nor_white_nor_unchanged_but_flickers() -> None:
    kinds = kinds_of(film(strobe, 4.0))
    for some in kinds[2:]:
        assert "flickers" in some
        assert not some & {"black", "white", "dark", "bright", "unchanged"}
    assert not any("flickers" in some for some in kinds[:2])


def test_a_screen_that_goes_black_between_two_samples_is_black_until_it_comes_back() -> None:
    kinds = kinds_of(film(lambda t: plain(0, 0, 0) if 1.15 < t < 2.35 else view(0), 4.0))
    assert [i * STEP_S for i, some in enumerate(kinds) if "black" in some] == [1.5, 2.0]
    assert not any("flickers" in some for some in kinds)


def test_every_sentence_is_a_claim_of_the_vocabulary() -> None:
    for one in describe(film(visit, 4.0)):
        assert one.source == "signal"
        assert one.text.count(". ") + 1 == len(read_claims(one.text))


def test_the_first_frame_claims_no_motion() -> None:
    first = kinds_of(film(visit, 0.5))[0]
    assert not first & {"camera still", "moves", "nothing moves", "appears", "present", "empty"}


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 200), (200, 3), (17, 31)])
@pytest.mark.parametrize("level", [0, 90, 255])
def test_pictures_of_any_size_are_described(size: tuple[int, int], level: int) -> None:
    picture = np.full((*size, 3), level, np.uint8)
    assert len(describe(film(lambda _: picture, 2.0))) == 4


def test_a_change_of_size_in_mid_stream_is_survived() -> None:
    small = np.asarray(cv2.resize(view(0), (160, 120)), np.uint8)
    frames = [*film(lambda _: view(0), 1.0), *film(lambda _: small, 1.0)]
    assert len(describe(frames)) == 4


@pytest.mark.slow
def test_frames_seen_before_are_learnt_from_and_not_described() -> None:
    frames = film(visit, 5.0)
    seen = {frame.time_s for frame in frames if frame.time_s < 2.0}
    rest = describe(frames, seen=seen)
    whole = [one for one in describe(frames) if one.time_s not in seen]
    assert rest == whole


def test_describing_is_a_moment_behind() -> None:
    taken: list[float] = []

    def frames() -> Iterable[Frame]:
        for frame in film(visit, 3.0):
            taken.append(frame.time_s)
            yield frame

    descriptions = ClassicalCaptioner(read_text=False).describe(frames(), seen=())
    assert next(descriptions).time_s == 0.0
    assert taken == [0.0, 0.5, 1.0, 1.5]


def read_by(
    reader: Titles, frames: list[Frame], monkeypatch: pytest.MonkeyPatch, seen: Any = ()
) -> list[Description]:
    monkeypatch.setattr(classical, "load_text_reader", lambda: reader)
    found = list(ClassicalCaptioner(read_text=True).describe(frames, seen=seen))
    return [one for one in found if one.source == "screen"]


def test_an_unchanged_picture_is_read_once_and_its_text_carried_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Titles(lambda _: "GAME OVER")
    found = read_by(reader, film(lambda _: view(0), 2.0), monkeypatch)
    # Once as it is, and once turned.
    assert len(reader.read_in) == 2
    assert [read_screen_text(one.text) for one in found] == ["GAME OVER"] * 4


def test_a_changed_digit_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def clock(time_s: float) -> Picture:
        picture = plain(30, 30, 30)
        text = f"0{int(time_s)}"
        cv2.putText(picture, text, (4, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (230, 230, 230), 1)
        return picture

    shown = film(clock, 2.0)
    reader = Titles(
        lambda image: next(
            (f"0{int(f.time_s)}" for f in shown if np.array_equal(f.image, image)), ""
        ),
        side_px=32,
    )
    found = read_by(reader, shown, monkeypatch)
    assert [read_screen_text(one.text) for one in found] == ["00", "00", "01", "01"]
    assert len(reader.read_in) == 2


def test_frames_seen_before_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = film(lambda t: view(60 * t), 2.0)
    reader = Titles(lambda _: "A TITLE")
    found = read_by(reader, frames, monkeypatch, seen={0.0, 0.5, 1.0})
    assert [one.time_s for one in found] == [1.5]
    assert len(reader.searched_in) == 2


def test_a_picture_without_text_has_no_screen_caption(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_by(Titles(lambda _: ""), film(lambda _: view(0), 1.0), monkeypatch) == []


def test_reading_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classical, "find_spec", lambda _: None)
    with pytest.raises(CaptionerError, match=r"pip install 'whenabouts\[ocr\]'"):
        ClassicalCaptioner(read_text=True)


@pytest.mark.slow
def test_the_model_name_tells_whether_text_was_read() -> None:
    pytest.importorskip("rapidocr")
    assert ClassicalCaptioner(read_text=False).model == "classical-5"
    assert ClassicalCaptioner(read_text=True).model == "classical-5-r5+ocr"


def test_a_screen_that_is_black_only_between_two_samples_is_told_to_the_frame() -> None:
    luma = np.full((26, 36, 64), 120, np.uint8)
    luma[8:14] = 0
    luma_s = np.arange(26) / 25
    ((claim, span),) = passing_screens(luma, luma_s)
    assert (claim.kind, span) == ("black", Interval(8 / 25, 14 / 25))
    luma[0] = 0  # A sample shows it: then it has a caption of its own.
    luma[:14] = 0
    assert passing_screens(luma, luma_s) == []
    luma[::2] = 255  # A strobe is no state.
    assert passing_screens(luma, luma_s) == []


def test_a_fade_to_black_is_no_cut_and_a_cut_to_black_is_one() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (36, 64)).astype(np.float32)
    fading = [1.0] * 10 + [0.8, 0.6, 0.4, 0.2, 0.0] + [0.0] * 10
    at_once = [1.0] * 14 + [0.0] * 11
    for shares, cuts in ((fading, 0), (fading[::-1], 0), (at_once, 1), (at_once[::-1], 1)):
        luma = np.array([picture * share for share in shares], np.uint8)
        assert len(CutFinder().find(luma, np.arange(25) / 25)) == cuts
