"""From recordings on disk to batches: tf.data pipelines for training and for validation."""

import inspect
from dataclasses import asdict

import tensorflow as tf

from kerasep.data import prepared, service
from kerasep.data.sampling.effects import Effects
from kerasep.data.sampling.mixing import Mixing
from kerasep.data.sampling.passes import Passes
from kerasep.data.sampling.plans import plan_crops
from kerasep.data.sampling.pool_crops import PoolCrops
from kerasep.data.sampling.reader import Reader
from kerasep.data.sampling.spectra import stft
from kerasep.data.service import jobs
from kerasep.errors import InputError
from kerasep.ops import count_stft_frames


def waveforms(
    data,
    model,
    *,
    batch_size=16,
    crop_seconds=6.0,
    training=True,
    crops_per_track=None,
    remix=0.5,
    gain=(0.25, 1.25),
    swap=True,
    semitones=0,
    snr=None,
    min_sources=None,
    min_level=None,
    level=None,
    augment=None,
    threads=None,
    seed=0,
    first_epoch=0,
    first_step=0,
    part=(0, 1),
    data_service=None,
    split=None,
    missing="refuse",
):
    """Batches of mixtures and their sources, for models that take waveforms.

    Training crops are random and augmented. Every pass over the dataset, even one broken off after
    its first batch, is the next epoch and has fresh crops; epoch `e` is the same in every run with
    the same seed and data, however many threads read and wherever the run was resumed. What does
    not fill a batch is left out. Mixing stems across tracks, gains and swapped channels follow
    Open-Unmix (Stöter et al. 2019, after Uhlich et al. 2017).

    Validation crops are consecutive, cover every track, are never changed and keep their order;
    the last one of a track is filled up with silence, the last batch may be smaller. Of a pool they
    are mixtures drawn once and for all.

    A file that cannot be read any more, or has changed, is skipped from then on, with a line in the
    log, and other crops take the place of its own.

    Args:
        data: A folder (see `find_tracks` and `find_pool`), a list of `Track`, or a `Pool`: of
            speakers, whose recordings are joined end to end and mixed with those of others, never
            with their own, or of instruments, by the names of the sources. Or a folder that
            `prepare` wrote: of its tracks those for training or for validation, without semitones,
            snr, min_sources, min_level, level and augment, which need the recordings.
        model: Anything with `sources`, `sample_rate` and `channels`.
        batch_size: Crops in a batch. Defaults to 16.
        crop_seconds: Duration of a crop; shorter tracks are filled up with silence. Defaults to 6.
        training: Whether crops are random and augmented. Defaults to True.
        crops_per_track: Crops of each track, or of each group of a pool, in an epoch. Defaults to
            as many as cover it.
        remix: Probability that the stems of a training crop come from different tracks and places.
            Defaults to 0.5; 0 keeps all as recorded.
        gain: Range of the random factor of every stem. Defaults to (0.25, 1.25); None for none.
        swap: Whether the channels of half the stereo stems are swapped. Defaults to True.
        semitones: By how many whole semitones at most pitch and tempo of a training crop change,
            up or down, by resampling; stems of one recording together. Whole ones keep the
            tuning that recordings share. Defaults to 0.
        snr: Range in dB of the first source's level over that of each other in training crops, and
            in all of a pool; `gain` is then one for all. Defaults to None: levels as recorded.
        min_sources: The fewest sources that sound in such a crop; the others are silent: which ones
            is drawn, with speakers it is the last. Silent targets need a loss for which they are
            targets like any other, such as `kerasep.losses.LogL1` or one on spectrograms; with
            ratios such as `SISDR` they outweigh the rest. Defaults to None: all sound.
        min_level: Level in dB of full scale that every source of a training crop should reach:
            until it does, up to seven other places are tried, by short probes. Around -50 leaves
            out silence. Defaults to None: crops from anywhere.
        level: Level in dB of full scale to which each recording of a pool is brought before it is
            joined to others, such as -25. Defaults to None: as loud as recorded.
        augment: What else happens to training crops: a dict from names of functions of
            `kerasep.data.augmentation` to their arguments, applied in this order. Beside the
            arguments, `share` is the probability of each crop to be changed (1 by default), `on`
            whether the "sources" are changed, whose sum the mixture is, or the "mixture" alone (by
            default for `add_noise` and `code`). Defaults to None.
        threads: How many threads read. Defaults to one for each core.
        seed: Of all random choices, an integer from 0 on. Defaults to 0.
        first_epoch: Number of the first pass, for resumed training. Defaults to 0.
        first_step: Number of the first batch of the first pass, for training that goes on within
            an epoch; later passes are whole. The dataset's cardinality is then unknown. Defaults
            to 0.
        part: Which of how many equal parts of every training batch to read, for one of several
            processes that train together. Defaults to (0, 1), the whole.
        data_service: `tcp://HOST:PORT` of a data service whose workers read and mix training crops
            (see `serving`), from files that they find under the same names. The batches are the
            same in the same order, but the dataset never ends: give `fit` the length of the dataset
            without it as `steps_per_epoch`. Defaults to None.
        split: Which tracks of a data set that has splits of its own: "train", "valid", "test" or
            "all". By default its train tracks, less those that are held apart to validate on, as
            `kerasep train` does, or with `training=False` the latter: its valid tracks, else every
            tenth song. Never its test tracks. The log says how many. A data set without splits, or
            a list, is taken whole.
        missing: What to do about a track that lacks a stem of a source: "silent" counts it as
            silence, "skip" leaves the track out, "refuse" raises an error. Defaults to "refuse".

    Returns:
        A tf.data.Dataset of (mixture `(batch, samples, channels)`, sources
        `(batch, samples, channels, sources)`), float32. The mixture is the sum of all stems, the
        ones that are no source of the model included.

    Raises:
        InputError: A setting is out of range, there is no track, a track lacks a source, or an
            epoch is smaller than a batch. When no file is left that can be read, the dataset raises
            `tf.errors.InvalidArgumentError` with such a message in it.

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
    return _dataset(
        data,
        model,
        None,
        batch_size=batch_size,
        crop_seconds=crop_seconds,
        training=training,
        crops_per_track=crops_per_track,
        remix=remix,
        gain=gain,
        swap=swap,
        semitones=semitones,
        snr=snr,
        min_sources=min_sources,
        min_level=min_level,
        level=level,
        augment=augment,
        threads=threads,
        seed=seed,
        first_epoch=first_epoch,
        first_step=first_step,
        part=part,
        data_service=data_service,
        split=split,
        missing=missing,
    )


def spectrograms(data, model, **options):
    """Batches of mixture magnitudes and references, for models that take spectrograms.

    Args:
        data: As for `waveforms`; also a folder that `prepare` wrote as spectrograms.
        model: Anything with `sources`, `sample_rate`, `channels` and `stft`, a dict of `n_fft`,
            `hop` and `window`. Where it has an `output` that is a dict, as a model with several
            heads has, every head is given the same reference under its name.
        **options: As for `waveforms`.

    Returns:
        A tf.data.Dataset of (magnitude `(batch, frames, bins, channels)`, reference
        `(batch, frames, bins, channels, 1 + sources, 2)`, or a dict of it for each head), float32:
        the reference is the y_true of every spectrogram loss.

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
        if mask is not None:
            reference *= tf.reshape(mask, (-1, frames, bins, 1, 1, 1))
        return targets(reference)

    def targets(reference):
        each = dict.fromkeys(heads, reference) if isinstance(heads, dict) else reference
        return tf.norm(reference[..., 0, :], axis=-1), each

    arguments = inspect.signature(waveforms).bind(data, model, **options)
    arguments.apply_defaults()
    transformed = prepared.holds_spectrograms(data)
    return _dataset(transform=targets if transformed else transform, **arguments.arguments)


