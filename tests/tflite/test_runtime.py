import subprocess
import sys

import numpy as np
import pytest
import soxr

from kerasep.errors import InputError
from kerasep.separation.recordings import separate
from kerasep.tflite import Runtime


def noise(samples, channels=2, seed=0):
    generator = np.random.default_rng(seed)
    return 0.1 * generator.standard_normal((samples, channels)).astype("float32")


@pytest.fixture(scope="module")
def runtime(exported):
    return Runtime(exported[1], threads=1)


def test_attributes(runtime):
    assert runtime.sources == ("vocals", "drums")
    assert (runtime.sample_rate, runtime.channels, runtime.chunk) == (8000, 2, 8000)
    assert runtime.latency is None
    assert runtime.residual is None
    assert runtime.stft == {"n_fft": 256, "hop": 64, "window": "hann"}


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_long_recordings_equal_keras_in_the_same_chunks(runtime, small_model, channels):
    # A whole number of chunks, so that no chunk of Keras' is shorter than the file's.
    samples = runtime.chunk + 2 * (runtime.chunk - runtime.overlap)
    audio = noise(samples, channels)
    expected = separate(
        small_model,
        audio,
        chunk_seconds=runtime.chunk / 8000,
        overlap=runtime.overlap / runtime.chunk,
    )
    received = runtime.separate(audio)
    assert list(received) == list(expected)
    for name in expected:
        assert received[name].shape == (samples, channels)
        np.testing.assert_allclose(received[name], expected[name], atol=1e-5)


