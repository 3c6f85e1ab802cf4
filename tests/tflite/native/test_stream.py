"""The C library's streams, on a toy whose state holds its past."""

import ctypes
import itertools

import numpy as np
import pytest

from kerasep.tflite.metadata import with_metadata

HOP, CHANNELS = 8, 2


@pytest.fixture(scope="module")
def echoing(tmp_path_factory):
    """A model of two sources: the mixture, and the sum of all blocks of a hop before."""
    import tensorflow as tf

    def step(mixture, state):
        blocks = tf.reshape(mixture, (1, -1, HOP, CHANNELS))
        sums = tf.cumsum(blocks, 1) + tf.reshape(state, (1, 1, HOP, CHANNELS))
        before = tf.reshape(sums - blocks, mixture.shape)
        after = tf.reshape(sums[:, -1], (1, HOP * CHANNELS))
        return {"sources": tf.stack([mixture, before], -1), "state": after}

    def reset():
        return {"state": tf.ones((1, HOP * CHANNELS))}

    def concrete(function, **shapes):
        specs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}
        return tf.function(function, autograph=False).get_concrete_function(**specs)

    state = (1, HOP * CHANNELS)
    signatures = {
        "reset": concrete(reset),
        "step": concrete(step, mixture=(1, 4 * HOP, CHANNELS), state=state),
        "step1": concrete(step, mixture=(1, HOP, CHANNELS), state=state),
    }
    folder = tmp_path_factory.mktemp("echoing")
    tf.saved_model.save(tf.Module(), folder / "saved", signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder / "saved"), signature_keys=list(signatures)
    )
    about = {"format": 1, "kerasep": "0.1.0", "model": "Echoing", "sources": ["now", "before"]}
    about |= {"sample_rate": 8000, "channels": CHANNELS, "hop": HOP, "step": 4 * HOP}
    path = folder / "echoing.tflite"
    path.write_bytes(with_metadata(converter.convert(), about))
    return path


@pytest.fixture
def stream(library, echoing):
    """Function of a block that gives its sources; and the stream, the error, the model."""
    error = library.Error()
    model = library.kerasep_open(str(echoing).encode(), 1, ctypes.byref(error))
    assert model, error.text
    stream = library.kerasep_stream_open(model, ctypes.byref(error))
    assert stream, error.text
    yield library.Stream(stream, model, error)
    library.kerasep_stream_close(stream)
    library.kerasep_close(model)


def expected(audio):
    blocks = audio.reshape(-1, HOP, CHANNELS)
    before = 1 + np.cumsum(blocks, 0) - blocks
    return np.stack([audio, before.reshape(audio.shape)], -1)


def test_hop(library, stream):
    assert library.kerasep_stream_hop(stream.handle) == HOP


@pytest.mark.parametrize("blocks", [[1] * 11, [11], [4, 4, 3], [2, 5, 0, 4]])
def test_blocks_of_any_number_of_hops_give_the_same(stream, noise, blocks):
    audio = noise(11 * HOP, CHANNELS)
    edges = HOP * np.cumsum([0, *blocks])
    given = [stream.step(audio[a:b]) for a, b in itertools.pairwise(edges)]
    np.testing.assert_allclose(np.concatenate(given), expected(audio), atol=1e-5)


def test_it_starts_anew(library, stream, noise):
    audio = noise(5 * HOP, CHANNELS)
    first = stream.step(audio)
    assert np.abs(stream.step(audio) - first).max() > 0.01
    assert library.kerasep_stream_reset(stream.handle, ctypes.byref(stream.error))
    np.testing.assert_array_equal(stream.step(audio), first)


def test_streams_of_one_model_do_not_disturb_each_other(library, stream, noise):
    other = library.kerasep_stream_open(stream.model, ctypes.byref(stream.error))
    audio = noise(10 * HOP, CHANNELS)
    both = [library.Stream(other, stream.model, stream.error), stream]
    given = [[one.step(audio[i : i + 40]) for i in (0, 40)] for one in both]
    np.testing.assert_array_equal(given[0], given[1])
    library.kerasep_stream_close(other)


def test_what_is_no_block_is_refused(stream, noise):
    with pytest.raises(ValueError, match="a block of 9 samples, expected a multiple of 8"):
        stream.step(noise(9, CHANNELS))
    with pytest.raises(ValueError, match="NaN"):
        stream.step(np.full((HOP, CHANNELS), np.inf, "float32"))


def test_other_files_do_not_stream_nor_streams_separate(library, built, run, tiny, echoing):
    error = library.Error()
    model = library.kerasep_open(str(tiny).encode(), 1, ctypes.byref(error))
    assert not library.kerasep_stream_open(model, ctypes.byref(error))
    assert b"cannot stream: export a causal model for it" in error.text
    library.kerasep_close(model)
    model = library.kerasep_open(str(echoing).encode(), 1, ctypes.byref(error))
    assert not library.kerasep_separate(model, None, 10, 2, None, ctypes.byref(error))
    assert b"which is for streams" in error.text
    library.kerasep_close(model)
    assert "chunk" not in run(built / "kerasep-native", echoing).stdout
