"""Train a model by its recipe: compile, fit, checkpoints, recovery, resume."""

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from kerasep import data
from kerasep.data.datasets import scale
from kerasep.data.sampling import batches as batch_parts
from kerasep.data.sampling.failures import input_errors
from kerasep.errors import InputError
from kerasep.files.folder_lock import locked
from kerasep.system import logs
from kerasep.system.keras_private import symbolic_build
from kerasep.training.averages import AveragedValidation
from kerasep.training.batch_size import largest
from kerasep.training.callback_list import CallbackList
from kerasep.training.checkpoints import Checkpoints
from kerasep.training.devices import agreed, clustered, count, process, replica, spread
from kerasep.training.interruption import Interruption
from kerasep.training.monitoring import as_recipe, find_monitor
from kerasep.training.precision import in_precision
from kerasep.training.recipes import compile_model, complete_recipe, cosine, freeze, schedules
from kerasep.training.recovery import (
    NotFiniteError,
    check_share,
    divide_batches,
    halve_rate,
    ran_out_of_memory,
)
from kerasep.training.run_folder import RunFolder
from kerasep.training.run_state import RunState, capture, restore
from kerasep.training.splits import Tracks, split
from kerasep.training.statistics import adapt
from kerasep.training.training_data import TrainingData
from kerasep.training.waveform_training import fed_waveforms, transforms_on_device

log = logs.logger(__name__)


