"""What an index would take, said before anything is asked."""

import json
from pathlib import Path

import pytest

from agent.cli.main import main
from tests.drawing import draw_video, even_times, gray
from tests.servers import says, serving

pytestmark = pytest.mark.usefixtures("word_embedder")


@pytest.fixture
def still(tmp_path: Path) -> Path:
    """Twelve seconds of one picture, and twelve of another."""
    return draw_video(
        tmp_path / "still.mp4", even_times(96, 4.0), picture=lambda index: gray(40 * (index >= 48))
    )


@pytest.mark.slow
def test_a_dry_run_asks_nobody_and_counts_what_looks_alike(
    still: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 10, "out": 20}}')
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    with serving([says("a wall")]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        index = ["index", str(still), "--captioner", "openai:tiny"]
        assert main([*index, "--dry-run", "--json"]) == 0
        (told,) = json.loads(capsys.readouterr().out)
        assert main([*index, "--dry-run", "--every-frame"]) == 0
        every_frame = capsys.readouterr().out
        assert server.asked == []
        assert main(index) == 0
        made = len(server.asked)
        capsys.readouterr()
        assert main([*index, "--dry-run"]) == 0
        afterwards = capsys.readouterr().out
    estimate = told["estimate"]
    assert (estimate["frames"], estimate["captions"]) == (24, made)
    usd = (estimate["tokens_in"] * 10 + estimate["tokens_out"] * 20) / 1e6
    assert estimate["usd"] == pytest.approx(usd, abs=2e-5), "tokens are told as whole numbers"
    assert "captions  24 by openai:tiny" in every_frame
    assert f"captions  0 by openai:tiny, and {made} are there already" in afterwards


def test_a_price_that_nobody_knows_is_not_invented(
    still: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    assert main(["index", str(still), "--captioner", "openai:tiny", "--dry-run"]) == 0
    assert "price     not known" in capsys.readouterr().out


def test_a_price_is_told_to_those_who_have_no_key_yet(
    still: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    index = ["index", str(still), "--captioner", "openai:gpt-5-mini"]
    assert main([*index, "--dry-run"]) == 0
    assert " USD" in capsys.readouterr().out
    assert main(index) == 2
    assert "it needs a key" in capsys.readouterr().err


@pytest.mark.slow
def test_a_bad_video_stops_no_other_estimate(
    still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none = str(tmp_path / "none.mp4")
    options = ["--captioner", "classical", "--dry-run"]
    assert main(["index", none, str(still), str(still), *options]) == 2
    shown = capsys.readouterr()
    assert "none.mp4" in shown.err
    assert "frames    24 at 1/s" in shown.out


def test_limits_that_would_end_it_are_told(
    still: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = tmp_path / "prices.json"
    prices.write_text('{"tiny": {"in": 10, "out": 20}}')
    monkeypatch.setenv("WHENABOUTS_PRICES", str(prices))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    dry = ["index", str(still), "--captioner", "openai:tiny", "--dry-run", "--every-frame"]
    assert main([*dry, "--max-captions", "24", "--max-usd", "9", "--max-minutes", "9"]) == 0
    assert "ends it" not in capsys.readouterr().out
    assert main([*dry, "--max-captions", "6", "--max-usd", "9"]) == 0
    told = capsys.readouterr().out
    assert "--max-captions 6 ends it when about 25% of that is described" in told
    assert main([*dry, "--max-captions", "6", "--max-minutes", "0.0001"]) == 0
    assert "--max-minutes 0.0001 ends it" in capsys.readouterr().out
    monkeypatch.delenv("WHENABOUTS_PRICES")
    assert main([*dry, "--max-usd", "9"]) == 0
    assert "--max-usd 9 cannot be enforced" in capsys.readouterr().out


@pytest.mark.slow
def test_a_video_that_lies_in_two_places_is_counted_once(
    still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin = tmp_path / "twin.mp4"
    twin.write_bytes(still.read_bytes())
    options = ["--captioner", "classical", "--dry-run", "--json"]
    assert main(["index", str(still), str(twin), *options]) == 0
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)) == 1
    assert f"{twin} is the same video as {still}" in shown.err


@pytest.mark.slow
def test_what_is_not_in_the_figures_is_said(
    still: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = ["index", str(still), "--captioner", "classical", "--dry-run"]
    assert main([*dry, "--speech", "small"]) == 0
    assert "these figures leave out --screen and --speech" in capsys.readouterr().err
    captions = tmp_path / "still.jsonl"
    captions.write_text('{"t": 0, "caption": "a wall"}')
    assert main([*dry, "--captions", str(captions)]) == 2
    assert "captions from a file cost nothing" in capsys.readouterr().err
