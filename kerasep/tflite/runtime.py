"""Separate recordings with an exported file; needs only NumPy and ai-edge-litert."""

import os

import numpy as np

from kerasep.data.audio.samples import as_floats
from kerasep.errors import InputError
from kerasep.separation import recordings
from kerasep.separation.bands import Band
from kerasep.tflite.format.metadata import expect_complete, parse_metadata, read_model
from kerasep.tflite.interpreter import Interpreter

# mode -> what to do with its files
_CALLS = {
    "separate": "call separate(audio)",
    "mask": "call estimate(magnitude)",
    "streaming": "open it with kerasep.tflite.StreamRuntime",
}


class Runtime:
    """A `.tflite` file from `kerasep.tflite.export`, ready to separate; no TensorFlow needed.

    Threads may share one: their chunks take turns, and results equal those of a single thread.

    Args:
        path: the file.
        threads: number of threads. Default: as many as there are processors, at most 4.

    Attributes:
        mode: "separate", or "mask", for files that only `estimate` runs.
        sources: tuple of names.
        sample_rate: in Hz.
        channels: channels of the mixture that the model takes.
        chunk: samples that the model takes at once.
        overlap: samples that neighbouring chunks of a long recording share.
        stft: dict of the transform's n_fft, hop and window; None for a waveform model.
        latency: samples from input to output of a causal model, else None.
        interchangeable: whether the model's sources come in any order.
        residual: the source that stands for the rest of the mixture, or None.
        metadata: dict, as `read_metadata` returns it.

    Raises:
        InputError: if the file is missing, damaged, not from kerasep, or its tensors contradict its
            metadata.

    Example:
    ```python
    import numpy as np
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    runtime = kerasep.tflite.Runtime("small.tflite")
    stems = runtime.separate(np.zeros((50000, 2), "float32"))
    assert stems["drums"].shape == (50000, 2)
    ```
    """

    def __init__(self, path: str | os.PathLike, threads: int | None = None):
        content = read_model(path)
        self.metadata = about = parse_metadata(content, path)
        self.mode = about["mode"]
        self.sources = tuple(about["sources"])
        if self.mode != "streaming":  # which StreamRuntime opens
            expect_complete(about, path)
        self.sample_rate = about.get("sample_rate")
        self.channels = about.get("channels")
        self.chunk = about.get("chunk")
        self.overlap = about.get("overlap")
        self.stft = about.get("stft")
        self.latency = about.get("latency")
        self.interchangeable = about["interchangeable"]
        self.residual = about["residual"]
        self._run = Interpreter(content, threads, path)
        channels, count = self.channels, len(self.sources)
        if self.mode == "separate":
            mixture = (1, self.chunk, channels)
            self._run.expect("separate", {"mixture": mixture}, {"sources": (*mixture, count)})
        elif self.mode == "mask":
            magnitude = (1, about.get("frames"), None, channels)
            self._run.expect("mask", {"magnitude": magnitude}, {"estimates": (*magnitude, count)})

    def process(self, chunk: np.ndarray) -> np.ndarray:
        """Separate one chunk of the length that the file takes.

        Args:
            chunk: array `(self.chunk, self.channels)`.

        Returns:
            Float32 array `(self.chunk, self.channels, sources)`.

        Raises:
            InputError: if the shape differs, samples are not floats or not finite, the file has
                another mode, or it computes NaN.
        """
        self._expect("separate")
        chunk = np.ascontiguousarray(as_floats(chunk))
        if chunk.shape != (self.chunk, self.channels):
            raise InputError(
                f"received a chunk of shape {chunk.shape}, expected ({self.chunk}, "
                f"{self.channels}): separate() takes any length"
            )
        if not np.isfinite(chunk).all():
            raise InputError("received a chunk with NaN or infinite samples, expected audio")
        return self._run.finite(self._run("separate", mixture=chunk[None])["sources"][0])

    def estimate(self, magnitude: np.ndarray) -> np.ndarray:
        """Estimate the sources' magnitudes with a file of mode "mask".

        Args:
            magnitude: magnitude of the mixture, array `(frames, bins, channels)` of the shape that
                the file takes, from a transform with the parameters `stft`.

        Returns:
            Float32 array `(frames, bins, channels, sources)`; divided by the mixture's magnitude
            they are masks.

        Raises:
            InputError: if the shape differs, numbers are not finite, or the file has another mode.
        """
        self._expect("mask")
        magnitude = np.ascontiguousarray(magnitude, "float32")
        expected = self._run.signatures["mask"][0]["magnitude"][1:]
        if magnitude.shape != expected:
            raise InputError(
                f"received a magnitude of shape {magnitude.shape}, expected {expected}: (frames, "
                f"bins, channels)"
            )
        if not np.isfinite(magnitude).all():
            raise InputError("received a magnitude with NaN or infinite values, expected numbers")
        return self._run.finite(self._run("mask", magnitude=magnitude[None])["estimates"][0])

    def separate(
        self,
        audio: str | os.PathLike | np.ndarray,
        sample_rate: int | None = None,
        *,
        band: Band = "full",
        track: int | None = None,
    ) -> dict[str, np.ndarray]:
        """Separate a recording of any length, sample rate and number of channels.

        It works as `kerasep.separate`: long recordings go in overlapping chunks, and channels in
        groups of as many as the model has.

        Args:
            audio: path of an audio file, or array `(samples, channels)` or `(samples,)`.
            sample_rate: sample rate of an array, in Hz. Default: that of the model. Only for
                arrays.
            band: "full": what lies outside the model's band goes to the source that stands for the
                rest of the mixture; "model": it is left out. Defaults to "full".
            track: number of the audio track, from 1, in a file with several. Defaults to the first.

        Returns:
            Dict from source name to float32 array `(samples, channels)`, at the recording's own
            rate.

        Raises:
            InputError: if the audio is missing, empty, damaged or not finite, or the file has
                another mode, or the band is unknown.
        """
        return recordings.separate(
            self.chunk_separator(), audio, sample_rate, band=band, track=track
        )

    def chunk_separator(self) -> recordings.ChunkSeparator:
        """Return what `kerasep.separation.recordings` separates chunks with."""
        self._expect("separate")
        return recordings.ChunkSeparator(
            lambda batch: np.stack([self.process(chunk) for chunk in batch]),
            self.sources,
            self.sample_rate,
            self.channels,
            self.chunk,
            self.overlap,
            self.metadata["hop"],
            fixed=True,
            interchangeable=self.interchangeable,
            residual=self.residual,
        )

    def _expect(self, mode):
        """Raise InputError for a file of another mode."""
        if self.mode != mode:
            raise InputError(
                f"received a file exported with mode={self.mode!r}, expected mode={mode!r} here: "
                f"{_CALLS.get(self.mode, 'update kerasep')}, or export the model again"
            )