def train(
    model: keras.Model,
    tracks: Tracks,
    out: str | os.PathLike,
    valid: Tracks | None = None,
    *,
    recipe: Mapping[str, Any] | None = None,
    metrics: Sequence[str | keras.metrics.Metric] | None = None,
    monitor: str | None = None,
    dtype: str | None = None,
    jit_compile: bool | str | None = None,
    steps_per_execution: int | None = None,
    seed: int = 0,
    devices: int | str = 1,
    data_service: str | None = None,
    max_minutes: float | None = None,
    save_minutes: float = 5.0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int | str = 0,
) -> list[dict[str, float]]:
    """Train a model by its recipe. The same call resumes a run that was killed.

    The folder `out` gets `model.keras` (the best weights, by validation loss or `monitor`),
    `history.csv`, `recipe.json` and TensorBoard logs. It also holds `state.npz`: weights,
    optimizer, random seeds, running metrics and position in the data. A resumed run comes to the
    same result as an uninterrupted one.

    At the end the state becomes `final_state.npz`. With it, the same call with more epochs extends
    the run, to the result of a run that had them from the beginning. Only a cosine differs: its
    length is that of all epochs, so the learning rate rises again. A run that was stopped early
    gets its whole patience again.

    With `use_ema` in the optimizer's settings, the moving averages of the weights are validated
    and saved.

    If the loss is not finite, the run returns to the last state and continues with half the
    learning rate, up to five times. If a device runs out of memory, each batch is divided into
    parts whose gradients are summed. Both are logged.

    Args:
        model: a model of the zoo.
        tracks: folder of tracks, list of `kerasep.data.Track`, `kerasep.data.Pool`, or a folder
            written by `kerasep.data.prepare`.
        out: the run's folder, created if it is missing.
        valid: tracks to validate on. Default: the valid tracks of the data set, or every tenth
            training track (see `split`). With a single track there is no validation, and the
            training loss decides which weights are best.
        recipe: changes to `model.recipe`, with keys loss, loss_weights, optimizer, plateau,
            cosine, early_stopping, epochs, freeze (names or shell patterns of layers that are not
            trained), and `data`: arguments of `kerasep.data.waveforms`. `batch_size` may be "auto",
            the largest power of two that fits; `missing` applies to `valid` too. The next five
            arguments may be keys as well.
        metrics: names to log beside the loss ("si_sdr", "si_sdr_improvement", and the same of
            sd_sdr, snr, usdr and, for waveforms, si_snr), or Keras metrics. For spectrogram models
            they compare spectra (see `kerasep.metrics.SISDR`). Interchangeable sources are
            reordered for the best score. Defaults to none.
        monitor: the logged value that selects the best weights, and that plateau and early stopping
            watch, such as "val_si_sdr": the lowest loss, the highest ratio. Of a model with several
            outputs, "val_estimates_si_sdr". Defaults to "val_loss", or "loss" without validation.
        dtype: what layers compute in: "bfloat16", "float16" or "float32". Weights, losses and
            metrics stay float32, and so does `model.keras`. Defaults to the model's own.
        jit_compile: whether to compile the step by XLA, as in `keras.Model.compile`. Defaults to
            "auto".
        steps_per_execution: batches per call of the compiled step. Defaults to 1.
        seed: of crops and mixing. Defaults to 0.
        devices: how many devices share each batch, or "all", by `keras.distribution.DataParallel`
            on JAX and `tf.distribute.MirroredStrategy` on TensorFlow. Defaults to 1.
        data_service: address `tcp://HOST:PORT` of a data service that makes the training batches
            (see `kerasep.data.serving`). The batches are the same. Default: this process.
        max_minutes: time limit, including the time before a kill. The run ends before an epoch
            that would exceed it. Default: no limit.
        save_minutes: minutes between two states within an epoch. Defaults to 5.
        callbacks: more Keras callbacks, such as a progress bar. At the end of a batch they get the
            logs of the batch before, so that the device need not wait.
        verbose: as in `keras.Model.fit`. Defaults to 0.

    Returns:
        The history: a dict per epoch.

    Raises:
        InputError: the data or a setting is invalid, the devices cannot share a batch, the loss
            stays infinite, or the folder holds a finished run of as many epochs, a run with other
            settings, or one that another process is training.

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
    arguments: dict[str, Any] = {
        "metrics": None if metrics is None else as_recipe(metrics),
        "monitor": monitor,
        "dtype": dtype,
        "jit_compile": jit_compile,
        "steps_per_execution": steps_per_execution,
    }
    arguments = {key: value for key, value in arguments.items() if value is not None}
    recipe = complete_recipe(model, {**(recipe or {}), **arguments})
    freeze(model, recipe.get("freeze"))
    devices = count(devices)
    number, processes = process()
    if processes > 1 and (max_minutes is not None or recipe["data"]["batch_size"] == "auto"):
        raise InputError(
            "received max_minutes or batch_size='auto' on several hosts, expected neither: the "
            "hosts would not agree on it"
        )
    missing = recipe["data"].get("missing", "refuse")
    train_tracks, valid_tracks = split(tracks, valid, model.sources, missing)
    watched = find_monitor(model, recipe, bool(valid_tracks))
    schedules(recipe, watched)
    best_model = type(model).from_config(model.get_config())
    received_model, model = model, in_precision(model, recipe.get("dtype"))
    compile_model(model, recipe)
    spectra = any(map(data.prepared.holds_spectrograms, (train_tracks, valid_tracks)))
    on_device = transforms_on_device(model, recipe["data"], spectra)
    batches = TrainingData(
        model, train_tracks, valid_tracks, recipe["data"], seed, devices, data_service, on_device
    )
    folder = RunFolder(out, watched, recipe["epochs"], number == 0)
    interruption = Interruption()
    with contextlib.ExitStack() as stack:
        stack.enter_context(input_errors())
        stack.enter_context(interruption.watched())
        if recipe.get("jit_compile", "auto") == "auto":
            stack.enter_context(clustered(model, devices))

        def first_state():  # in the first process only, which writes the folder
            stack.enter_context(locked(out))
            settings = {"recipe": recipe, "seed": seed}
            return folder.start(model, settings) or _new_state(model, recipe, batches)

        state = agreed(first_state, RunState.read)
        check_share(state, devices)
        # Invalid data raises here, before the folder is written.
        batches.training(state)
        batches.validation(state)
        checkpoints = Checkpoints(folder, state, best_model, max_minutes, save_minutes)
        folder.begin(state)
        if folder.extends or (not state.epoch and not state.step):
            checkpoints.write()
        if folder.extends:
            folder.begin_extension(state)
        with spread(devices):
            trained = replica(model) if devices > 1 else model
            trained = fed_waveforms(trained) if on_device else trained
            fit_callbacks = [*callbacks, interruption]
            while recover := _train_until_failure(
                trained, recipe, batches, checkpoints, fit_callbacks, verbose
            ):
                # The failed step's memory is free only after the exception is gone.
                state = agreed(folder.read_state, RunState.read)
                recover(state)
                checkpoints.resume(state)
                checkpoints.write()
            weights = trained.get_weights()
        received_model.set_weights(weights)
        folder.finish(checkpoints.state.history)
    return checkpoints.state.history


def _new_state(model, recipe, batches):
    """Return a new run's state: with its batch size, and normalised by its data."""
    scale.warn_beyond_full_scale(batches.train_tracks)
    size = recipe["data"]["batch_size"]
    crops = batches.crops()
    number = int(crops.cardinality())
    limit = number // batches.devices
    if size == "auto":
        trained = fed_waveforms(model) if batches.on_device else model
        compile_model(trained, recipe)
        size = batches.devices * largest(trained, crops.element_spec, limit)
        log.info("batch size %d: the largest that fits", size)
    elif size > number and limit:
        wanted, size = size, limit * batches.devices
        log.info("an epoch has %d crops: batches of %d, not %d", number, size, wanted)
    adapt(model, batches.statistics(size))
    compile_model(model, recipe)
    model.optimizer.build(model.trainable_variables)
    return RunState(size, arrays=capture(model))


