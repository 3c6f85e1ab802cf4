"""The two functions that Open-Unmix's data sets take from torchaudio, on soundfile.

torchaudio's wheels must match PyTorch's build and often do not install. Reading here seeks to the
wanted frames, as torchaudio does; where torchaudio is installed it is used as it is.
"""

import importlib.util
import sys
import types

import soundfile
import torch


def install():
    """Put the stand-in where `import torchaudio` finds it, unless the real one is there.

    Returns:
        "torchaudio" or "soundfile", whichever reads.
    """
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is not None:
        return "torchaudio"
    module = types.ModuleType("torchaudio")
    module.info, module.load = info, load
    module.get_audio_backend = lambda: "soundfile"
    sys.modules["torchaudio"] = module
    return "soundfile"


def info(path):
    """Give sample rate, frames and channels."""
    found = soundfile.info(str(path))
    return types.SimpleNamespace(
        sample_rate=found.samplerate, num_frames=found.frames, num_channels=found.channels
    )


def load(path, frame_offset=0, num_frames=-1):
    """Give float32 (channels, frames) from an offset, and the sample rate."""
    with soundfile.SoundFile(str(path)) as file:
        file.seek(frame_offset)
        frames = file.read(num_frames, dtype="float32", always_2d=True)
        return torch.from_numpy(frames.T), file.samplerate
