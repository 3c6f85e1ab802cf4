"""From tracks on disk to batches: tf.data pipelines for training and for validation."""

import itertools
from pathlib import Path

import tensorflow as tf

from kerasep.data.crops import Reader, TrainingPlan, ValidationPlan
from kerasep.data.service import live_batches
from kerasep.data.spectra import stft
from kerasep.data.stems import check_channels
from kerasep.data.tracks import find_tracks
from kerasep.errors import InputError


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
    seed=0,
    first_epoch=0,
    first_step=0,
    data_service=None,
):
    """Batches of mixtures and their sources, for models that take waveforms.

    Training crops are random and augmented. Every pass over the dataset, even one broken off, is
    the next epoch and has fresh crops; epoch `e` is the same in every run with the same seed and
    data, however many threads read and wherever the run was resumed. What does not fill a batch is
    left out. Mixing stems across tracks, gains and swapped channels follow Open-Unmix (Stöter et
    al. 2019, after Uhlich et al. 2017).

    Validation crops are consecutive, cover every track, are never changed and keep their order;
    the last one of a track is filled up with silence, the last batch may be smaller.

    Args:
        data: A folder (see `find_tracks`) or a list of `Track`.
        model: Anything with `sources`, `sample_rate` and `channels`.
        batch_size: Crops in a batch. Defaults to 16.
        crop_seconds: Duration of a crop; shorter tracks are filled up with silence. Defaults to 6.
        training: Whether crops are random and augmented. Defaults to True.
        crops_per_track: Crops of each track in a training epoch. Defaults to as many as cover it.
        remix: Probability that the stems of a training crop come from different tracks and places.
            Defaults to 0.5; 0 keeps all as recorded.
        gain: Range of the random factor of every stem. Defaults to (0.25, 1.25); None for none.
        swap: Whether the channels of half the stereo stems are swapped. Defaults to True.
        semitones: By how many whole semitones at most pitch and tempo of a training crop change,
            up or down, by resampling; stems of one recording together. Whole ones keep the
            tuning that recordings share. Defaults to 0.
        seed: Of all random choices, an integer from 0 on. Defaults to 0.
        first_epoch: Number of the first pass, for resumed training. Defaults to 0.
        first_step: Number of the first batch of the first pass, for training that goes on within
            an epoch; later passes are whole. The dataset's cardinality is then unknown. Defaults
            to 0.
        data_service: `grpc://HOST:PORT` of a tf.data service whose workers read and mix training
            crops (see `serving`); they must find the files under the same names. The dataset then
            never ends, batches come in no promised order, each at most once: give `fit` as
            `steps_per_epoch` the length of the dataset without it. Defaults to None.

    Returns:
        A tf.data.Dataset of (mixture `(batch, samples, channels)`, sources
        `(batch, samples, channels, sources)`), float32. The mixture is the sum of all stems, the
        ones that are no source of the model included.

    Raises:
        InputError: A setting is out of range, there is no track, a track lacks a source, or an
            epoch is smaller than a batch. Files that turn out to be damaged later on raise
            `tf.errors.InvalidArgumentError` with the same kind of message in it.

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
    samples = round(crop_seconds * model.sample_rate)
    if samples < 1 or batch_size < 1 or (crops_per_track is not None and crops_per_track < 1):
        raise InputError(
            f"received crop_seconds={crop_seconds}, batch_size={batch_size}, "
            f"crops_per_track={crops_per_track}: expected numbers above 0"
        )
    if not 0 <= remix <= 1 or (gain is not None and not 0 <= gain[0] <= gain[1]):
        raise InputError(
            f"received remix={remix}, gain={gain}: expected a probability, and a range of factors "
            "(low, high) or None"
        )
    if semitones < 0 or seed < 0:
        raise InputError(
            f"received semitones={semitones}, seed={seed}: expected whole numbers from 0 on"
        )
    tracks = find_tracks(data) if isinstance(data, str | Path) else list(data)
    if not tracks:
        raise InputError("received an empty list of tracks: expected one or more")
    groups = [track.groups(model.sources) for track in tracks]
    for stem in itertools.chain.from_iterable(itertools.chain(*groups)):
        check_channels(stem, model.channels)

    seconds = samples / model.sample_rate
    if training:
        swap = swap and model.channels == 2
        plan = TrainingPlan(
            tracks, model.sources, seconds, crops_per_track, remix, gain, swap, semitones, seed
        )
        if plan.length < batch_size:
            raise InputError(
                f"received batch_size={batch_size}, but an epoch of {len(tracks)} tracks has "
                f"{plan.length} crops: lower batch_size or raise crops_per_track"
            )
    else:
        plan = ValidationPlan(tracks, model.sources, seconds)
    reader = Reader(plan, samples, model)
    steps = plan.length // batch_size if training else -(-plan.length // batch_size)
    if first_epoch < 0 or not 0 <= first_step < steps:
        raise InputError(
            f"received first_epoch={first_epoch}, first_step={first_step}: expected a number from "
            f"0 on, and one of the {steps} batches of an epoch"
        )
    if data_service is not None:
        if not training:
            raise InputError("received data_service with training=False: validate without it")
        first = first_epoch * steps + first_step
        return live_batches(plan, samples, model, batch_size, steps, first, data_service)
    # Each pass takes the next pair of an epoch and the batch it starts at.
    passes = zip(itertools.count(first_epoch), itertools.chain([first_step], itertools.repeat(0)))

    def next_pass():
        yield next(passes)

    def read(epoch, step):
        first = step * batch_size
        return reader.batch(epoch, first, min(first + batch_size, plan.length))

    def batch(epoch, step):
        types = (tf.float32, tf.float32)
        mixture, sources = tf.numpy_function(read, (epoch, step), types, stateful=False)
        mixture.set_shape((batch_size if training else None, samples, model.channels))
        sources.set_shape((*mixture.shape, len(model.sources)))
        return mixture, sources

    number = tf.TensorSpec((), tf.int64)
    dataset = tf.data.Dataset.from_generator(next_pass, output_signature=(number, number)).flat_map(
        lambda epoch, start: tf.data.Dataset.range(start, steps).map(
            lambda step: batch(epoch, step), num_parallel_calls=2, deterministic=True
        )
    )
    if not first_step:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return dataset.prefetch(1)


def spectrograms(data, model, **options):
    """Batches of mixture magnitudes and references, for models that take spectrograms.

    Args:
        data: A folder (see `find_tracks`) or a list of `Track`.
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
    def transform(mixture, sources):
        signals = tf.concat([mixture[..., None], sources], axis=-1)
        batch, samples, channels, count = signals.shape
        flat = tf.reshape(signals, (-1, samples, channels * count))
        spectrum = stft(flat, **model.stft)
        _, frames, bins, _, _ = spectrum.shape
        reference = tf.reshape(spectrum, (-1, frames, bins, channels, count, 2))
        reference = tf.ensure_shape(reference, (batch, frames, bins, channels, count, 2))
        targets = dict.fromkeys(heads, reference) if isinstance(heads, dict) else reference
        return tf.norm(reference[..., 0, :], axis=-1), targets

    return waveforms(data, model, **options).map(transform).prefetch(1)
