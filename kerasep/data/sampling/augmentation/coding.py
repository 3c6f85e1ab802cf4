"""The coding noise of MP3 and Ogg Vorbis."""

import io
from collections.abc import Sequence

import numpy as np
import soundfile

from kerasep.errors import InputError

_FORMATS = {"mp3": ("MP3", "MPEG_LAYER_III"), "ogg": ("OGG", "VORBIS")}
_PIECE = 1 << 14  # Vorbis in one call overflows its stack


def code(
    waveform: np.ndarray,
    rng: np.random.Generator,
    sample_rate: int,
    formats: Sequence[str] = ("mp3", "ogg"),
    compression: tuple[float, float] = (0.3, 0.9),
) -> np.ndarray:
    """Encode the waveform in memory and decode it again; it keeps its place and its length.

    Args:
        waveform: Float32 array `(samples, channels)`, one or two channels.
        rng: A NumPy random generator.
        sample_rate: In Hz, one that the formats know: 8000 to 48000.
        formats: Of which one is drawn: "mp3", "ogg" (Vorbis). Defaults to both.
        compression: Range of the strength, between 0 (the best quality) and 1. For stereo music
            at 44.1 kHz, MP3 has about 120 kbit/s at 0.5. Defaults to (0.3, 0.9).

    Returns:
        Float32 array of the same shape.

    Raises:
        InputError: A format is unknown, or cannot hold the rate or the channels, or the compression
            is out of range.

    Example:
    ```python
    import numpy as np
    from kerasep.data.sampling.augmentation import code

    tone = 0.5 * np.sin(np.arange(16000, dtype="float32") / 10)[:, None]
    coded = code(tone, np.random.default_rng(0), 16000, formats=["ogg"])
    assert 0 < np.abs(coded - tone)[1000:-1000].max() < 0.1
    ```
    """
    unknown = set(formats) - _FORMATS.keys()
    if unknown or not formats:
        raise InputError(
            f"received formats {', '.join(sorted(unknown)) or 'none'}: expected some of "
            f"{', '.join(_FORMATS)}"
        )
    # The encoders' library crashes on what it does not know.
    channels, range_ = waveform.shape[1], 0 <= compression[0] <= compression[1] <= 1
    if not 8000 <= sample_rate <= 48000 or not range_ or channels > 8:
        raise InputError(
            f"received compression={compression}, {channels} channels at {sample_rate} Hz: "
            "expected a range from 0 to 1, at most 8 channels, and 8000 to 48000 Hz"
        )
    container, codec = _FORMATS[formats[int(rng.integers(len(formats)))]]
    level = min(rng.uniform(*compression), 0.99)
    file = io.BytesIO()
    try:
        with soundfile.SoundFile(
            file, "w", sample_rate, channels, codec, format=container, compression_level=level
        ) as writer:
            for first in range(0, len(waveform), _PIECE):
                writer.write(waveform[first : first + _PIECE])
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"{container} cannot hold {channels} channels at {sample_rate} Hz: choose another of "
            f"{', '.join(_FORMATS)} ({error.error_string.rstrip('.')})"
        ) from error
    file.seek(0)
    decoded, _ = soundfile.read(file, len(waveform), dtype="float32", always_2d=True)
    return np.pad(decoded, ((0, len(waveform) - len(decoded)), (0, 0)))