def _dataset(
    data,
    model,
    transform,
    *,
    batch_size,
    crop_seconds,
    training,
    crops_per_track,
    augment,
    threads,
    seed,
    first_epoch,
    first_step,
    part,
    data_service,
    split,
    missing,
    swap,
    **mixing,
):
    samples = round(crop_seconds * model.sample_rate)
    if samples < 1 or batch_size < 1 or (crops_per_track is not None and crops_per_track < 1):
        raise InputError(
            f"received crop_seconds={crop_seconds}, batch_size={batch_size}, "
            f"crops_per_track={crops_per_track}: expected numbers above 0"
        )
    if seed < 0 or first_epoch < 0 or first_step < 0 or (threads is not None and threads < 1):
        raise InputError(
            f"received seed={seed}, first_epoch={first_epoch}, first_step={first_step}, "
            f"threads={threads}: expected whole numbers from 0 on, at least one thread"
        )
    number, parts = part
    share = batch_size // parts
    if batch_size % parts or not 0 <= number < parts:
        raise InputError(
            f"received part={part} of batches of {batch_size}: expected (number, count) with a "
            "count that divides it"
        )
    if data_service is not None and not training:
        raise InputError("received data_service with training=False: validate without it")
    if data_service is not None and parts > 1:
        raise InputError(
            f"received data_service and part={part}, expected one of them: a service makes whole "
            "batches, read parts without it"
        )
    effects = Effects(augment if training else None, model.sample_rate, seed)
    if effects.masks and transform is None:
        raise InputError("received augment mask_spectrum for waveforms: expected spectrograms")
    mixing = Mixing(swap=swap and model.channels == 2, **mixing)
    served = {
        "model": jobs.signal(model),
        "samples": samples,
        "batch_size": batch_size,
        "crops_per_track": crops_per_track,
        "mixing": asdict(mixing),
        "augment": jobs.augmentation(augment),
        "threads": threads,
        "seed": seed,
    }
    if prepared.is_prepared(data):
        if split is not None:
            raise InputError(
                f"received split={split!r} for the prepared {data}: expected none, what is trained "
                "and validated on was decided when it was prepared"
            )
        options = {"training": training, "crops_per_track": crops_per_track, "augment": augment}
        options |= {"batch_size": batch_size, "seed": seed, "part": part, **asdict(mixing)}
        steps, batches = prepared.batches(data, model, crop_seconds=crop_seconds, **options)
        if data_service is None:
            return _passes(steps, batches, first_epoch, first_step, transform)
        spec = batches(tf.constant(0, tf.int64), 0).element_spec
        served |= {"data": jobs.described(data), "steps": steps}
        first = first_epoch * steps + first_step
        dataset = service.batches(served, tf.nest.flatten(spec), first, data_service)
        dataset = dataset.map(lambda _epoch, _step, *arrays: tf.nest.pack_sequence_as(spec, arrays))
        return dataset.map(transform).prefetch(1) if transform else dataset
    seconds = (effects.samples_needed(samples) if training else samples) / model.sample_rate
    plan = plan_crops(data, model, seconds, mixing, crops_per_track, seed, training, split, missing)
    steps = plan.length // batch_size if training else -(-plan.length // batch_size)
    if not steps:
        raise InputError(
            f"received batch_size={batch_size}, but an epoch has {plan.length} crops: lower "
            "batch_size or raise crops_per_track"
        )

    def indices(step):
        first = step * batch_size + number * share
        return first, min(first + share, plan.length)

    def masks(epoch, step):
        n_fft, hop = model.stft["n_fft"], model.stft["hop"]
        shape = count_stft_frames(samples, n_fft, hop), n_fft // 2 + 1
        return effects.spectrum_masks(*shape, epoch, range(*indices(step)))

    def masked(epoch, step, mixture, sources):
        if not effects.masks:
            return mixture, sources
        mask = tf.numpy_function(masks, (epoch, step), tf.float32, stateful=False)
        return mixture, sources, mask

    if data_service is not None:
        shape = (batch_size, samples, model.channels)
        specs = [tf.TensorSpec(shape), tf.TensorSpec((*shape, len(model.sources)))]
        data = plan.pool if isinstance(plan, PoolCrops) else plan.tracks
        served |= {"data": jobs.described(data), "steps": steps}
        first = first_epoch * steps + first_step
        dataset = service.batches(served, specs, first, data_service).map(masked)
        return dataset.map(transform).prefetch(1) if transform else dataset
    reader = Reader(plan, samples, model, effects, threads)

    def read(epoch, step):
        return reader.batch(epoch, *indices(step))

    def batch(epoch, step):
        types = (tf.float32, tf.float32)
        mixture, sources = tf.numpy_function(read, (epoch, step), types, stateful=False)
        mixture.set_shape((share if training else None, samples, model.channels))
        sources.set_shape((*mixture.shape, len(model.sources)))
        return masked(epoch, step, mixture, sources)

    def epoch_of_batches(epoch, start):
        return tf.data.Dataset.range(start, steps).map(
            lambda step: batch(epoch, step), num_parallel_calls=2, deterministic=True
        )

    return _passes(steps, epoch_of_batches, first_epoch, first_step, transform)


def _passes(steps, epoch_of_batches, first_epoch, first_step, transform):
    """Make a dataset whose every pass is the next epoch."""
    if first_step >= steps:
        raise InputError(
            f"received first_step={first_step}: expected one of the {steps} batches of an epoch"
        )
    passes = Passes(first_epoch, first_step, steps)
    number = tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(
        passes.start, output_signature=(number, number)
    ).flat_map(epoch_of_batches)
    if not first_step:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    dataset = dataset.prefetch(1)
    if transform is not None:
        dataset = dataset.map(transform).prefetch(1)
    return passes.counted(dataset)
