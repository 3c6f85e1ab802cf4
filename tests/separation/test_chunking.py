"""Chunks as the programs of other projects cut and join them."""

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.separation import chunking
from kerasep.separation.chunks import crossfaded

OTHERS = {"demucs": chunking.DEMUCS, "msst": chunking.MSST, "uvr": chunking.uvr(8)}


def joined(signal, process, chunk, overlap, way, size=10_000, **settings):
    blocks = [signal[start : start + size] for start in range(0, len(signal), size)]
    pieces = crossfaded(blocks, process, chunk, overlap, chunking=way, **settings)
    return np.concatenate(list(pieces))


def noise(samples):
    return np.random.default_rng(samples).standard_normal((samples, 2)).astype("float32")


def heard(samples, chunk, overlap, way):
    """All chunks that a process gets of a ramp from 1 on."""
    chunks = []

    def note(x):
        chunks.append(x[:, 0].tolist())
        return x[..., None]

    ramp = np.arange(1, samples + 1, dtype="float32")[:, None]
    result = joined(ramp, note, chunk, overlap, way)
    np.testing.assert_allclose(result[..., 0], ramp, rtol=1e-6)
    return chunks


def levels(chunk, overlap, way, count, samples):
    """The stem of a process that returns 0 for the first chunk, then 1, 2, ..."""
    numbers = iter(range(count))
    signal = np.ones((samples, 1), "float32")
    return joined(
        signal, lambda x: np.full((len(x), 1, 1), next(numbers), "float32"), chunk, overlap, way
    )[:, 0, 0]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("overlap", [0, 1, 16, 32, 48, 57])
def test_identity_is_exact_at_any_length(name, overlap):
    for samples in (1, 2, 31, 32, 33, 63, 64, 65, 96, 97, 113, 251, 1009):
        signal = noise(samples)
        result = joined(signal, lambda x: x[..., None], 64, overlap, OTHERS[name])
        assert np.array_equal(result[..., 0], signal), samples


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("size", [1, 7, 64, 500])
def test_result_does_not_depend_on_the_blocks(name, size):
    def uneven(x):
        return (x + np.linspace(0, 1, len(x), dtype="float32")[:, None])[..., None]

    signal, way = noise(1009), OTHERS[name]
    whole = joined(signal, uneven, 128, 96, way)
    assert np.array_equal(joined(signal, uneven, 128, 96, way, size), whole)


def test_demucs_fades_over_all_that_chunks_share():
    fade = levels(100, 40, chunking.DEMUCS, 2, 120)
    assert np.all(fade[:60] == 0)
    np.testing.assert_allclose(fade[60:100], np.arange(1, 41) / 41, rtol=1e-6)
    assert np.all(fade[100:] == 1)


def test_demucs_puts_the_last_chunk_in_the_middle():
    assert heard(4, 9, 3, chunking.DEMUCS) == [[0, 0, 1, 2, 3, 4, 0, 0, 0]]
    # Starts at 0, 6 and 12; two samples are left at 13, of which seven lie before.
    chunks = heard(14, 9, 3, chunking.DEMUCS)
    assert chunks[:1] == [[*range(1, 10)]]
    assert chunks[1:] == [[*range(7, 15), 0], [*range(10, 15), 0, 0, 0, 0]]


def test_the_training_program_averages_four_chunks():
    """Every sample has four; at the ends, too, whose mirrored neighbours are heard."""
    chunks = heard(40, 20, 15, chunking.MSST)
    assert chunks[0] == [*range(16, 1, -1), *range(1, 6)]
    # Behind the last chunk that holds a sample of the recording, none is processed.
    assert len(chunks) == (15 + 40) // 5
    # The last three chunks are mirrored at the end of what was mirrored.
    assert chunks[-1] == [36, 37, 38, 39, 40, *range(39, 24, -1)]
    mean = levels(200, 150, chunking.MSST, 30, 1000)
    ramp = np.arange(20) / 19
    np.testing.assert_allclose(mean[50:70], (1 + 2 + 3 + 4 * ramp) / (3 + ramp), rtol=1e-6)
    np.testing.assert_allclose(mean[70:80], 2.5, rtol=1e-6)


def test_the_training_program_mirrors_no_short_recordings():
    assert heard(12, 10, 5, chunking.MSST)[0] == [5 + 1 - k for k in range(5)] + [*range(1, 6)]
    assert heard(10, 10, 5, chunking.MSST) == [[*range(1, 11)], [*range(6, 11), 0, 0, 0, 0, 0]]
    assert heard(6, 10, 5, chunking.MSST) == [[1, 2, 3, 4, 5, 6, 5, 4, 3, 2], [6] + [0] * 9]


def test_ultimate_vocal_remover_puts_silence_at_both_ends():
    chunks = heard(21, 16, 4, chunking.uvr(3))
    assert chunks[0] == [0, 0, 0, *range(1, 14)]
    # 10 samples of each chunk are useful: 3 + 21 + (10 + 3 - 1) samples lie in all.
    assert chunks[1] == [*range(10, 22), 0, 0, 0, 0]
    assert len(chunks) == 2
    fade = levels(16, 4, chunking.uvr(3), 2, 21)
    before, after = np.hanning(16)[12:], np.hanning(16)[:4]
    np.testing.assert_allclose(fade[9:13], after / (before + after), atol=1e-6)


@pytest.mark.parametrize("name", OTHERS)
def test_overlap_out_of_range(name):
    with pytest.raises(InputError, match="expected less than a chunk: make the chunks longer"):
        joined(noise(100), lambda x: x[..., None], 64, 64, OTHERS[name])


def test_sources_in_any_order_are_put_in_one():
    signal, rng = noise(2003), np.random.default_rng(3)
    gains = np.array([0.2, 0.5, -0.3], "float32")

    def shuffled(x):
        return (x[..., None] * gains)[..., rng.permutation(3)]

    first = np.random.default_rng(3).permutation(3)
    for way in OTHERS.values():
        rng = np.random.default_rng(3)
        result = joined(signal, shuffled, 256, 192, way, reorder=True)
        np.testing.assert_allclose(result, signal[..., None] * gains[first], atol=1e-6)


def test_of_a_model():
    assert chunking.of_model("kerasep", 256) is chunking.KERASEP
    assert chunking.of_model("msst") is chunking.MSST
    assert len(chunking.of_model("uvr", 96).ends(1000, 750).before(noise(3))) == 48
