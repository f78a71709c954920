"""Numbers of 16 bits are computed with as the numbers of 32 bits that they are."""

import numpy as np
import pytest

from tools.half_numbers import ROWS, lengths, products, widened


def test_every_number_of_16_bits_is_read_as_itself() -> None:
    halves = np.arange(2**16, dtype=np.uint16).view(np.float16)
    rows = halves[np.isfinite(halves)].reshape(-1, 64)
    wide = widened(rows)
    assert wide.dtype == np.float32
    assert wide.tobytes() == rows.astype(np.float32).tobytes()


@pytest.mark.parametrize("rows", [0, 1, ROWS, 2 * ROWS + 3])
def test_products_and_lengths_are_those_of_the_same_numbers_in_32_bits(rows: int) -> None:
    rng = np.random.default_rng(rows)
    halves = rng.standard_normal((rows, 40)).astype(np.float16)
    wide, vector = halves.astype(np.float32), rng.standard_normal(40).astype(np.float32)
    np.testing.assert_array_equal(lengths(halves), lengths(wide))
    np.testing.assert_allclose(products(halves, vector), wide @ vector, rtol=0, atol=1e-5)
    assert products(halves, vector).dtype == np.float32


def test_other_numbers_are_left_as_they_are() -> None:
    vectors = np.random.default_rng(1).standard_normal((5, 8))
    np.testing.assert_array_equal(products(vectors, vectors[0]), vectors @ vectors[0])
    single = vectors.astype(np.float32)
    assert widened(single) is single
