"""Join recorded singing to the stem vocals of unrelated tracks, 44.1 kHz.

    python zoo/rendered/voices.py tracks --voices mir1k/train mir1k/more --valid-voices mir1k/valid

A recording is of one singer, with pauses, sometimes higher or lower, half of them in rooms. MIR-1K
ends at 8 kHz: what is above is invented, a copy of the octave below that falls by 12 dB an octave.
As a target for vocals it counts for next to nothing (kerasep.losses.BandLimited, in songs.json),
but the other stems learn to leave it alone.
"""

import pathlib

import numpy as np
import recordings
import scipy.signal
import soundfile
import soxr

from kerasep.data.sampling.augmentation import change_pitch, reverberate

BAND = 7600  # Hz that a recording at 16 kHz holds for certain
SLOPE = 12  # dB an octave
N_FFT, HOP = 2048, 512
PAUSES = (0.2, 3.0)  # seconds


def extended(mono, band):
    """Continue a voice above `band` Hz by copies of the octave below."""
    _, _, spectrum = scipy.signal.stft(mono, recordings.RATE, nperseg=N_FFT, noverlap=N_FFT - HOP)
    edge = round(band / recordings.RATE * N_FFT)
    shift = edge // 2 // 4 * 4  # whole turns of the phase from frame to frame
    spectrum[edge:] = 0
    for start in range(edge, len(spectrum), shift):
        stop = min(start + shift, len(spectrum))
        source = edge - shift
        octaves = np.log2(np.arange(start, stop) / np.arange(source, source + stop - start))
        fall = 10 ** (-SLOPE * octaves / 20)
        spectrum[start:stop] = spectrum[source : source + stop - start] * fall[:, None]
    _, waveform = scipy.signal.istft(spectrum, recordings.RATE, nperseg=N_FFT, noverlap=N_FFT - HOP)
    return waveform[: len(mono)].astype("float32")


def by_singer(folders):
    """Return the files of each singer, or of each folder of .wav files."""
    singers = {}
    for folder in folders:
        for path in sorted(folder.glob("*/vocals.flac")):
            singers.setdefault(path.parent.name.split("_")[0], []).append(path)
        for path in sorted(folder.rglob("*.wav")):
            singers.setdefault(str(path.parent), []).append(path)
    return singers


def phrases(paths, semitones, rng):
    """Yield clips of a singer, each with a pause behind it, `(samples, 1)`."""
    for path in paths:
        waveform, rate = soundfile.read(path, dtype="float32", always_2d=True)
        if semitones:
            waveform = change_pitch(waveform, rng, (semitones, semitones))
        mono = soxr.resample(waveform[:, 0], rate, recordings.RATE)
        yield extended(mono, BAND * min(1.0, 2 ** (semitones / 12)))[:, None]
        yield np.zeros((round(rng.uniform(*PAUSES) * recordings.RATE), 1), "float32")


def singing(singers, rng):
    """Yield recordings of one singer after the other, each clip as often as the others."""
    queues = {name: [] for name in singers}
    clips = [name for name, paths in singers.items() for _ in paths]  # who has more sings more
    while True:
        name = clips[rng.integers(len(clips))]
        queue = queues[name]
        while len(queue) < 16:
            queue += [singers[name][place] for place in rng.permutation(len(singers[name]))]
        semitones = int(rng.integers(-3, 5)) if rng.random() < 0.6 else 0
        taken = []
        waveform = recordings.joined(_taken(phrases(queue, semitones, rng), taken))
        del queue[: (len(taken) + 1) // 2]
        if rng.random() < 0.5:
            stereo = np.repeat(waveform, 2, axis=1)
            waveform = reverberate(stereo, rng, recordings.RATE, (0.3, 2.0), (4.0, 18.0))
        yield recordings.levelled(waveform)


def _taken(parts, taken):
    """Pass parts on, and remember them."""
    for part in parts:
        taken.append(part)
        yield part


def main():
    """Write the recordings."""
    parser = recordings.parser_of(__doc__)
    parser.add_argument("--voices", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--valid-voices", type=pathlib.Path, nargs="+", required=True)
    arguments = parser.parse_args()
    rng = np.random.default_rng(4)
    for split, folders in (("train", arguments.voices), ("valid", arguments.valid_voices)):
        made = singing(by_singer(folders), rng)
        for number in range(getattr(arguments, split)):
            recordings.write(arguments.out, split, number, "vocals", next(made))


if __name__ == "__main__":
    main()
