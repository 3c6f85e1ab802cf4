"""Inputs and outputs of `kerasep stream`: files, a microphone, a speaker.

Inputs yield pairs of a float32 block `(samples, channels)` and whether samples before it were lost.
Outputs yield a function of `(samples, channels, sources)` that returns whether a device ran dry.
"""

import contextlib
import time

import numpy as np

from kerasep.cli.terminal import say
from kerasep.errors import InputError, installed_by


def file_blocks(path, sample_rate, channels, samples, pace, track=None):
    """Yield blocks of a file, with `pace` no earlier than a microphone would."""
    from kerasep.data import audio
    from kerasep.data.audio.audio_tracks import stream_of

    pending, start, sent = np.zeros((0, channels), "float32"), time.monotonic(), 0
    for part in audio.stream(path, sample_rate, stream=stream_of(path, track)):
        pending = np.concatenate([pending, _with_channels(part, channels, path)])
        while len(pending) >= samples:
            block, pending = pending[:samples], pending[samples:]
            sent += samples
            if pace:
                time.sleep(max(0.0, start + sent / sample_rate - time.monotonic()))
            yield block, False
    if len(pending):
        yield pending, False


def microphone_blocks(sample_rate, channels, samples, seconds):
    """Yield blocks of a microphone until `seconds` are over; None for no end."""
    left = np.inf if seconds is None else round(seconds * sample_rate)
    with _opened("InputStream", sample_rate, channels, samples) as device:
        while left > 0:
            try:
                block, lost = device.read(int(min(samples, left)))
            except _device_error() as error:  # unplugged: what was heard so far is kept
                say(f"the microphone stopped: {error}")
                return
            left -= len(block)
            yield np.array(block, "float32"), lost


@contextlib.contextmanager
def folder_writer(folder, sources, sample_rate, channels, overwrite):
    """Write each source to its own file."""
    from kerasep.data.audio.audio_info import AudioInfo
    from kerasep.files.folder_lock import locked
    from kerasep.separation import stem_files

    paths = stem_files.outputs(sources, folder, overwrite=overwrite)
    header = AudioInfo(sample_rate, None, channels)  # of a microphone the length is not known
    with locked(folder), stem_files.writing(paths, sources, header, overwrite=overwrite) as write:
        yield write


@contextlib.contextmanager
def speaker(sources, source, sample_rate, channels, samples):
    """Play one source, by default the first."""
    if source not in (None, *sources):
        raise InputError(f"received --source {source}, expected one of {', '.join(sources)}")
    index = 0 if source is None else sources.index(source)
    with _opened("OutputStream", sample_rate, channels, samples) as device:

        def write(separated):
            try:
                return device.write(np.ascontiguousarray(separated[..., index]))
            except _device_error() as error:
                raise InputError(f"received a speaker that stopped: {error}") from error

        yield write


def _device_error():
    """Return the class of errors of a device that is open, so sounddevice is there."""
    from sounddevice import PortAudioError

    return PortAudioError


@contextlib.contextmanager
def _opened(kind, sample_rate, channels, samples):
    """Open and start a device."""
    try:
        with installed_by("kerasep[live]"):
            import sounddevice
    except OSError as error:  # the package is there, PortAudio is not
        raise InputError(f"received a microphone or speaker without PortAudio: {error}") from error
    with contextlib.ExitStack() as stack:
        try:
            device = getattr(sounddevice, kind)(
                samplerate=sample_rate, channels=channels, blocksize=samples, dtype="float32"
            )
            stack.enter_context(device)
        except (sounddevice.PortAudioError, ValueError) as error:
            raise InputError(
                f"received no device for {channels} channels at {sample_rate} Hz: {error}"
            ) from error
        yield device


def _with_channels(part, channels, path):
    """Return the mean for one channel, and copies of a single channel for several."""
    if part.shape[1] == channels:
        return part
    if channels == 1:
        return part.mean(axis=1, keepdims=True)
    if part.shape[1] == 1:
        return np.repeat(part, channels, axis=1)
    raise InputError(f"received {path} with {part.shape[1]} channels, expected 1 or {channels}")
