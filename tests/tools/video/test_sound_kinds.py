"""Sound stays beside the picture over all kinds of files; ``tests.sound_kinds`` prints how well."""

from pathlib import Path

import pytest

from tests.sound_kinds import KINDS, measure

BAR_S = 0.02


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_clips_and_speech_are_beside_the_picture(tmp_path: Path, kind: str) -> None:
    draw, seconds = KINDS[kind]
    apart = measure(draw(tmp_path))
    assert apart.seconds == seconds
    assert apart.clip_s < BAR_S
    assert apart.speech_s < BAR_S
