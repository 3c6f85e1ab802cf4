"""From a preset's recipe to a trained model: compile, fit, checkpoints, logs, resume."""

import inspect
import json
import math
import pathlib

import keras

from kerasep import __version__, data, losses
from kerasep.data.failures import input_errors
from kerasep.errors import InputError
from kerasep.run_folder import RunFolder
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
STATISTICS_SECONDS = 600


def train(
    model,
    tracks,
    out,
    valid=None,
    *,
    recipe=None,
    seed=0,
    max_minutes=None,
    callbacks=(),
    verbose=0,
):
    """Train a model by its recipe, in a folder from which a later call can go on.

    The folder holds `model.keras` (the weights with the lowest validation loss), `history.csv`,
    `recipe.json`, TensorBoard logs and, until training ends, the state after the last whole epoch.
    After a kill the same call goes on from there, with the crops, learning rate and patience that
    an unbroken run would have had.

    Args:
        model: a model of the zoo.
        tracks: folder of tracks, list of `kerasep.data.Track`, or folder that `kerasep.data.prepare`
            wrote, to train on.
        out: the run's folder; made if it is missing.
        valid: tracks to validate on. Default: the data set's own (see `split`), or every tenth of
            the training tracks is held out; with a single one there is no validation, and the
            training loss counts.
        recipe: settings that differ from `model.recipe`: loss, loss_weights, optimizer, plateau,
            cosine, early_stopping, epochs, and `data`, arguments of `kerasep.data.spectrograms`.
        seed: decides which crops are drawn and how they are mixed. Defaults to 0.
        max_minutes: the run ends about then, if it can before an epoch that would take it past
            this; the time before a kill counts. Default: no limit.
        callbacks: more Keras callbacks, such as a progress display.
        verbose: as in `keras.Model.fit`. Defaults to 0.

    Returns:
        The history: a list of dicts, one an epoch.

    Raises:
        InputError: for data that cannot be used, an unknown setting, or a folder that holds a
            finished run or one of other settings.

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
    train_tracks, valid_tracks = split(tracks, valid, model.sources)
    pipeline = data.spectrograms if model.domain == "spectrogram" else data.waveforms
    check_settings(recipe["data"])
    monitor = "val_loss" if valid_tracks else "loss"
    folder = RunFolder(out, monitor, max_minutes)
    compile_model(model, recipe)
    watchers = schedules(recipe, monitor)
    folder.start(model, {"recipe": recipe, "seed": seed, "kerasep": __version__})
    with input_errors():
        if not folder.history:
            model.adapt(_statistics(train_tracks, model, pipeline, recipe["data"], seed))
        training = pipeline(
            train_tracks, model, seed=seed, first_epoch=len(folder.history), **recipe["data"]
        )
        validation = None
        if valid_tracks:
            size = {key: recipe["data"][key] for key in ("batch_size", "crop_seconds")}
            validation = pipeline(valid_tracks, model, training=False, **size)
        # Not before: what is wrong with the data shows up to here, and leaves no folder behind.
        folder.write_settings()
        model.fit(
            training,
            validation_data=validation,
            initial_epoch=len(folder.history),
            epochs=recipe["epochs"],
            verbose=verbose,
            shuffle=False,
            # The folder comes after what it replays, the others' on_train_begin being over.
            callbacks=[
                keras.callbacks.TensorBoard(folder.path / "tensorboard", write_graph=False),
                *folder.replayed(watchers),
                *([cosine(model, recipe["epochs"])] if recipe.get("cosine") else []),
                folder,
                *callbacks,
            ],
        )
    folder.finish()
    return folder.history


def _statistics(tracks, model, pipeline, settings, seed):
    """What a model's normalisation starts from: kept with prepared tracks, else some batches."""
    known = data.prepared.statistics(tracks, model) if data.prepared.is_prepared(tracks) else None
    if known:
        return known
    seconds = settings["batch_size"] * settings["crop_seconds"]
    batches = max(1, round(STATISTICS_SECONDS / seconds))
    return pipeline(tracks, model, seed=seed, **settings).take(batches)


def split(tracks, valid, sources):
    """Find the tracks to train and to validate on.

    Splits that the data set has itself count: where it has train tracks, no others are trained on,
    and its valid tracks are validated on if `valid` is None. Else every tenth song is held out,
    with all its clips.

    Args:
        tracks: folder, or list of tracks.
        valid: likewise, or None to hold out every tenth song (none of a single one).
        sources: names that every track must have.

    Returns:
        Two lists of tracks, or the folder of prepared tracks in their place.

    Raises:
        InputError: for a folder without tracks, or a track without a source.
    """
    if data.prepared.is_prepared(tracks):
        held_out = tracks if data.prepared.holds_validation(tracks) else []
        return tracks, held_out if valid is None else _found(valid, sources)
    tracks = _found(tracks, sources)
    return data.tracks.split(tracks, None if valid is None else _found(valid, sources))


