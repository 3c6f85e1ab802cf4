"""From a preset's recipe to a trained model: fit, checkpoints, recovery, resume."""

import contextlib
import inspect
import pathlib

import keras

from kerasep import data
from kerasep.data.datasets import missing_stems, scale
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError
from kerasep.files.folder_lock import locked
from kerasep.system import logs
from kerasep.training.averages import AveragedValidation
from kerasep.training.batch_size import largest
from kerasep.training.devices import agreed, count, process, replica, spread
from kerasep.training.interruption import Interruption
from kerasep.training.recipes import compile_model, cosine, schedules
from kerasep.training.recovery import NotFiniteError, ran_out_of_memory, smaller_parts
from kerasep.training.run_folder import RunFolder
from kerasep.training.run_state import MOST_HALVINGS, RunState, capture, restore
from kerasep.training.tensorboard import TensorBoard
from kerasep.training.training_data import TrainingData
from kerasep.training.waveform_training import fed_waveforms, transforms_on_device
from kerasep.zoo.registry import merge_recipe

RECIPE_KEYS = (
    "loss",
    "loss_weights",
    "optimizer",
    "plateau",
    "cosine",
    "early_stopping",
    "epochs",
    "data",
)
log = logs.logger(__name__)


def train(
    model,
    tracks,
    out,
    valid=None,
    *,
    recipe=None,
    seed=0,
    devices=1,
    data_service=None,
    max_minutes=None,
    save_minutes=5.0,
    callbacks=(),
    verbose=0,
):
    """Train a model by its recipe, in a folder from which a later call can go on.

    The folder holds `model.keras` (the weights with the lowest validation loss), `history.csv`,
    `recipe.json`, TensorBoard logs and, until training ends, `state.npz`: weights, optimizer,
    random seeds, running metrics and place in the data. After a kill the same call goes on from
    there, and comes to what an unbroken run would have come to.

    Where there is an accelerator, batches of waveforms go there, and a model of spectrograms
    transforms them where it trains; elsewhere the pipeline does. The losses are the same.

    Where the optimizer averages its weights (`use_ema`), the averages are validated and kept.

    Where a loss is no longer a finite number, the run goes back to the state that was written last
    and on from there, over the same crops, at half the learning rate; after five times it gives up.
    Where a device runs out of memory, each batch is taken in parts from there on, whose gradients
    are summed. Both are logged.

    Args:
        model: a model of the zoo.
        tracks: what to train on: folder of tracks, list of `kerasep.data.Track`, or a folder that
            `kerasep.data.prepare` wrote.
        out: the run's folder; made if it is missing.
        valid: tracks to validate on. Default: the data set's own (see `split`), or every tenth of
            the training tracks is held out; with a single one there is no validation, and the
            training loss counts.
        recipe: settings that differ from `model.recipe`: loss, loss_weights, optimizer, plateau,
            cosine, early_stopping, epochs, and `data`, arguments of `kerasep.data.spectrograms`,
            whose `batch_size` may be "auto": the largest power of two that fits. Its `missing` is
            for the tracks of `valid` too.
        seed: decides which crops are drawn and how they are mixed. Defaults to 0.
        devices: over how many each batch is spread, or "all": on JAX by
            `keras.distribution.DataParallel`, on several hosts too, on TensorFlow by
            `tf.distribute.MirroredStrategy`. Defaults to 1.
        data_service: `tcp://HOST:PORT` of a data service that reads and mixes the training batches
            (see `kerasep.data.serving`): the same ones in the same order. Defaults to None: this
            process does.
        max_minutes: the run ends about then, if it can before an epoch that would take it past
            this; the time before a kill counts. Default: no limit.
        save_minutes: how often the state is written within an epoch. Defaults to 5.
        callbacks: more Keras callbacks, such as a progress display.
        verbose: as in `keras.Model.fit`. Defaults to 0.

    Returns:
        The history: a list of dicts, one an epoch.

    Raises:
        InputError: for data that cannot be used, an unknown setting, a batch that the devices
            cannot share, a loss that stays infinite, or a folder that holds a finished run or one
            of other settings, or in which another run is at work.

    Example:
    ```python
    import kerasep

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = kerasep.zoo.load("open_unmix_like/small", sources=["vocals"], hidden=16)
    recipe = {"epochs": 1, "data": {"batch_size": 2, "crop_seconds": 1.0, "crops_per_track": 1}}
    history = kerasep.training.train(model, "songs", "run", recipe=recipe)
    assert kerasep.zoo.load("run").sources == model.sources
    ```
    """
    unknown = set(recipe or {}) - set(RECIPE_KEYS)
    if unknown:
        raise InputError(
            f"received recipe setting {', '.join(sorted(unknown))}, expected one of "
            f"{', '.join(RECIPE_KEYS)}"
        )
    recipe = merge_recipe(model.recipe, recipe or {})
    if "epochs" not in recipe:
        raise InputError("received a recipe without epochs: give recipe={'epochs': ...}")
    if recipe["epochs"] < 1:
        raise InputError(f"received epochs={recipe['epochs']}, expected 1 or more")
    devices = count(devices)
    number, processes = process()
    if processes > 1 and (max_minutes is not None or recipe["data"].get("batch_size") == "auto"):
        raise InputError(
            "received max_minutes or a batch size of 'auto' on several hosts, expected neither: "
            "they would not agree on it"
        )
    check_settings(recipe["data"])
    missing = recipe["data"].get("missing", "refuse")
    train_tracks, valid_tracks = split(tracks, valid, model.sources, missing)
    monitor = "val_loss" if valid_tracks else "loss"
    compile_model(model, recipe)
    schedules(recipe, monitor)
    spectra = any(map(data.prepared.holds_spectrograms, (train_tracks, valid_tracks)))
    on_device = transforms_on_device(model, recipe["data"], spectra)
    batches = TrainingData(
        model, train_tracks, valid_tracks, recipe["data"], seed, devices, data_service, on_device
    )
    folder = RunFolder(out, monitor, recipe["epochs"], max_minutes, save_minutes, number == 0)

    def first_state():
        stack.enter_context(locked(out))  # in the first process alone: it writes the folder
        settings = {"recipe": recipe, "seed": seed}
        return folder.start(model, settings) or _new_state(model, recipe, batches)

    interruption = Interruption()
    callbacks = [*callbacks, interruption]
    with contextlib.ExitStack() as stack:
        stack.enter_context(input_errors())
        stack.enter_context(interruption.watched())
        state = agreed(first_state, RunState.read)
        _check_share(state, devices)
        # Not before: what is wrong with the data shows up to here, and leaves no folder behind.
        batches.training(state)
        batches.validation(state)
        folder.begin(model, state)
        with spread(devices):
            trained = replica(model) if devices > 1 else model
            trained = fed_waveforms(trained) if on_device else trained
            while not _trained(trained, recipe, batches, folder, callbacks, verbose):
                pass
            weights = trained.get_weights()
        model.set_weights(weights)
        folder.finish()
    return folder.history


