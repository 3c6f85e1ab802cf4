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

    def separate(waveform):
        data = waveform.ctypes.data
        return library.kerasep_separate(model, data, *waveform.shape, pointers, ctypes.byref(error))

    assert separate(audio)
    expected = Runtime(exported[1], threads=1).separate(audio)
    assert_agrees(dict(zip(expected, stems, strict=True)), expected)
    assert not separate(np.full((9, 2), np.nan, "float32"))
    assert b"NaN" in error.text
    assert not separate(np.zeros((0, 2), "float32"))
    assert b"at least one" in error.text
    library.kerasep_close(model)


def test_threads_out_of_range_are_refused(library, tiny):
    error = library.Error()
    assert not library.kerasep_open(str(tiny).encode(), -1, ctypes.byref(error))
    assert b"received -1 threads" in error.text
