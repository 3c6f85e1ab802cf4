"""Build tf.data pipelines for training and validation from recordings on disk."""

import inspect
import os
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec

import tensorflow as tf

from kerasep.data import service
from kerasep.data.datasets.pools import Pool
from kerasep.data.datasets.tracks import Track
from kerasep.data.prepared.index import holds_spectrograms
from kerasep.data.sampling.passes import Passes
from kerasep.data.sampling.plans import open_reader
from kerasep.data.sampling.settings import Sampling
from kerasep.data.sampling.spectra import stft
from kerasep.data.service import jobs
from kerasep.errors import InputError
from kerasep.ops import count_stft_frames

P = ParamSpec("P")


def _with_arguments_of(function: Callable[P, tf.data.Dataset]):
    """Decorate a function `f(data, model, **options)` that takes the arguments of another."""

    def decorate(decorated: Callable[..., tf.data.Dataset]) -> Callable[P, tf.data.Dataset]:
        decorated.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
        return decorated

    return decorate


def waveforms(
    data: str | os.PathLike | Pool | Sequence[Track],
    model: Any,
    *,
    batch_size: int = 16,
    crop_seconds: float = 6.0,
    training: bool = True,
    crops_per_track: int | None = None,
    remix: float = 0.5,
    gain: tuple[float, float] | None = (0.25, 1.25),
    swap: bool = True,
    semitones: int = 0,
    snr: tuple[float, float] | None = None,
    min_sources: int | None = None,
    min_level: float | None = None,
    level: float | None = None,
    augment: dict[str, dict] | None = None,
    threads: int | None = None,
    seed: int = 0,
    first_epoch: int = 0,
    first_step: int = 0,
    part: tuple[int, int] = (0, 1),
    data_service: str | None = None,
    split: str | None = None,
    missing: str = "refuse",
    reader: str | None = None,
) -> tf.data.Dataset:
    """Build batches of mixtures and their sources, for models that take waveforms.

    Training crops are random and augmented. Every pass over the dataset, even one that stops after
    its first batch, is the next epoch and has new crops. An epoch is the same in every run with the
    same seed and data, for any number of threads, and also after a run was resumed. The last batch
    is left out unless it is full. Mixing stems across tracks, gains and swapped channels follow
    Open-Unmix (Stöter et al. 2019, after Uhlich et al. 2017).

    Validation crops are consecutive, cover every track, are never augmented and keep their order.
    The last crop of a track is padded with silence, and the last batch may be smaller. For a pool
    the validation crops are random mixtures, the same in every epoch.

    A file that can no longer be read, or has changed, is skipped from then on and logged once.
    Other crops take the place of its crops.

    Args:
        data: A folder (see `find_tracks` and `find_pool`), a list of `Track`, a `Pool`, or a folder
            that `prepare` wrote, which has tracks for training and for validation. Recordings in a
            pool of speakers are joined end to end and mixed with those of other speakers. The
            groups of a pool of instruments have the names of the sources.
        model: Anything with `sources`, `sample_rate` and `channels`.
        batch_size: Crops in a batch. Defaults to 16. In training, a batch larger than an epoch is
            reduced to that size, and logged.
        crop_seconds: Duration of a crop; shorter tracks are padded with silence. Defaults to 6.
        training: Whether crops are random and augmented. Defaults to True.
        crops_per_track: Crops of each track, or of each group of a pool, in an epoch. Defaults to
            as many as cover it.
        remix: Probability that the stems of a training crop come from different tracks and places.
            Defaults to 0.5; 0 keeps them as recorded.
        gain: Range of the random factor of every stem. Defaults to (0.25, 1.25); None for none.
        swap: Whether the channels of half the stereo stems are swapped. Defaults to True.
        semitones: The most whole semitones by which pitch and tempo of a training crop change, up
            or down, by resampling. Stems of one recording change together. Whole semitones keep
            the tuning that recordings share. Defaults to 0.
        snr: Range in dB of the first source's level over that of each other source, in training
            crops and in all crops of a pool. All sources then share one `gain`. Defaults to None:
            levels as recorded.
        min_sources: The fewest sources that are not silent in such a crop. The silent ones are
            random; with speakers they are the last ones. Silent targets need a loss that treats
            them like other targets, such as `kerasep.losses.LogL1` or one on spectrograms. With
            ratios such as `SISDR` they outweigh the rest. Defaults to None: no source is silent.
        min_level: Level in dB of full scale that every source of a training crop should reach. Up
            to seven other places are tried until it does, by short probes. Around -50 leaves out
            silence. Defaults to None: crops from anywhere.
        level: Level in dB of full scale to which each recording of a pool is scaled before it is
            joined to others, such as -25. Defaults to None: as loud as recorded.
        augment: Further augmentation of training crops: a dict from names of functions of
            `kerasep.data.augmentation` to their arguments, applied in this order. Two more
            arguments are `share`, the probability that a crop is changed (1 by default), and `on`:
            "sources" changes the sources, whose sum is the mixture, and "mixture" the mixture alone
            (the default for `add_noise` and `code`). Defaults to None.
        threads: Number of threads that read. Defaults to one per core.
        seed: Seed of all random choices, an integer from 0 on. Defaults to 0.
        first_epoch: Number of the first pass, for resumed training. Defaults to 0.
        first_step: Number of the first batch of the first pass, for training that resumes within
            an epoch. Later passes are whole. The dataset's cardinality is then unknown. Defaults
            to 0.
        part: (number, count): which of how many equal parts of every training batch to read, for
            one of several processes that train together. Defaults to (0, 1), the whole batch.
        data_service: `tcp://HOST:PORT` of a data service whose workers read and mix training crops
            (see `serving`), from files that they find under the same names. The batches and their
            order are the same, but the dataset never ends: pass the length of the dataset without
            it to `fit` as `steps_per_epoch`. Defaults to None.
        split: Which tracks to use of a data set that has splits: "train", "valid", "test" or "all".
            Defaults to its train tracks without those held out for validation, or with
            `training=False` to those held out: its valid tracks, else every tenth song, as in
            `kerasep train`. The test tracks are never among them. The number of tracks is logged. A
            data set without splits, or a list, is used whole.
        missing: What to do about a track that lacks a stem of a source: "silent" counts it as
            silence, "skip" leaves the track out, "refuse" raises an error. Defaults to "refuse".
        reader: What reads samples from audio files: "tensorflow-io", whose operations need
            TensorFlow 2.16, or None for kerasep's own decoders. Files that tensorflow-io does not
            read are left to these. Defaults to None.

    Returns:
        A tf.data.Dataset of (mixture `(batch, samples, channels)`, sources
        `(batch, samples, channels, sources)`), float32. The mixture is the sum of all stems,
        including those that are not a source of the model.

    Raises:
        InputError: A setting is out of range, there is no track, or a track lacks a source. If no
            file is left that can be read, the dataset raises `tf.errors.InvalidArgumentError` with
            such a message in it.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals", "bass"), sample_rate=16000, channels=1)
    dataset = kerasep.data.waveforms("songs", model, batch_size=2, crop_seconds=1.0)
    for mixture, sources in dataset.take(1):
        assert mixture.shape == (2, 16000, 1) and sources.shape == (2, 16000, 1, 2)
    ```
    """
    arguments = dict(locals())
    if holds_spectrograms(data):
        raise InputError(
            f"{data} holds spectrograms, expected waveforms: call spectrograms(), or prepare it as "
            "int16"
        )
    if "mask_spectrum" in (augment or {}):
        raise InputError("received augment mask_spectrum for waveforms: expected spectrograms")
    return _dataset(None, arguments)


