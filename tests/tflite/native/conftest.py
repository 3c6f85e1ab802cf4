"""What the tests of the C code share: it, compiled, and a model small enough for many files."""

import ctypes
import dataclasses
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import soxr

from kerasep.tflite import Runtime
from kerasep.tflite.format.metadata import with_metadata

FOLDER = pathlib.Path(__file__).parents[3] / "tflite" / "native"
SANITIZED = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
AGREES_DB = 110


def _run(command, *arguments):
    return subprocess.run([command, *map(str, arguments)], capture_output=True, text=True)


def _build(folder, targets=("all",), compiler="cc", flags="-O2", **variables):
    if shutil.which(compiler) is None or shutil.which("make") is None:
        pytest.skip(f"there is no C compiler called {compiler}, or no make")
    headers = "#include <cjson/cJSON.h>\n#include <soxr.h>\n"
    asked = {"input": headers, "text": True, "capture_output": True}
    if subprocess.run([compiler, "-E", "-"], **asked).returncode:
        pytest.skip("cJSON or soxr is not installed: apt-get install libcjson-dev libsoxr-dev")
    variables |= {"PYTHON": sys.executable, "BUILD": folder, "CC": compiler, "CFLAGS": flags}
    values = [f"{name}={value}" for name, value in variables.items()]
    return _run("make", "-C", FOLDER, *values, *targets)


@pytest.fixture(scope="session")
def build():
    """Function of (folder, targets, compiler, flags, ...) that runs make."""
    return _build


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Folder of what is compiled as users do, without warnings."""
    folder = tmp_path_factory.mktemp("built")
    done = _build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory):
    """Folder of the same with sanitizers: an access out of bounds, a leak or an overflow fails."""
    folder = tmp_path_factory.mktemp("sanitized")
    done = _build(folder, ("all", f"{folder}/fuzz"), flags=SANITIZED)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def run():
    """Function of (command, *arguments) that runs it and returns what it said."""
    return _run


def _exactly(samples, audio):
    return np.pad(audio[:samples], [(0, max(0, samples - len(audio))), (0, 0)])


@pytest.fixture(scope="session")
def at_its_own_rate():
    """Function of (path, audio, rate, residual) that returns stems of Python's runtime.

    It separates at the model's rate, resamples with soxr, and adds to the residual what the mixture
    lost on the way.
    """

    def at_its_own_rate(path, audio, rate, residual=None):
        runtime = Runtime(path, threads=1)
        low = soxr.resample(audio, rate, runtime.sample_rate)
        low = low if len(low) else np.zeros((1, audio.shape[1]), "float32")

        def up(stem):
            return _exactly(len(audio), soxr.resample(stem, runtime.sample_rate, rate))

        stems = {name: up(stem) for name, stem in runtime.separate(low).items()}
        if residual is not None:
            stems[residual] = stems[residual] + audio - up(low)
        return stems

    return at_its_own_rate


class _Format(ctypes.Structure):
    _fields_ = [
        ("channels", ctypes.c_size_t),
        ("sample_rate", ctypes.c_int),
        ("model_band", ctypes.c_bool),
    ]


class _Error(ctypes.Structure):
    _fields_ = [("text", ctypes.c_char * 256)]


_Write = ctypes.CFUNCTYPE(
    ctypes.c_bool,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_float),
    ctypes.c_size_t,
    ctypes.POINTER(_Error),
)


@dataclasses.dataclass
class _Stream:
    """A stream as Python's: blocks in, what is ready out."""

    library: ctypes.CDLL
    handle: int
    channels: int
    sources: int

    def process(self, block):
        block = np.ascontiguousarray(block)
        return self._output(self.library.kerasep_stream_process, block.ctypes.data, len(block))

    def flush(self):
        return self._output(self.library.kerasep_stream_flush)

    def _output(self, function, *arguments):
        parts, error = [np.zeros((0, self.channels, self.sources), "float32")], _Error()

        def write(_, sources, samples, __):
            shape = (samples, self.channels, self.sources)
            parts.append(np.ctypeslib.as_array(sources, shape).copy())
            return True

        if not function(self.handle, *arguments, _Write(write), None, ctypes.byref(error)):
            raise ValueError(error.text.decode())
        return np.concatenate(parts)


@pytest.fixture(scope="session")
def library(built):
    """The functions of kerasep.h, called from Python; with Error, Format, and Stream of them."""
    found = ctypes.CDLL(str(built / "libkerasep.so"))
    address, size = ctypes.c_void_p, ctypes.c_size_t
    types = {
        "open": (address, ctypes.c_char_p, ctypes.c_int, address),
        "close": (None, address),
        "version": (ctypes.c_char_p,),
        "separate": (ctypes.c_bool, address, address, address, size, address, address),
        "stream_open": (address, address, address),
        "stream_close": (None, address),
        "stream_process": (ctypes.c_bool, address, address, size, _Write, address, address),
        "stream_flush": (ctypes.c_bool, address, _Write, address, address),
    }
    for name, (result, *arguments) in types.items():
        function = getattr(found, f"kerasep_{name}")
        function.restype, function.argtypes = result, arguments
    found.Error = _Error
    found.Format = _Format
    found.Stream = lambda *parts: _Stream(found, *parts)
    return found


