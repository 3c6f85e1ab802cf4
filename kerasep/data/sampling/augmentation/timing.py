"""Time, tempo and pitch; FFmpeg's `atempo` changes the tempo, and soxr both together."""

import fractions

import numpy as np
import soxr


def shift_time(
    waveform: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    seconds: tuple[float, float] = (-0.1, 0.1),
) -> np.ndarray:
    """Shift the waveform later or earlier; silence takes the place of what is not there.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        sample_rate: In Hz.
        seconds: Range of the shift; below 0 it is earlier. Defaults to (-0.1, 0.1).

    Returns:
        Float32 array of the same shape.

    Example:
    >>> import numpy as np
    >>> from kerasep.data.sampling.augmentation import shift_time
    >>> waveform = np.array([[1.0], [2.0], [3.0]], "float32")
    >>> shift_time(waveform, np.random.default_rng(0), 10, seconds=(0.1, 0.1))[:, 0]
    array([0., 1., 2.], dtype=float32)
    """
    samples = len(waveform)
    shift = int(np.clip(round(rng.uniform(*seconds) * sample_rate), -samples, samples))
    shifted = np.zeros_like(waveform)
    if shift >= 0:
        shifted[shift:] = waveform[: samples - shift]
    else:
        shifted[:shift] = waveform[-shift:]
    return shifted


def change_tempo(
    waveform: np.ndarray, rng: np.random.Generator, factors: tuple[float, float] = (0.9, 1.1)
) -> np.ndarray:
    """Play faster or slower at the same pitch.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        factors: Range of the factor of the tempo: above 1 is faster. Between 0.5 and 2. Defaults to
            (0.9, 1.1).

    Returns:
        Float32 array `(round(samples / factor), channels)`.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import change_tempo

    tone = np.sin(np.arange(16000, dtype="float32"))[:, None]
    assert change_tempo(tone, np.random.default_rng(0), (1.25, 1.25)).shape == (12800, 1)
    ```
    """
    factor = float(np.clip(rng.uniform(*factors), 0.5, 2.0))
    return _with_tempo(waveform, factor, round(len(waveform) / factor))


def change_pitch(
    waveform: np.ndarray, rng: np.random.Generator, semitones: tuple[float, float] = (-2.0, 2.0)
) -> np.ndarray:
    """Play higher or lower at the same tempo.

    Args:
        waveform: Float32 array `(samples, channels)`.
        rng: A NumPy random generator.
        semitones: Range of the change of pitch. Between -12 and 12. Defaults to (-2, 2).

    Returns:
        Float32 array of the same shape.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import change_pitch

    tone = np.sin(2 * np.pi * 440 * np.arange(16000, dtype="float32") / 16000)[:, None]
    octave = change_pitch(tone, np.random.default_rng(0), (12, 12))
    assert np.abs(np.fft.rfft(octave[:, 0])).argmax() == 880
    ```
    """
    shift = float(np.clip(rng.uniform(*semitones), -12.0, 12.0))
    # Resampling by a ratio of whole numbers, off by less than a hundredth of a semitone.
    ratio = fractions.Fraction(2 ** (shift / 12)).limit_denominator(512)
    faster = soxr.resample(waveform, ratio.numerator, ratio.denominator)
    return _with_tempo(faster, float(1 / ratio), len(waveform))


def _with_tempo(waveform, factor, samples):
    """Change the tempo by overlapping pieces that fit, to a length in samples."""
    import av  # here, as in the decoders: it takes long to load

    channels = waveform.shape[1]
    format_ = {"sample_rate": 44100, "format": "flt", "layout": f"{channels} channels"}
    graph = av.filter.Graph()
    source, sink = graph.add_abuffer(**format_), graph.add("abuffersink")
    tempo = graph.add("atempo", f"{factor:.9f}")
    source.link_to(tempo)
    tempo.link_to(sink)
    graph.configure()
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(waveform).reshape(1, -1), "flt", format_["layout"]
    )
    frame.sample_rate, frame.pts = format_["sample_rate"], 0
    source.push(frame)
    source.push(None)
    pieces = [np.empty((0, channels), "float32")]
    while True:
        try:
            pieces.append(sink.pull().to_ndarray().reshape(-1, channels))
        except (BlockingIOError, EOFError):
            break
    changed = np.concatenate(pieces)[:samples]
    return np.pad(changed, ((0, samples - len(changed)), (0, 0)))