@_with_arguments_of(waveforms)
def spectrograms(data, model, **options):
    """Build batches of mixture magnitudes and references, for models that take spectrograms.

    Args:
        data: As for `waveforms`; also a folder that `prepare` wrote as spectrograms.
        model: Anything with `sources`, `sample_rate`, `channels` and `stft`, a dict of `n_fft`,
            `hop` and `window`. If its `output` is a dict, as in a model with several heads,
            every head gets the same reference under its name.
        **options: As for `waveforms`.

    Returns:
        A tf.data.Dataset of (magnitude `(batch, frames, bins, channels)`, reference
        `(batch, frames, bins, channels, 1 + sources, 2)`, or a dict of it for each head), float32.
        The reference is the y_true of every spectrogram loss.

    Raises:
        InputError: As `waveforms`; also for a crop too short for one transform.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(
        sources=("vocals",), sample_rate=16000, channels=1, stft=dict(n_fft=512, hop=128)
    )
    dataset = kerasep.data.spectrograms("songs", model, batch_size=2, crop_seconds=1.0)
    for magnitude, reference in dataset.take(1):
        assert magnitude.shape == (2, 126, 257, 1) and reference.shape == (2, 126, 257, 1, 2, 2)
    ```
    """
    heads = getattr(model, "output", None)

    @tf.autograph.experimental.do_not_convert  # it would wrap our errors in its own
    def transform(mixture, sources, mask=None):
        signals = tf.concat([mixture[..., None], sources], axis=-1)
        batch, samples, channels, count = signals.shape
        flat = tf.reshape(signals, (-1, samples, channels * count))
        spectrum = stft(flat, **model.stft)
        _, frames, bins, _, _ = spectrum.shape
        reference = tf.reshape(spectrum, (-1, frames, bins, channels, count, 2))
        reference = tf.ensure_shape(reference, (batch, frames, bins, channels, count, 2))
        return targets(reference, mask)

    def targets(reference, mask=None):
        if mask is not None:
            reference *= mask[..., None, None, None]
        y_true = dict.fromkeys(heads, reference) if isinstance(heads, dict) else reference
        # The norm, in half the time that tf.norm takes.
        power = tf.square(reference[..., 0, 0]) + tf.square(reference[..., 0, 1])
        return tf.sqrt(power), y_true

    arguments = inspect.signature(waveforms).bind(data, model, **options)
    arguments.apply_defaults()
    return _dataset(targets if holds_spectrograms(data) else transform, arguments.arguments)


