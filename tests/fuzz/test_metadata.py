"""`.tflite` files that lie about themselves or are damaged: one line, or the right samples."""

import importlib.util
import json
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.tflite import Runtime, StreamRuntime
from kerasep.tflite.format.metadata import parse_metadata, read_model, with_metadata, with_text

pytestmark = pytest.mark.slow

_place = pathlib.Path(__file__).parents[1] / "tflite" / "native" / "conftest.py"
_spec = importlib.util.spec_from_file_location("native_fixtures", _place)
native = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(native)
tiny_parts, toy = native.tiny_parts, native.toy

TIMING = {"hop": 8, "frame": 24, "lag": 16, "silence": 0, "ends": "mirror"}
SECONDS = 20  # of a busy machine, for one file


@pytest.fixture(scope="module")
def stream(toy, tmp_path_factory):
    return toy(tmp_path_factory.mktemp("toy"), TIMING)


def separated(path, audio):
    return Runtime(path, threads=1).separate(audio)


def streamed(path, audio):
    runtime = StreamRuntime(path)
    return np.concatenate(
        [runtime.process(audio[:100]), runtime.process(audio[100:]), runtime.flush()]
    )


def assert_one_line(error):
    assert str(error).isprintable()
    assert str(error).startswith("received ")
    assert len(str(error)) < 600


def test_lies_are_refused_or_do_no_harm(cases, lie, tiny_parts, tmp_path):
    content, about = tiny_parts
    path = tmp_path / "a.tflite"
    audio = 0.1 * np.random.default_rng(0).standard_normal((3001, 1)).astype("float32")
    path.write_bytes(with_metadata(content, about))
    chunk = Runtime(path).process(audio[:400])
    outcomes = set()
    for seed, rng in cases(400):
        path.write_bytes(with_text(content, lie(rng, about)))
        begin = time.process_time()
        try:
            runtime = Runtime(path, threads=1)
            np.testing.assert_array_equal(runtime.process(audio[:400]), chunk, f"seed {seed}")
            for stem in runtime.separate(audio, 8000).values():
                assert stem.shape == audio.shape, seed
                assert np.isfinite(stem).all(), seed
            outcomes.add("separated")
        except InputError as error:
            assert_one_line(error)
            outcomes.add("refused")
        assert time.process_time() - begin < SECONDS, f"seed {seed}"
    assert outcomes == {"separated", "refused"}


def test_lies_of_streams_are_refused_or_do_no_harm(cases, lie, stream, tmp_path):
    content = read_model(stream)
    about = parse_metadata(content) | {"mode": "streaming"}
    path = tmp_path / "a.tflite"
    audio = 0.1 * np.random.default_rng(0).standard_normal((301, 2)).astype("float32")
    outcomes = set()
    for seed, rng in cases(300):
        text = lie(rng, about if rng.random() < 0.3 else about["timing"])
        if b'"format"' not in text:
            text = (
                json.dumps(about)
                .replace(json.dumps(about["timing"]), text.decode("latin1"))
                .encode()
            )
        path.write_bytes(with_text(content, text))
        begin = time.process_time()
        try:
            sources = streamed(path, audio)
            assert sources.shape == (301, 2, 2), seed
            assert np.isfinite(sources).all(), seed
            outcomes.add("streamed")
        except InputError as error:
            assert_one_line(error)
            outcomes.add("refused")
        assert time.process_time() - begin < SECONDS, f"seed {seed}"
    assert outcomes == {"streamed", "refused"}


# In a process of its own: TFLite itself, in C++, is to crash on none.
_WORKER = """
import pathlib, sys
import numpy as np
from kerasep.errors import InputError
from kerasep.tflite import Runtime, StreamRuntime
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    print(path.name, end=" ", flush=True)
    try:
        if sys.argv[2] == "stream":
            runtime = StreamRuntime(path)
            assert np.isfinite(runtime.process(np.full((400, 2), 0.1, "float32"))).all()
        else:
            runtime = Runtime(path, threads=1)
            assert np.isfinite(runtime.process(np.full((400, 1), 0.1, "float32"))).all()
        print("accepted", flush=True)
    except InputError as error:
        print("refused", ascii(str(error)), flush=True)
"""


def damaged(rng, content):
    """Change some bytes, mostly to those at the ends of their range, or cut the file short."""
    kind = rng.random()
    if kind < 0.05:
        return rng.bytes(int(rng.integers(1, 5000)))
    if kind < 0.1:
        return content[:8] + rng.bytes(len(content) - 8)
    changed = bytearray(content)
    for at in rng.integers(8, len(content), rng.choice([1, 3, 20])):
        changed[at] = rng.choice([0, 1, 127, 128, 255, rng.integers(256)])
    return bytes(changed[: rng.integers(20, len(changed))] if rng.random() < 0.2 else changed)


@pytest.mark.parametrize("kind", ["whole", "stream"])
def test_damaged_bytes_crash_nothing(cases, tiny_parts, stream, tmp_path, kind):
    content = read_model(stream) if kind == "stream" else with_metadata(*tiny_parts)
    outcomes = set()

    def run():
        command = [sys.executable, "-c", _WORKER, str(folder), kind]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS * 10)
        assert done.returncode == 0, (done.stdout.splitlines()[-1], done.stderr[-2000:])
        for line in done.stdout.splitlines():
            _, outcome, *said = line.split(" ", 2)
            outcomes.add(outcome)
            assert "\\n" not in "".join(said), line
        for path in folder.iterdir():
            path.unlink()

    folder = tmp_path / "damaged"
    folder.mkdir()
    for seed, rng in cases(600):
        (folder / f"{seed:06}.tflite").write_bytes(damaged(rng, content))
        if seed % 300 == 299:
            run()
    run()
    assert outcomes == {"accepted", "refused"}