def _new_state(model, recipe, batches):
    """Make the state that a new run begins with: its batch size, and the statistics of its data."""
    scale.warn_beyond_full_scale(batches.train_tracks)
    size = recipe["data"]["batch_size"]
    if size == "auto":
        crops = batches.crops()
        limit = int(crops.cardinality()) // batches.devices
        trained = fed_waveforms(model) if batches.on_device else model
        compile_model(trained, recipe)
        size = batches.devices * largest(trained, crops.element_spec, limit)
        log.info("batch size %d: the largest that fits", size)
    model.adapt(batches.statistics(size))
    compile_model(model, recipe)
    model.optimizer.build(model.trainable_variables)
    return RunState(size, arrays=capture(model))


def _trained(model, recipe, batches, folder, callbacks, verbose):
    """Train, and return whether to the end: after a failure the run can go on from its last state.

    A run that was killed at its end is only ended again, which decides what weights it leaves.
    """
    state = folder.state
    try:
        replicas = batches.devices if keras.backend.backend() == "tensorflow" else 1
        compile_model(model, recipe, state.parts, state.halvings, replicas)
        # A step that failed leaves a model of JAX's without values.
        restore(model, folder.pending, kinds=["weight"])
        lowered = [cosine(model, recipe["epochs"])] if recipe.get("cosine") else []
        while True:
            scheduled = [*schedules(recipe, folder.monitor), *lowered]
            _fit(model, recipe, batches, folder, folder.among(scheduled, callbacks), verbose)
            if folder.state.finished:
                return True
            # Where a fit ends, averages or best weights are written over those to go on from.
            folder.resume(agreed(folder.last_state, RunState.read))
    except NotFiniteError as error:
        reason, recover = str(error), _halve_rate
    except Exception as error:  # of a class of the backend's own
        if not ran_out_of_memory(error):
            raise
        if process()[1] > 1:  # the others may have had enough, and wait
            raise InputError("out of memory on one of several hosts: lower batch_size") from error
        reason, recover = "out of memory", _divide_batches
    # Out here nothing holds on to what the step had in memory.
    last = agreed(folder.last_state, RunState.read)
    recover(last, reason, batches)
    folder.resume(last)
    folder.write()
    return False