def _dataset(transform, arguments):
    """Build the dataset of `waveforms`, and apply a function to its batches unless it is None."""
    sampling = Sampling.of(arguments)
    data, model, training = (arguments[name] for name in ("data", "model", "training"))
    first_epoch, first_step = arguments["first_epoch"], arguments["first_step"]
    part, data_service = arguments["part"], arguments["data_service"]
    number, parts = part
    if sampling.batch_size % parts or not 0 <= number < parts:
        raise InputError(
            f"received part={part} of batches of {sampling.batch_size}: expected (number, count) "
            "with a count that divides it"
        )
    if first_epoch < 0 or first_step < 0:
        raise InputError(
            f"received first_epoch={first_epoch}, first_step={first_step}: expected whole numbers "
            "from 0 on"
        )
    if data_service is not None and not training:
        raise InputError("received data_service with training=False: validate without it")
    if data_service is not None and parts > 1:
        raise InputError(
            f"received data_service and part={part}, expected one of them: a service builds whole "
            "batches, read parts without it"
        )
    reader = open_reader(data, model, sampling, training, arguments["split"], arguments["missing"])
    if training:
        sampling = sampling.within(reader.source.plan.length, parts)
    share = sampling.batch_size // parts
    steps = reader.steps(sampling.batch_size, training)
    if first_step >= steps:
        raise InputError(
            f"received first_step={first_step}: expected one of the {steps} batches of an epoch"
        )

    def examples(step):
        first = step * sampling.batch_size + number * share
        return first, min(first + share, reader.source.plan.length)

    def read(epoch, step):
        return reader.batch(epoch, *examples(step))

    def masks(epoch, step):
        n_fft, hop = model.stft["n_fft"], model.stft["hop"]
        shape = count_stft_frames(samples, n_fft, hop), n_fft // 2 + 1
        return reader.effects.spectrum_masks(*shape, epoch, range(*examples(step)))

    def with_mask(epoch, step, *arrays):
        if not reader.effects.masks:
            return arrays
        mask = tf.numpy_function(masks, (epoch, step), tf.float32, stateful=False)
        return *arrays, tf.ensure_shape(mask, (None, None, None))

    def batch(epoch, step):
        types = [tf.float32] * len(specs)
        arrays = tf.numpy_function(read, (epoch, step), types, stateful=False)
        arrays = [tf.ensure_shape(a, spec.shape) for a, spec in zip(arrays, specs, strict=True)]
        return with_mask(epoch, step, *arrays)

    def epoch_of_batches(epoch, start):
        return tf.data.Dataset.range(start, steps).map(
            lambda step: batch(epoch, step), num_parallel_calls=2, deterministic=True
        )

    samples = round(sampling.crop_seconds * model.sample_rate)
    specs = [tf.TensorSpec(shape) for shape in reader.shapes(share if training else None)]
    if data_service is not None:
        job = jobs.describe(reader.source.data, model, sampling, steps)
        first = first_epoch * steps + first_step
        dataset = service.batches(job, specs, first, data_service).map(with_mask)
        return dataset.map(transform).prefetch(1) if transform else dataset
    passes = Passes(first_epoch, first_step, steps)
    scalar = tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(passes.start, output_signature=(scalar, scalar))
    dataset = dataset.flat_map(epoch_of_batches)
    if not first_step:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    dataset = dataset.prefetch(1)
    if transform is not None:
        dataset = dataset.map(transform).prefetch(1)
    return passes.counted(dataset)