@pytest.fixture(scope="session")
def separated():
    """Function of (folder, model, recording, stems, *options) that returns the stems made."""

    def separated(folder, model, recording, stems, *options):
        command = [folder / "kerasep-native", "--overwrite", *options]
        done = _run(*command, model, recording, stems)
        assert done.returncode == 0, done.stderr
        paths = [pathlib.Path(line) for line in done.stdout.splitlines()]
        return {
            path.stem: soundfile.read(path, dtype="float32", always_2d=True)[0] for path in paths
        }

    return separated


@pytest.fixture(scope="session")
def assert_agrees():
    """Function of (received, expected, least_db), dicts of stems, that compares them in dB."""

    def assert_agrees(received, expected, least_db=AGREES_DB):
        assert received.keys() == expected.keys()
        for name, stem in expected.items():
            assert received[name].shape == stem.shape
            error = np.sum((received[name] - stem) ** 2, dtype="float64")
            ratio = 10 * np.log10(np.sum(stem**2, dtype="float64") / max(error, 1e-30))
            assert ratio > least_db, f"{name}: {ratio:.1f} dB"

    return assert_agrees


@pytest.fixture(scope="session")
def noise():
    """Function of (samples, channels) that returns a waveform."""

    def noise(samples, channels, seed=0):
        generator = np.random.default_rng(seed)
        return 0.1 * generator.standard_normal((samples, channels)).astype("float32")

    return noise


@pytest.fixture(scope="session")
def tiny_parts(tmp_path_factory):
    """A model that gives its two sources in an order of each chunk's own: (bytes, metadata)."""
    import tensorflow as tf

    def separate(mixture):
        risen = mixture * (1 + tf.range(400.0) / 400)[None, :, None]  # so that chunks disagree
        pair = tf.stack([risen, 0.25 * risen * risen], -1)
        return {"sources": tf.where(tf.reduce_sum(mixture) > 0, pair[..., ::-1], pair)}

    folder = tmp_path_factory.mktemp("tiny")
    spec = tf.TensorSpec((1, 400, 1), name="mixture")
    signature = tf.function(separate, autograph=False).get_concrete_function(spec)
    tf.saved_model.save(tf.Module(), folder, signatures={"separate": signature})
    content = tf.lite.TFLiteConverter.from_saved_model(str(folder)).convert()
    about = {"format": 1, "kerasep": "0.1.0", "model": "Tiny", "sources": ["same", "square"]}
    about |= {"sample_rate": 8000, "channels": 1, "chunk": 400, "overlap": 100, "hop": 2}
    return content, about | {"latency": None, "stft": None, "interchangeable": True}


@pytest.fixture(scope="session")
def tiny(tiny_parts, tmp_path_factory):
    """The same as a file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.tflite"
    path.write_bytes(with_metadata(*tiny_parts))
    return path


@pytest.fixture(scope="session")
def karaoke(tiny_parts, tmp_path_factory):
    """The same for a voice and the rest, in one order; its metadata does not name the residual."""
    content, about = tiny_parts
    about = about | {"sources": ["vocals", "accompaniment"], "interchangeable": False}
    path = tmp_path_factory.mktemp("karaoke") / "karaoke.tflite"
    path.write_bytes(with_metadata(content, about))
    return path


_GRAIN, _STEP, _CHANNELS, _LEFT = 8, 32, 2, 1


def _toy(folder, timing):
    """A streamed model of two late sources: the mixture, and how many frames are to come."""
    import tensorflow as tf

    lag = timing["lag"]

    def step(mixture, state):
        head, past = state[:, : _LEFT + 1], tf.reshape(state[:, _LEFT + 1 :], (1, lag, _CHANNELS))
        joint = tf.concat([past, mixture], 1)
        late = joint[:, : mixture.shape[1]]
        past = tf.reshape(joint[:, mixture.shape[1] :], (1, lag * _CHANNELS))
        left = tf.ones_like(late) * head[:, _LEFT]
        return {"sources": tf.stack([late, left], -1), "state": tf.concat([head, past], 1)}

    def reset():
        return {"state": tf.pad([[0.0, -1.0]], [[0, 0], [0, lag * _CHANNELS]])}

    def concrete(function, **shapes):
        specs = {name: tf.TensorSpec(shape, name=name) for name, shape in shapes.items()}
        return tf.function(function, autograph=False).get_concrete_function(**specs)

    state = (1, _LEFT + 1 + lag * _CHANNELS)
    signatures = {
        "reset": concrete(reset),
        "step": concrete(step, mixture=(1, _STEP, _CHANNELS), state=state),
        "step1": concrete(step, mixture=(1, _GRAIN, _CHANNELS), state=state),
    }
    tf.saved_model.save(tf.Module(), folder, signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        str(folder), signature_keys=list(signatures)
    )
    about = {"format": 1, "kerasep": "0.1.0", "model": "Late", "sources": ["same", "left"]}
    about |= {"sample_rate": 8000, "channels": _CHANNELS, "chunk": None, "overlap": None}
    about |= {"hop": _GRAIN, "step": _STEP, "latency": lag + _GRAIN, "state": state[1]}
    about |= {"timing": timing | {"grain": _GRAIN, "step": _STEP}}
    path = folder / "toy.tflite"
    path.write_bytes(with_metadata(converter.convert(), about))
    return path


@pytest.fixture(scope="session")
def toy():
    """Function of (folder, timing) that makes a file for streams: steps of 8 and 32 samples."""
    return _toy
