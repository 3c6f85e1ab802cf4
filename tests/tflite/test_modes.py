from kerasep.tflite.modes import good_overlap, whole_hops

STFT = {"n_fft": 512, "hop": 256}


def test_durations_are_rounded_up_to_whole_hops():
    assert whole_hops(1.0, 16000, STFT) == 16128
    assert whole_hops(1.008, 16000, STFT) == 16128
    assert whole_hops(0.10001, 8000, None) == 801


def test_overlaps_are_a_quarter_chunk_or_four_frames_and_half_a_chunk_at_most():
    assert good_overlap(16128, STFT) == 4096
    assert good_overlap(2560, STFT) == 1280
    assert good_overlap(4096, STFT) == 2048
    assert good_overlap(1000, None) == 250