@pytest.mark.parametrize("samples", [2, 100, 7919, 8001, 20011])
def test_any_length_is_kept(runtime, samples):
    """The last chunk begins early, at a frame, and is repeated up to its length."""
    audio, beyond = noise(samples), samples - runtime.chunk
    hop, step = runtime.stft["hop"], runtime.chunk - runtime.overlap
    start = max(0, -(-beyond // hop) * hop)
    last = runtime.process(np.resize(audio[start:], (runtime.chunk, 2)))[: samples - start]
    # Where the chunk before ends.
    end = runtime.chunk + (beyond - 1) // step * step if beyond > 0 else 0
    for index, stem in enumerate(runtime.separate(audio).values()):
        assert stem.shape == (samples, 2)
        np.testing.assert_allclose(stem[end:], last[end - start :, :, index], atol=1e-6)


def test_other_rates_come_back_at_their_own(runtime):
    audio = noise(20000, 1)
    stems = runtime.separate(audio, sample_rate=11025)
    low = runtime.separate(soxr.resample(audio, 11025, 8000))
    for name, stem in stems.items():
        expected = soxr.resample(low[name], 8000, 11025)
        assert stem.shape == audio.shape
        common = min(len(stem), len(expected))
        np.testing.assert_allclose(stem[:common], expected[:common], atol=1e-5)


@pytest.mark.parametrize(("rate", "channels"), [(22050, 2), (8000, 1), (11025, 3)])
def test_stems_add_up_to_the_recording_as_in_keras(
    exported_whole, whole_model, rate, channels, tmp_path
):
    whole = Runtime(exported_whole.path, threads=1)
    assert (whole.residual, whole.metadata["residual"]) == ("accompaniment", "accompaniment")
    settings = {"chunk_seconds": whole.chunk / 8000, "overlap": whole.overlap / whole.chunk}
    # A whole number of chunks at the file's rate.
    samples = (whole.chunk + 2 * (whole.chunk - whole.overlap)) * rate // 8000
    audio = noise(samples, channels)
    for band in ("full", "model"):
        received = whole.separate(audio, rate, band=band)
        expected = separate(whole_model, audio, rate, band=band, **settings)
        for name in ("vocals", "accompaniment"):
            np.testing.assert_allclose(received[name], expected[name], atol=1e-5)
        error = np.square(sum(received.values()) - audio).sum() / np.square(audio).sum()
        assert error < 1e-9 if band == "full" or rate == 8000 else error > 0.1
    mean = separate([whole, whole_model], audio, rate, **settings)
    np.testing.assert_allclose(
        mean["vocals"], (whole.separate(audio, rate)["vocals"] + expected["vocals"]) / 2, atol=1e-5
    )


def test_files_are_read(runtime, tmp_path):
    from kerasep.data import audio

    waveform = noise(20000)
    audio.write(tmp_path / "a.wav", waveform, 8000)
    expected = runtime.separate(audio.read(tmp_path / "a.wav")[0])
    received = runtime.separate(tmp_path / "a.wav")
    np.testing.assert_array_equal(received["vocals"], expected["vocals"])
    audio.write(tmp_path / "b.wav", waveform, 16000)
    assert runtime.separate(str(tmp_path / "b.wav"))["vocals"].shape == (20000, 2)


def test_one_chunk(runtime):
    chunk = noise(8000)
    result = runtime.process(chunk)
    assert result.shape == (8000, 2, 2)
    np.testing.assert_array_equal(runtime.separate(chunk)["drums"], result[..., 1])
    with pytest.raises(InputError, match="separate"):
        runtime.process(chunk[1:])


@pytest.mark.parametrize(
    ("audio", "match"),
    [
        (np.full((100, 2), np.nan, "float32"), "NaN"),
        (np.zeros((0, 2), "float32"), "at least one sample"),
        (np.zeros((1, 100, 2), "float32"), "at least one sample"),
        (np.zeros((2, 100), "float32"), "transpose"),
        (np.zeros(100, "int16"), "divide"),
        ("missing.wav", "missing.wav"),
    ],
)
def test_what_is_no_recording_is_refused(runtime, audio, match):
    with pytest.raises(InputError, match=match):
        runtime.separate(audio)


def test_a_rate_for_a_file_is_refused(runtime):
    with pytest.raises(InputError, match="knows its own"):
        runtime.separate("a.wav", sample_rate=8000)


def test_damaged_files_and_bad_settings_are_refused(exported, tmp_path):
    (tmp_path / "a.tflite").write_bytes(exported[1].read_bytes()[:5000])
    with pytest.raises(InputError, match=r"received .*a\.tflite"):
        Runtime(tmp_path / "a.tflite")
    with pytest.raises(InputError, match="threads=0"):
        Runtime(exported[1], threads=0)


def test_the_network_alone_gives_magnitudes(network_file, small_model):
    runtime = Runtime(network_file)
    assert runtime.mode == "mask"
    magnitude = np.random.default_rng(0).random((64, 129, 2), "float32")
    received = runtime.estimate(magnitude)
    np.testing.assert_allclose(received, small_model(magnitude[None])[0], atol=1e-5)
    for call in (lambda: runtime.separate(noise(9000)), lambda: runtime.process(noise(8000))):
        with pytest.raises(InputError, match=r"mode='mask'.*call estimate\(magnitude\)"):
            call()
    with pytest.raises(InputError, match=r"\(63, 129, 2\), expected \(64, 129, 2\)"):
        runtime.estimate(magnitude[1:])
    with pytest.raises(InputError, match="NaN"):
        runtime.estimate(magnitude * np.nan)


def test_a_whole_separator_gives_no_magnitudes(runtime):
    with pytest.raises(InputError, match=r"mode='separate'.*call separate\(audio\)"):
        runtime.estimate(np.zeros((64, 129, 2)))


def test_it_loads_few_modules_in_little_memory(exported):
    """What is imported takes the time."""
    program = f"""
import pathlib, sys
before = set(sys.modules)
from kerasep.tflite import Runtime
Runtime({str(exported[1])!r})
# Not ru_maxrss, which begins at what the process had that this one was forked from.
status = pathlib.Path("/proc/self/status").read_text().split()
print(int(status[status.index("VmHWM:") + 1]) / 1024)
packages = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*packages - sys.stdlib_module_names)
print(len(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    megabytes, packages, modules = done.stdout.splitlines()
    assert float(megabytes) < 100
    own = {"kerasep", "ai_edge_litert"}
    assert own <= set(packages.split()) <= own | {"numpy", "flatbuffers", "lazy_loader"}
    assert int(modules) < 400


def test_it_needs_numpy_and_ai_edge_litert_alone(exported, tmp_path):
    np.save(tmp_path / "audio.npy", noise(9000))
    program = f"""
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {{"tensorflow", "keras", "scipy", "soxr", "soundfile", "av"}}:
            raise ImportError(f"{{name}} was imported")

sys.meta_path.insert(0, Blocked())
import numpy as np
from kerasep.tflite import Runtime, read_metadata
runtime = Runtime({str(exported[1])!r})
stems = runtime.separate(np.load({str(tmp_path / "audio.npy")!r}))
assert stems["vocals"].shape == (9000, 2)
assert read_metadata({str(exported[1])!r})["sources"] == ["vocals", "drums"]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr == ""


def test_a_file_for_streams_names_its_own_runtime(exported, tmp_path):
    from kerasep.tflite.format.metadata import parse_metadata, with_metadata

    content = exported[1].read_bytes()
    path = tmp_path / "live.tflite"
    path.write_bytes(with_metadata(content, {**parse_metadata(content), "mode": "streaming"}))
    with pytest.raises(InputError, match="StreamRuntime"):
        Runtime(path).separate(noise(100))


def test_samples_that_are_not_finite_are_refused(exported, runtime, monkeypatch):
    with pytest.raises(InputError, match="chunk with NaN"):
        runtime.process(np.full((8000, 2), np.nan, "float32"))
    run = runtime._run._runners["separate"]
    spoilt = {
        "separate": lambda **inputs: {"sources": run(**inputs)["sources"] * np.float32("nan")}
    }
    monkeypatch.setattr(runtime._run, "_runners", spoilt)
    for call in (runtime.process, runtime.separate):
        with pytest.raises(InputError, match=r"small\.tflite, which computes NaN or infinite"):
            call(noise(8000))