def _train_until_failure(
    model, recipe, batches, checkpoints, callbacks, verbose
) -> Callable[[RunState], None] | None:
    """Fit to the end and return None; after a failure, return what changes the last state."""
    state, devices = checkpoints.state, batches.devices
    try:
        replicas = devices if keras.backend.backend() == "tensorflow" else 1
        compile_model(model, recipe, state.parts, state.halvings, replicas)
        # On JAX a failed step leaves the donated variables empty.
        restore(model, checkpoints.pending, kinds=["weight"])
        lowered = [cosine(model, recipe["epochs"])] if recipe.get("cosine") else []
        while True:
            scheduled = [*schedules(recipe, checkpoints.folder.watched), *lowered]
            _fit(model, recipe, batches, checkpoints, scheduled, callbacks, verbose)
            if checkpoints.state.finished:
                return None
            # At the end of a fit Keras replaces the weights with their averages, or the best ones.
            checkpoints.resume(agreed(checkpoints.folder.read_state, RunState.read))
    except NotFiniteError as error:
        reason = str(error)
        return lambda last: halve_rate(last, reason)
    except Exception as error:  # each backend has its own class
        if not ran_out_of_memory(error):
            raise
        if process()[1] > 1:  # the others have not failed, and wait
            raise InputError("out of memory on one of several hosts: lower batch_size") from error
        return lambda last: divide_batches(last, devices)


def _fit(model, recipe, batches, checkpoints, scheduled, callbacks, verbose):
    """Fit to the end of an epoch that was begun before, or else all remaining epochs."""
    state, folder = checkpoints.state, checkpoints.folder
    training, steps = batches.training(state)
    # A run that was killed at its very end only gets its final weights.
    last = state.epoch if state.finished else recipe["epochs"]
    # Otherwise Keras would build the model from a batch, and read a pass of the data for it.
    symbolic_build(model, training.element_spec, once=batches.devices > 1)
    logged = [_TensorBoard(folder.path / "tensorboard", write_graph=False)] if folder.writes else []
    epochs = state.epoch + 1 if state.step else last
    copied = keras.backend.backend() == "jax" and steps is not None
    model.fit(
        batch_parts.as_arrays(training) if copied else training,
        validation_data=batches.validation(state),
        initial_epoch=state.epoch,
        epochs=epochs,
        steps_per_epoch=steps,
        verbose=verbose,
        shuffle=False,
        callbacks=CallbackList(
            [*logged, AveragedValidation(), *checkpoints.among(scheduled, callbacks)],
            add_history=True,
            add_progbar=verbose != 0,
            model=model,
            verbose=verbose,
            epochs=epochs,
            steps=steps or int(training.cardinality()),
        ),
    )
    state.finished |= model.stop_training


class _TensorBoard(keras.callbacks.TensorBoard):
    """Keras' callback, also for a folder whose name is not UTF-8: as bytes TensorFlow takes it."""

    def set_model(self, model):
        super().set_model(model)
        self._train_dir = os.fsencode(self._train_dir)
        self._val_dir = os.fsencode(self._val_dir)
