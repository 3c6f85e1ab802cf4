"""The C library's functions, called from Python."""

import ctypes

import numpy as np

from kerasep.tflite import Runtime


def test_whole_buffers(library, assert_agrees, exported, noise):
    error = library.Error()
    model = library.kerasep_open(str(exported[1]).encode(), 1, ctypes.byref(error))
    assert model, error.text
    audio = noise(20011, 3)
    stems = [np.empty_like(audio) for _ in range(2)]
    floats = ctypes.POINTER(ctypes.c_float)
    pointers = (floats * 2)(*[stem.ctypes.data_as(floats) for stem in stems])

    def separate(waveform, **format):
        layout = library.Format(channels=waveform.shape[1], **format)
        recording = (ctypes.byref(layout), waveform.ctypes.data, len(waveform))
        return library.kerasep_separate(model, *recording, pointers, ctypes.byref(error))

    assert separate(audio)
    expected = Runtime(exported[1], threads=1).separate(audio)
    assert_agrees(dict(zip(expected, stems, strict=True)), expected)
    assert not separate(np.full((9, 2), np.nan, "float32"))
    assert b"NaN" in error.text
    assert not separate(np.zeros((0, 2), "float32"))
    assert b"at least one" in error.text
    assert not separate(audio, sample_rate=999)
    assert b"received 999 Hz, expected 1000 to 768000" in error.text
    assert not separate(np.zeros((9, 1025), "float32"))
    assert b"received 1025 channels" in error.text
    library.kerasep_close(model)


def test_threads_out_of_range_are_refused(library, tiny):
    error = library.Error()
    assert not library.kerasep_open(str(tiny).encode(), -1, ctypes.byref(error))
    assert b"received -1 threads" in error.text