def check_settings(settings):
    """Refuse data settings that the pipelines do not know, or lack.

    Args:
        settings: the recipe's `data`.

    Raises:
        InputError: naming them.
    """
    known = set(inspect.signature(data.waveforms).parameters)
    known -= {"data", "model", "training", "seed", "first_epoch", "first_step"}
    unknown = set(settings) - known
    missing = {"batch_size", "crop_seconds"} - set(settings)
    if unknown or missing:
        raise InputError(
            f"received data settings {', '.join(sorted(settings)) or 'none'}, expected batch_size, "
            f"crop_seconds and any of {', '.join(sorted(known - {'batch_size', 'crop_seconds'}))}"
        )


def compile_model(model, recipe):
    """Compile a model with a recipe's loss and optimizer.

    Args:
        model: a model of the zoo.
        recipe: dict with `loss` and `optimizer`, each in Keras' serialised form. For a model with
            several outputs, `loss` is a dict of one for each by name, and `loss_weights` a dict of
            what each counts in their sum.

    Raises:
        InputError: for a loss or optimizer that Keras does not know, or losses and weights that are
            not those of the model's outputs.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.training.compile_model(model, model.recipe)
    ```
    """
    _check_heads(model, recipe)
    weights = recipe.get("loss_weights")
    try:
        optimizer = keras.optimizers.get(recipe["optimizer"])
        if isinstance(model.output, dict):
            loss = {head: _loss(config) for head, config in recipe["loss"].items()}
        else:
            loss = _loss(recipe["loss"])
    except (ValueError, TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"received a recipe with loss {json.dumps(recipe.get('loss'))} and optimizer "
            f"{json.dumps(recipe.get('optimizer'))}, expected ones that Keras knows: {reason}"
        ) from error
    model.compile(optimizer=optimizer, loss=loss, loss_weights=weights)


def schedules(recipe, monitor):
    """Make a recipe's learning rate schedule and early stopping.

    Args:
        recipe: dict that may hold `plateau` (factor, patience) and `early_stopping` (patience).
        monitor: the logged loss that they watch.

    Returns:
        List of Keras callbacks.

    Raises:
        InputError: for a setting that the callback does not have.
    """
    kinds = {
        "plateau": keras.callbacks.ReduceLROnPlateau,
        "early_stopping": keras.callbacks.EarlyStopping,
    }
    try:
        return [
            kind(monitor=monitor, mode="min", **recipe[key])
            for key, kind in kinds.items()
            if recipe.get(key)
        ]
    except (TypeError, ValueError) as error:
        raise InputError(f"received a schedule that Keras does not know: {error}") from error


def cosine(model, epochs):
    """Lower the learning rate from epoch to epoch along half a cosine, to nearly 0 in the last.

    Args:
        model: a compiled model; its learning rate is where the cosine starts.
        epochs: how many it spans.

    Returns:
        A Keras callback.

    Reference:
        Loshchilov and Hutter 2017, "SGDR: stochastic gradient descent with warm restarts".
    """
    highest = float(model.optimizer.learning_rate)
    return keras.callbacks.LearningRateScheduler(
        lambda epoch: highest * 0.5 * (1 + math.cos(math.pi * epoch / epochs))
    )


def _check_heads(model, recipe):
    """Refuse losses and weights that are not one for each of a model's outputs."""
    heads = sorted(model.output) if isinstance(model.output, dict) else None
    for key in ("loss", "loss_weights"):
        found = recipe.get(key)
        if heads and found is not None and (not isinstance(found, dict) or sorted(found) != heads):
            raise InputError(
                f"received {key} {json.dumps(found)}, expected a dict with one for each output of "
                f"the model: {', '.join(heads)}"
            )
    if not heads and recipe.get("loss_weights") is not None:
        raise InputError(
            f"received loss_weights {json.dumps(recipe['loss_weights'])}, expected none for a "
            f"model with a single output"
        )


def _loss(config):
    loss = keras.losses.deserialize(config, custom_objects=vars(losses))
    if not callable(loss):  # an unknown name comes back as it is
        raise ValueError(f"there is no loss {loss!r}")
    return loss


def _found(tracks, sources):
    if data.prepared.is_prepared(tracks):
        return tracks
    if isinstance(tracks, str | pathlib.Path):
        return data.find_tracks(tracks, sources)
    for track in tracks:
        track.groups(sources)
    return list(tracks)
