"""Simulate impulse responses of rooms by the image method, 16 kHz mono FLAC.

    pip install pyroomacoustics
    python zoo/speech/rooms.py rooms --count 200

Offices to small halls: 3 to 10 m long, a reverberation time of 0.1 to 0.8 s, and speakers 0.3 to
3 m away.
"""

import argparse
import pathlib

import numpy as np
import pyroomacoustics

from kerasep import data

SAMPLE_RATE = 16000
HIGHEST_ORDER = 40  # of reflections: later ones are below -60 dB in most rooms


def response(rng):
    """Return the response of one room, with its peak at 0.9."""
    size = rng.uniform((3.0, 2.5, 2.3), (10.0, 8.0, 4.0))
    # No room of this size can be drier or more reverberant than its walls allow.
    while True:
        try:
            absorption, order = pyroomacoustics.inverse_sabine(rng.uniform(0.1, 0.8), size)
            break
        except ValueError:
            continue
    room = pyroomacoustics.ShoeBox(
        size,
        fs=SAMPLE_RATE,
        materials=pyroomacoustics.Material(absorption),
        max_order=min(order, HIGHEST_ORDER),
    )
    microphone = rng.uniform(0.5, size - 0.5)
    while True:
        direction = rng.standard_normal(3)
        speaker = microphone + direction / np.linalg.norm(direction) * rng.uniform(0.3, 3.0)
        if np.all(speaker > 0.3) and np.all(speaker < size - 0.3):
            break
    room.add_source(speaker)
    room.add_microphone(microphone)
    room.compute_rir()
    samples = np.asarray(room.rir[0][0], "float32")
    return 0.9 * samples / np.abs(samples).max()


def main(out, count):
    """Write the responses of `count` rooms."""
    out.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        samples = response(np.random.default_rng(number))
        data.write(out / f"room_{number:03}.flac", samples[:, None], SAMPLE_RATE, bits=16)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    main(**vars(parser.parse_args()))
