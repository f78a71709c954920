"""A joint model's folder: every missing, partial or foreign one is one clear line."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_joint import save_tiny_joint
from tools.errors import SightError
from tools.sight.joint_model import OnnxJointModel
from tools.sight.model_folder import ModelFolder, find_folder, missing_files
from tools.sight.named_models import NAMED, open_sight
from tools.sight.pictures import Preparation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_joint(tmp_path_factory.mktemp("untrained") / "tiny", steps=0)


@pytest.fixture
def folder(untrained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(untrained, tmp_path / "model"))


def message(folder: Path) -> str:
    with pytest.raises(SightError) as caught:
        use(folder)
    return str(caught.value)


def use(folder: Path) -> None:
    model = OnnxJointModel(folder)
    model.embed_pictures([np.zeros((4, 4, 3), np.uint8)])
    model.embed_texts(["a circle"])


@pytest.mark.parametrize(
    "file",
    [
        "onnx/vision_model.onnx",
        "onnx/text_model.onnx",
        "preprocessor_config.json",
        "tokenizer.json",
    ],
)
def test_a_folder_that_lacks_a_file_is_named_with_it(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert missing_files(folder) == [file]
    assert find_folder(folder) is None
    said = message(folder)
    assert f"{file} missing" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("onnx/vision_model.onnx", b"version https://git-lfs.github.com/spec/v1"),
        ("onnx/text_model.onnx", b"\x08\x07half"),
        ("preprocessor_config.json", b"{"),
        ("preprocessor_config.json", b"{}"),
        ("preprocessor_config.json", b"[]"),
        ("preprocessor_config.json", b"[" * 100_000),
        ("tokenizer.json", b"{}"),
    ],
)
def test_a_damaged_file_is_one_line_that_says_to_fetch_it(
    folder: Path, file: str, content: bytes
) -> None:
    (folder / file).write_bytes(content)
    said = message(folder)
    assert "fetch" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": {"height": 0, "width": 0}},
        {"size": {"height": -4, "width": 5}},
        {"size": {"height": 200_000, "width": 200_000}},
        {"size": {"height": "a", "width": "b"}},
        {"size": [48]},
        {"size": True},
        {"image_mean": [float("inf"), 0, 0]},
        {"image_mean": [0.5] * 4},
        {"image_std": [0, 0, 0]},
        {"image_std": None},
        {"resample": 99},
        {"resample": "bicubic"},
        {"rescale_factor": None},
    ],
)
def test_settings_of_pictures_that_make_no_sense_are_one_line(
    folder: Path, wrong: dict[str, object]
) -> None:
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | wrong))
    said = message(folder)
    assert "preprocessor_config.json does not say" in said
    assert "\n" not in said


@pytest.mark.parametrize(
    "config", [{"model_type": ["clip"]}, {"text_config": [1]}, {"text_config": None}]
)
def test_a_strange_configuration_says_nothing_and_stops_nothing(
    folder: Path, config: dict[str, object]
) -> None:
    (folder / "config.json").write_text(json.dumps(config))
    use(folder)


@pytest.mark.parametrize("file", ["preprocessor_config.json", "config.json", "tokenizer.json"])
def test_a_settings_file_of_gigabytes_is_not_read(folder: Path, file: str) -> None:
    with (folder / file).open("wb") as opened:
        opened.truncate(4 * 10**9)
    assert f"{file} has 4,000,000,000 bytes" in message(folder)


def test_what_nobody_may_read_is_told_as_that(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_file", refuse)
    assert message(folder) == f"{folder} cannot be read (Permission denied); check who may read it"
    assert find_folder(folder) is None


@pytest.mark.parametrize("end", ["_fp16", "_quantized", "_int8", "_uint8", "_q4"])
def test_halves_in_smaller_numbers_are_taken_where_there_are_no_others(
    folder: Path, end: str
) -> None:
    full = OnnxJointModel(folder).embed_texts(["a circle"])
    for half in ("vision_model", "text_model"):
        (folder / "onnx" / f"{half}.onnx").rename(folder / "onnx" / f"{half}{end}.onnx")
    use(folder)
    np.testing.assert_array_equal(OnnxJointModel(folder).embed_texts(["a circle"]), full)


def spoilt(folder: Path, change: str) -> None:
    """Make the half for pictures ask for what is not there."""
    onnx = pytest.importorskip("onnx")
    file = folder / "onnx/vision_model.onnx"
    model = onnx.load(file)
    if change == "opset":
        model.opset_import[0].version = 99
    elif change == "IR":
        model.ir_version = 99
    elif change == "operator":
        model.graph.node[0].op_type = "Telepathy"
    elif change == "operator of others":
        model.graph.node[0].domain = "com.example"
    else:
        onnx.save(model, file, save_as_external_data=True, location="far", size_threshold=0)
        if change == "weights gone":
            (folder / "onnx/far").unlink()
        else:
            (folder / "onnx/far").write_bytes(b"short")
        return
    onnx.save(model, file)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("opset", "Opset 99 is under development); upgrade onnxruntime"),
        ("IR", "Unsupported model IR version: 99); upgrade onnxruntime"),
        ("operator", "Telepathy"),
        ("operator of others", "com.example"),
        ("weights gone", "keeps its weights in another file"),
        ("weights cut off", "keeps its weights in another file"),
    ],
)
def test_what_a_model_lacks_is_told_apart_from_damage(folder: Path, change: str, told: str) -> None:
    spoilt(folder, change)
    said = message(folder)
    assert told in said
    assert "damaged" not in said
    assert "onnxruntime_src" not in said


def test_a_file_in_place_of_a_folder_is_told(folder: Path) -> None:
    with pytest.raises(SightError, match="is a file; name the folder"):
        open_sight(str(folder / "onnx/vision_model.onnx"), confirm=None)


def test_halves_of_two_models_are_one_line(folder: Path) -> None:
    shutil.copy(folder / "onnx/vision_model.onnx", folder / "onnx/text_model.onnx")
    assert "wants pixel_values" in message(folder)


@pytest.mark.parametrize("shape", [(3, 48, 40), (3, 96, 96), (48, 48, 3)])
def test_pictures_of_another_size_than_the_weights_want_are_told_with_both(
    folder: Path, shape: tuple[int, ...]
) -> None:
    onnx = pytest.importorskip("onnx")
    file = folder / "onnx/vision_model.onnx"
    made = onnx.helper.make_tensor_value_info
    wanted = made("pixel_values", onnx.TensorProto.FLOAT, ["n", *shape])
    averaged = onnx.helper.make_node("ReduceMean", ["pixel_values"], ["image_embeds"], axes=[1, 2])
    given = made("image_embeds", onnx.TensorProto.FLOAT, None)
    graph = onnx.helper.make_graph([averaged], "one", [wanted], [given])
    opset = [onnx.helper.make_opsetid("", 13)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset, ir_version=8), file)
    said = message(folder)
    assert f"looks at pictures of shape {list(shape)}, and its preprocessor_config.json" in said
    assert "makes them [3, 48, 48]" in said


@pytest.mark.parametrize("pictures", [1, 4, 8])
def test_a_model_that_was_exported_for_a_number_of_pictures_is_shown_that_number(
    folder: Path, pictures: int
) -> None:
    onnx = pytest.importorskip("onnx")
    file = folder / "onnx/vision_model.onnx"
    graph = onnx.load(file)
    graph.graph.input[0].type.tensor_type.shape.dim[0].dim_value = pictures
    onnx.save(graph, file)
    shown = [np.full((4, 4, 3), 20 * at, np.uint8) for at in range(6)]
    assert OnnxJointModel(folder).embed_pictures(shown).shape[0] == len(shown)


def test_a_model_that_wants_numbers_of_16_bits_is_given_them(folder: Path) -> None:
    onnx = pytest.importorskip("onnx")
    file = folder / "onnx/vision_model.onnx"
    before = OnnxJointModel(folder).embed_pictures([np.full((4, 4, 3), 99, np.uint8)])
    graph = onnx.load(file)
    (pixels,) = graph.graph.input
    half = onnx.helper.make_tensor_value_info("half", onnx.TensorProto.FLOAT16, ["n", 3, 48, 48])
    widened = onnx.helper.make_node("Cast", ["half"], [pixels.name], to=onnx.TensorProto.FLOAT)
    graph.graph.node.insert(0, widened)
    graph.graph.input.remove(pixels)
    graph.graph.input.append(half)
    onnx.save(graph, file)
    after = OnnxJointModel(folder).embed_pictures([np.full((4, 4, 3), 99, np.uint8)])
    assert np.allclose(after, before, atol=1e-3)


def test_onnxruntime_says_nothing_beside_the_line(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    onnx = pytest.importorskip("onnx")
    file, data = folder / "onnx/vision_model.onnx", folder / "onnx/weights"
    apart = {"save_as_external_data": True, "location": data.name, "size_threshold": 0}
    onnx.save(onnx.load(file), file, **apart)
    data.write_bytes(data.read_bytes()[:1000])
    assert "keeps its weights in another file" in message(folder)
    assert capfd.readouterr() == ("", "")


def test_an_empty_file_counts_as_missing(folder: Path) -> None:
    (folder / "onnx/vision_model.onnx").write_bytes(b"")
    assert missing_files(folder) == ["onnx/vision_model.onnx"]


def test_the_two_halves_may_lie_in_folders_of_their_own(untrained: Path, tmp_path: Path) -> None:
    for half, more in (("vision", "preprocessor_config.json"), ("text", "tokenizer.json")):
        (tmp_path / half).mkdir()
        shutil.copy(untrained / f"onnx/{half}_model.onnx", tmp_path / half / "model.onnx")
        shutil.copy(untrained / more, tmp_path / half / more)
    assert missing_files(tmp_path) == []
    one = OnnxJointModel(untrained).embed_texts(["a red circle"])
    assert np.allclose(OnnxJointModel(tmp_path).embed_texts(["a red circle"]), one)


def test_other_weights_have_another_name_and_a_moved_folder_the_same(
    folder: Path, untrained: Path, tmp_path: Path
) -> None:
    before = ModelFolder.read(folder).fingerprint()
    assert before == ModelFolder.read(untrained).fingerprint()
    content = bytearray((folder / "onnx/text_model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "onnx/text_model.onnx").write_bytes(content)
    assert ModelFolder.read(folder).fingerprint() != before


def test_siglip_2_is_given_short_texts_in_lower_case_and_filled_up(folder: Path) -> None:
    (folder / "config.json").write_text(json.dumps({"model_type": "siglip2", "text_config": {}}))
    read = ModelFolder.read(folder)
    assert (read.max_tokens, read.is_padded, read.is_lowered) == (64, True, True)


def test_nothing_is_fetched_while_the_hub_is_forbidden() -> None:
    asked: list[str] = []

    def agree(name: str, _: int) -> bool:
        asked.append(name)
        return True

    for name in (*NAMED, "me/none", "no such thing"):
        with pytest.raises(SightError) as caught:
            open_sight(name, confirm=agree)
        assert "\n" not in str(caught.value)
    assert asked == []


def test_pictures_are_prepared_as_transformers_does_it() -> None:
    processing = pytest.importorskip("transformers.models.siglip.image_processing_pil_siglip")
    picture = np.random.default_rng(1).integers(0, 255, (90, 160, 3), dtype=np.uint8)
    theirs = processing.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    expected = np.asarray(theirs(picture, return_tensors="np")["pixel_values"])
    ours = Preparation.read(theirs.to_dict()).prepare([picture])
    assert np.abs(ours - expected).max() < 2 / 255 * 2
