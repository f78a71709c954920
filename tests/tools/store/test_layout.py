"""What an earlier version wrote into a store is read beside what this one writes."""

from pathlib import Path

import numpy as np
import pytest

from tests.tools.store.store_writer import ROUNDED, TRACK, captions_of, vectors_of
from tools.store import caption_rows, layout
from tools.store.isolation import open_client
from tools.store.layout import block_mark, caption_of, captions_name, metadata_of, track_mark
from tools.store.store import CaptionStore
from tools.timeline import Caption, Interval, Track

COUNT = 6
WORDY = Track('a "model", with a comma', "v 2", "frame@0.5/s d2")


def add_as_earlier(folder: Path, captions: list[Caption]) -> None:
    """Write captions as versions before 0.9 did."""
    client = open_client(folder)
    collection = client.get_collection(captions_name("minilm"), embedding_function=None)
    collection.add(
        ids=[one.id for one in captions],
        embeddings=vectors_of("v", len(captions)),
        documents=[one.text for one in captions],
        metadatas=[
            {
                **{k: v for k, v in one.as_dict().items() if k not in {"id", "text"}},
                "start_s": repr(one.start_s),
                "end_s": repr(one.end_s),
                "track": one.track.key,
                "block": block_mark(one.video_id, one.track, int(one.start_s // 60)),
            }
            for one in captions
        ],
    )
    client.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store whose first half was written by an earlier version."""
    half = COUNT // 2
    with CaptionStore.open(tmp_path, embedder="minilm") as store:
        store.add(captions_of("v", COUNT)[half:], vectors_of("v", COUNT)[half:])
    add_as_earlier(tmp_path, captions_of("v", COUNT)[:half])
    return tmp_path


def test_captions_of_both_forms_are_one_track(folder: Path) -> None:
    captions = captions_of("v", COUNT)
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.read("v", TRACK)[0] == captions
        assert store.count("v", TRACK) == COUNT
        assert store.seen_starts("v", TRACK) == {one.start_s for one in captions}
        ((around, _),) = store.read_around([("v", TRACK, Interval(0.0, 30.0))])
        assert around == captions
        found = store.search(vectors_of("v", COUNT)[0], limit=COUNT)
        assert {one for one, _ in found} == set(captions)


def test_none_of_them_is_written_again(folder: Path) -> None:
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.add(captions_of("v", COUNT), vectors_of("v", COUNT)) == 0


def test_forgetting_a_track_or_a_video_forgets_both_forms(folder: Path) -> None:
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.forget_track("v", TRACK) == COUNT
        store.add(captions_of("v", COUNT), vectors_of("v", COUNT))
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.forget("v") == COUNT


@pytest.mark.parametrize(
    "text", ["a  b ", " two\nlines", 'quotes " and \\', "Größe 1.0 2.0 vision"]
)
def test_a_caption_is_read_back_to_the_last_character(text: str) -> None:
    caption = Caption("v", Interval(0.1 + 0.2, 1e-7 + 3), text, "speech", WORDY)
    tracks = {track_mark("v", WORDY): ("v", WORDY)}
    assert caption_of(metadata_of(caption), None, tracks) == caption


def test_vectors_are_read_to_sixteen_bits_wherever_they_are_read(folder: Path) -> None:
    with CaptionStore.open(folder, embedder="minilm") as store:
        ((_, around),) = store.read_around([("v", TRACK, Interval(0.0, 30.0))])
    for _ in range(2):
        with CaptionStore.open(folder, embedder="minilm") as store:
            vectors = store.read("v", TRACK)[1]
        assert np.array_equal(vectors.astype(np.float16).astype(np.float32), vectors)
        assert np.array_equal(vectors, around)


@pytest.mark.parametrize("is_plain", [True, False])
def test_a_track_is_read_in_pages(
    folder: Path, is_plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chroma gives no more than 32,766 texts at once; a video of ten hours has more."""
    monkeypatch.setattr(layout, "PAGE_ROWS", 4)
    monkeypatch.setattr(caption_rows, "NUMBERS_AT_ONCE", 4 * vectors_of("v", 1).shape[1])
    if not is_plain:
        monkeypatch.setattr("tools.store.chroma.open_plain", lambda _: None)
    with CaptionStore.open(folder, embedder="minilm") as store:
        captions, vectors = store.read("v", TRACK)
        starts = store.seen_starts("v", TRACK)
    assert captions == captions_of("v", COUNT)
    assert starts == {one.start_s for one in captions}
    ours = vectors_of("v", COUNT)
    half = COUNT // 2
    wanted = np.concatenate([vectors_of("v", half), ours[half:]])
    np.testing.assert_allclose(vectors, wanted, atol=ROUNDED)


def test_a_long_track_is_let_go_of_by_chroma_and_everything_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.store.reading.MANY_CAPTIONS", COUNT)
    with CaptionStore.open(folder, embedder="minilm") as store:
        captions, vectors = store.read("v", TRACK)
        found = store.search(vectors[0], limit=1)
        assert [one for one, _ in found] == captions[:1]
        store.add(captions_of("w", 1), vectors_of("w", 1))
        assert len(store.read("v", TRACK)[0]) == COUNT


def marks_in(folder: Path) -> int:
    client = open_client(folder)
    try:
        return client.get_collection("tracks", embedding_function=None).count()
    finally:
        client.close()


def test_a_mark_goes_with_its_video_and_not_with_its_track(folder: Path) -> None:
    """A track may have captions of another embedder, which has a collection of its own."""
    with CaptionStore.open(folder, embedder="other") as store:
        store.add(captions_of("v", 1), vectors_of("v", 1))
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.forget_track("v", TRACK) == COUNT
    with CaptionStore.open(folder, embedder="other") as store:
        found = store.search(vectors_of("v", 1)[0], limit=1)
        assert [one for one, _ in found] == captions_of("v", 1)
    assert marks_in(folder) == 1
    with CaptionStore.open(folder, embedder="minilm") as store:
        assert store.forget("v") == 1
    assert marks_in(folder) == 0
