"""The mixer of a page: stems that play in sync, each with a spectrogram."""

import io
from collections.abc import Mapping

import numpy as np
import soundfile

from kerasep.data import audio
from kerasep.data.audio.encodings import encoded_rate
from kerasep.reports.plots import data_address
from kerasep.reports.spectrograms import COLOURS, PLAIN, loudest_level, spectrogram

_COMPRESSION = 0.65


def mixer(modes: Mapping[str, Mapping[str, np.ndarray]], sample_rate: int) -> dict:
    """Return the values of the macro `mixer`: seconds, names of modes, and stems.

    `modes` maps the name of a mode, such as "separated", to a dict from stem to waveform `(samples,
    channels)`, of one or two channels. The page switches between modes while it plays.
    """
    waveforms = [waveform for stems in modes.values() for waveform in stems.values()]
    loudest = max(loudest_level(waveform, sample_rate) for waveform in waveforms)
    names = dict.fromkeys(name for stems in modes.values() for name in stems)
    return {
        "seconds": len(waveforms[0]) / sample_rate,
        "modes": list(modes),
        "stems": [
            {
                "name": name,
                "colour": COLOURS.get(name, PLAIN),
                "takes": [
                    {
                        "mode": mode,
                        "picture": spectrogram(
                            stems[name], sample_rate, COLOURS.get(name, PLAIN), loudest
                        ),
                        "audio": mp3(stems[name], sample_rate),
                    }
                    for mode, stems in modes.items()
                    if name in stems
                ],
            }
            for name in names
        ],
    }


def mp3(waveform: np.ndarray, sample_rate: int) -> str:
    """Compress a waveform `(samples, channels)` to MP3, as a `data:` address."""
    rate = encoded_rate(sample_rate, ".mp3")  # MP3 plays in all browsers
    waveform = audio.resample(np.asarray(waveform, "float32"), sample_rate, rate)
    file = io.BytesIO()
    soundfile.write(
        file,
        np.clip(waveform, -1, 1),
        rate,
        "MPEG_LAYER_III",
        format="MP3",
        bitrate_mode="VARIABLE",
        compression_level=_COMPRESSION,
    )
    return data_address(file.getvalue(), "audio/mpeg")