def _halve_rate(state, reason, _batches):
    if state.halvings == MOST_HALVINGS:
        raise InputError(
            f"received {reason}, also with the learning rate halved {MOST_HALVINGS} times: lower "
            f"the learning rate or the clipping norm, and choose another folder"
        )
    state.halve_rate()
    log.warning(
        "%s: back to epoch %d, batch %d, with the learning rate halved",
        reason, state.epoch + 1, state.step + 1,
    )  # fmt: skip


def _divide_batches(state, reason, batches):
    state.divide_batches(smaller_parts(state.batch_size, state.parts, batches.devices))
    _check_share(state, batches.devices)
    log.warning(
        "%s: back to epoch %d, batch %d, with each batch of %d taken in %d parts",
        reason, state.epoch + 1, state.step + 1, state.batch_size, state.parts,
    )  # fmt: skip


def _fit(model, recipe, batches, folder, callbacks, verbose):
    """Train to the end of the epoch that was begun before, or else all epochs that are left."""
    state = folder.state
    last = state.epoch if state.finished else recipe["epochs"]
    training, steps = batches.training(state)
    # Keras would build from a batch of its own drawing, and a pass over the data be lost.
    model._symbolic_build(data_batch=training.element_spec)
    if batches.devices > 1:
        model._maybe_symbolic_build = lambda *_, **__: None
    log_writer = TensorBoard(folder.path / "tensorboard", write_graph=False)
    model.fit(
        training,
        validation_data=batches.validation(state),
        initial_epoch=state.epoch,
        epochs=state.epoch + 1 if state.step else last,
        steps_per_epoch=steps,
        verbose=verbose,
        shuffle=False,
        callbacks=[*([log_writer] if folder.writes else []), AveragedValidation(), *callbacks],
    )
    state.finished |= model.stop_training


def _check_share(state, devices):
    """Refuse a batch that cannot be spread evenly, or not in parts."""
    share = state.batch_size // state.parts
    if state.parts > 1 and devices > 1 and keras.backend.backend() == "tensorflow":
        raise InputError(
            f"out of memory for batches of {state.batch_size} crops on {devices} devices, and "
            f"Keras takes none in parts there: lower batch_size, or set KERAS_BACKEND=jax"
        )
    if share % devices:
        raise InputError(
            f"received batches of {share} crops for {devices} devices, expected a multiple: change "
            f"batch_size, or the number of devices"
        )


def split(tracks, valid, sources, missing="refuse"):
    """Find the tracks to train and to validate on.

    Splits that the data set has itself count: where it has train tracks, no others are trained on,
    and its valid tracks are validated on if `valid` is None. Else every tenth song is held out,
    with all its clips.

    Args:
        tracks: folder, list of tracks, or `kerasep.data.Pool`.
        valid: likewise, or None to hold out every tenth song (none of a single one).
        sources: names that every track must have.
        missing: what to do about a track that lacks one: "silent", "skip" or "refuse" (see
            `kerasep.data.find_tracks`). Defaults to "refuse".

    Returns:
        Two lists of tracks, two pools (see `kerasep.data.pools.split_pool`), or twice the folder of
        prepared tracks, in which both are apart.

    Raises:
        InputError: for a folder without tracks, or a track without a source.
    """
    if data.prepared.is_prepared(tracks):
        held_out = tracks if data.prepared.holds_validation(tracks) else []
        return tracks, held_out if valid is None else _found(valid, sources, missing)
    if data.pools.is_pool(tracks):
        return data.pools.split_pool(tracks, valid, sources)
    tracks = _found(tracks, sources, missing)
    found = None if valid is None else _found(valid, sources, missing)
    train, valid = data.tracks.split(tracks, found)
    log.info("training on %d tracks, validating on %d", len(train), len(valid))
    return train, valid


def check_settings(settings):
    """Refuse data settings that the pipelines do not know, or lack.

    Args:
        settings: the recipe's `data`.

    Raises:
        InputError: naming them.
    """
    known = set(inspect.signature(data.waveforms).parameters)
    known -= {
        "data_service",
        "data",
        "model",
        "training",
        "seed",
        "first_epoch",
        "first_step",
        "part",
        "split",
    }
    unknown = set(settings) - known
    missing = {"batch_size", "crop_seconds"} - set(settings)
    if unknown or missing:
        raise InputError(
            f"received data settings {', '.join(sorted(settings)) or 'none'}, expected batch_size, "
            f"crop_seconds and any of {', '.join(sorted(known - {'batch_size', 'crop_seconds'}))}"
        )


def _found(tracks, sources, missing):
    if data.prepared.is_prepared(tracks):
        return tracks
    if isinstance(tracks, str | pathlib.Path):
        return data.find_tracks(tracks, sources, missing=missing)
    return missing_stems.with_sources(list(tracks), sources, missing)
