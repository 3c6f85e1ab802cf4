"""One file for many threads: samples are those of a single thread."""

import concurrent.futures
import gc
import threading

import numpy as np
import pytest

from kerasep.errors import InputError
from kerasep.separation import recordings
from kerasep.tflite import Runtime, StreamRuntime

THREADS = 50


def noise(samples, seed, channels=2):
    shape = samples, channels
    return 0.1 * np.random.default_rng(seed).standard_normal(shape).astype("float32")


def in_threads(function, count=THREADS):
    """Call a function of an index in as many threads at once; return the results in order."""
    barrier = threading.Barrier(count)

    def call(index):
        barrier.wait()
        return function(index)

    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(call, range(count)))


def test_chunks_of_many_threads(exported):
    runtime = Runtime(exported[1])
    expected = [runtime.process(noise(8000, seed)) for seed in range(THREADS)]
    for _ in range(3):
        received = in_threads(lambda seed: runtime.process(noise(8000, seed)))
        np.testing.assert_array_equal(received, expected)


def test_recordings_of_many_threads(exported):
    runtime = Runtime(exported[1])
    expected = [runtime.separate(noise(15000, seed))["drums"] for seed in range(8)]
    received = in_threads(lambda seed: runtime.separate(noise(15000, seed))["drums"], 8)
    np.testing.assert_array_equal(received, expected)


def test_magnitudes_of_many_threads(network_file):
    runtime = Runtime(network_file)
    inputs = [np.random.default_rng(i).random((64, 129, 2), "float32") for i in range(THREADS)]
    expected = [runtime.estimate(magnitude) for magnitude in inputs]
    received = in_threads(lambda index: runtime.estimate(inputs[index]))
    np.testing.assert_array_equal(received, expected)


def test_recordings_that_take_turns_in_one_thread(exported):
    runtime = Runtime(exported[1])
    audio = [noise(20000, seed) for seed in (0, 1)]
    pair = [recordings.stems(runtime.chunk_separator(), [each], 8000, 20000) for each in audio]
    parts = list(zip(*pair, strict=True))
    for each, received in zip(audio, zip(*parts, strict=True), strict=True):
        np.testing.assert_array_equal(
            np.concatenate(received)[..., 0], runtime.separate(each)["vocals"]
        )


def test_runtimes_are_opened_by_many_threads(exported):
    expected = Runtime(exported[1], threads=1).process(noise(8000, 0))
    received = in_threads(lambda _: Runtime(exported[1], threads=1).process(noise(8000, 0)))
    np.testing.assert_array_equal(received, [expected] * THREADS)


def test_a_runtime_that_its_owner_forgets_while_it_runs(exported):
    runtimes = [Runtime(exported[1], threads=1)]
    expected = runtimes[0].process(noise(8000, 0))
    calls = [runtimes[0].process] * 8
    runtimes.clear()
    threads = concurrent.futures.ThreadPoolExecutor(8)
    futures = [threads.submit(calls.pop(), noise(8000, 0)) for _ in range(8)]
    gc.collect()
    np.testing.assert_array_equal([future.result() for future in futures], [expected] * 8)
    threads.shutdown()


def streamed(runtime, audio):
    parts = [runtime.process(part) for part in np.array_split(audio, 7)]
    return np.concatenate([*parts, runtime.flush()])


def test_a_stream_per_thread(stream_file):
    streams = [StreamRuntime(stream_file) for _ in range(12)]
    expected = [streamed(streams[0], noise(2000, seed, 1)) for seed in range(12)]
    received = in_threads(lambda seed: streamed(streams[seed], noise(2000, seed, 1)), 12)
    np.testing.assert_array_equal(received, expected)


def test_a_stream_passes_from_thread_to_thread(stream_file):
    runtime, audio = StreamRuntime(stream_file), noise(2000, 0, 1)
    expected = streamed(runtime, audio)
    parts = []
    for block in np.array_split(audio, 7):
        with concurrent.futures.ThreadPoolExecutor(1) as other:
            parts.append(other.submit(runtime.process, block).result())
    np.testing.assert_array_equal(np.concatenate([*parts, runtime.flush()]), expected)


def test_two_threads_at_once_in_one_stream_are_refused(stream_file):
    runtime, audio = StreamRuntime(stream_file), noise(2000, 0, 1)
    expected = streamed(runtime, audio)
    begun, end, run = threading.Event(), threading.Event(), runtime.run

    def slow(*arguments):
        begun.set()
        assert end.wait(60)
        return run(*arguments)

    runtime.run = slow
    with concurrent.futures.ThreadPoolExecutor(1) as other:
        result = other.submit(streamed, runtime, audio)
        assert begun.wait(60)
        for call in (lambda: runtime.process(audio), runtime.flush, runtime.reset):
            with pytest.raises(InputError, match="one thread at a time: open a stream for each"):
                call()
        end.set()
        np.testing.assert_array_equal(result.result(), expected)
