"""The C code's streams, on toys that are late, mirrored or filled up as causal models are."""

import ctypes
import itertools

import numpy as np
import pytest
import soundfile

GRAIN, CHANNELS = 8, 2
TIMINGS = {
    "fill": {"hop": 4, "frame": 4, "lag": 0, "silence": 0, "ends": "fill"},
    "late": {"hop": 4, "frame": 6, "lag": 12, "silence": 8, "ends": "drop"},
    "mirror": {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"},
    "coarse": {"hop": 8, "frame": 12, "lag": 8, "silence": 8, "ends": "mirror"},
}


@pytest.fixture(scope="module")
def toys(tmp_path_factory, toy):
    return {name: toy(tmp_path_factory.mktemp(name), timing) for name, timing in TIMINGS.items()}


@pytest.fixture
def streams(library, toys):
    """Function of a toy's name that opens a stream; of the same name, of one model."""
    error, models, opened = library.Error(), {}, []

    def stream(name):
        if name not in models:
            models[name] = library.kerasep_open(str(toys[name]).encode(), 1, ctypes.byref(error))
        opened.append(library.kerasep_stream_open(models[name], ctypes.byref(error)))
        assert opened[-1], error.text
        return library.Stream(opened[-1], CHANNELS, 2)

    yield stream
    for handle in opened:
        library.kerasep_stream_close(handle)
    for model in models.values():
        library.kerasep_close(model)


@pytest.mark.parametrize("name", TIMINGS)
@pytest.mark.parametrize("blocks", [[1] * 77, [77], [32, 13, 32], [100], [3, 200, 0, 4], [31, 33]])
def test_blocks_of_any_size_come_out_as_they_went_in(streams, noise, name, blocks):
    stream = streams(name)
    audio = noise(sum(blocks), CHANNELS)
    edges = np.cumsum([0, *blocks])
    given = []
    for a, b in itertools.pairwise(edges):
        given.append(stream.process(audio[a:b]))
        assert sum(map(len, given)) > b - TIMINGS[name]["lag"] - GRAIN
    assert all((block[..., 1] == -1).all() for block in given)
    given.append(stream.flush())
    np.testing.assert_array_equal(np.concatenate(given)[..., 0], audio)


@pytest.mark.parametrize("name", TIMINGS)
@pytest.mark.parametrize("samples", [50, 63, 65])
def test_the_model_hears_how_many_frames_are_left(streams, noise, name, samples):
    timing, stream = TIMINGS[name], streams(name)
    stream.process(noise(samples, CHANNELS))
    margin = timing["frame"] // 2 if timing["ends"] == "mirror" else 0
    hop, frame, lead = timing["hop"], timing["frame"], timing["silence"] + margin
    if timing["ends"] == "mirror":
        frames = 1 + (-(-samples // hop) if 2 * hop > frame else samples // hop)
    else:
        frames = 1 + (samples - frame + (hop - 1) * (timing["ends"] == "fill")) // hop
    stepped = (lead + samples) // GRAIN * GRAIN
    expected = frames - (stepped - timing["silence"]) // hop
    left = stream.flush()[..., 1]
    assert left.size
    assert (left == expected).all()


def test_it_starts_anew(streams, noise):
    stream, audio = streams("mirror"), noise(100, CHANNELS)
    first = np.concatenate([stream.process(audio), stream.flush()])
    again = np.concatenate([stream.process(audio), stream.flush()])
    np.testing.assert_array_equal(first, again)
    assert len(stream.flush()) == 0


def test_streams_of_one_model_do_not_disturb_each_other(streams, noise):
    both = [streams("late"), streams("late")]
    audio = [noise(100, CHANNELS, seed) for seed in (0, 1)]
    given = [[], []]
    for i in (0, 50):
        for stream, waveform, parts in zip(both, audio, given, strict=True):
            parts.append(stream.process(waveform[i : i + 50]))
    for stream, waveform, parts in zip(both, audio, given, strict=True):
        np.testing.assert_array_equal(np.concatenate([*parts, stream.flush()])[..., 0], waveform)


def test_what_cannot_be_streamed_is_refused(streams, noise):
    stream = streams("mirror")
    with pytest.raises(ValueError, match="NaN"):
        stream.process(np.full((GRAIN, CHANNELS), np.inf, "float32"))
    stream.process(noise(12, CHANNELS))
    with pytest.raises(ValueError, match="a stream of 12 samples, expected at least 13"):
        stream.flush()
    stream.process(noise(13, CHANNELS))
    assert len(stream.flush()) == 13


@pytest.mark.parametrize("name", TIMINGS)
def test_the_command_streams(sanitized, separated, run, toys, noise, tmp_path, name):
    audio = noise(5003, CHANNELS)
    soundfile.write(tmp_path / "a.wav", audio, 8000, "FLOAT")
    stems = separated(sanitized, toys[name], tmp_path / "a.wav", tmp_path / "stems")
    np.testing.assert_array_equal(stems["same"], audio)
    said = run(sanitized / "kerasep-native", toys[name]).stdout
    assert f"latency      {TIMINGS[name]['lag'] + GRAIN} samples" in said


@pytest.mark.parametrize("channels", [1, 3])
def test_the_command_streams_any_channels(sanitized, separated, toys, noise, tmp_path, channels):
    audio = noise(3001, channels)
    soundfile.write(tmp_path / "a.wav", audio, 8000, "FLOAT")
    stems = separated(sanitized, toys["mirror"], tmp_path / "a.wav", tmp_path / "stems")
    np.testing.assert_array_equal(stems["same"], audio)


def test_other_files_do_not_stream(library, tiny):
    error = library.Error()
    model = library.kerasep_open(str(tiny).encode(), 1, ctypes.byref(error))
    assert not library.kerasep_stream_open(model, ctypes.byref(error))
    assert b"cannot stream: export a causal model for it" in error.text
    library.kerasep_close(model)
