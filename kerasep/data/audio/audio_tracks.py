"""Which of several audio tracks of a file is meant: films, concerts and stem files have many."""

import os

from kerasep.data.audio.audio_info import warn_once
from kerasep.data.audio.decoders import is_plain, open_audio
from kerasep.errors import InputError


def tracks(path: str | os.PathLike) -> list[str]:
    """Describe the audio tracks of a file.

    Args:
        path: The file.

    Returns:
        A line for each track: codec, rate, channels, and language and title if it has them. What
        `kerasep.data.read` takes as `stream` is the place in this list, from 0.

    Raises:
        InputError: As `kerasep.data.info`.

    Example:
    ```python
    import kerasep
    from kerasep.data import audio_tracks

    kerasep.data.write("song.wav", kerasep.data.song(0, 1.0)["vocals"], 16000, overwrite=True)
    assert audio_tracks.tracks("song.wav") == ["16000 Hz, 1 channel"]
    ```
    """
    with open_audio(path) as audio:
        rate, _, channels = audio.info
    if not is_plain(path):
        from kerasep.data.audio.av_stream import describe_tracks

        return describe_tracks(path)
    return [f"{rate} Hz, {channels} channel{'s' if channels > 1 else ''}"]


def stream_of(path: str | os.PathLike, track: int | None = None) -> int:
    """Return the stream that a track's number stands for, and log which tracks there are.

    Args:
        path: The file.
        track: The number of the track, from 1. Defaults to the first, with a line in the log that
            names all if there are several.

    Returns:
        What `kerasep.data.read` takes as `stream`, from 0.

    Raises:
        InputError: The file has no such track, or as `kerasep.data.info`.

    Example:
    ```python
    import kerasep
    from kerasep.data import audio_tracks

    kerasep.data.write("song.wav", kerasep.data.song(0, 1.0)["vocals"], 16000, overwrite=True)
    assert audio_tracks.stream_of("song.wav", track=1) == 0
    ```
    """
    found = tracks(path)
    listed = "; ".join(f"{number}: {line}" for number, line in enumerate(found, start=1))
    if track is None:
        if len(found) > 1:
            warn_once(f"{path} has {len(found)} audio tracks, track 1 is taken: {listed}")
        return 0
    if not 1 <= track <= len(found):
        raise InputError(f"received track {track} for {path}, expected one of its tracks: {listed}")
    return track - 1
