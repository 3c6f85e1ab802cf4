"""Batches from prepared shards: read, cropped, mixed and scaled by TensorFlow's own operations.

Records are found by their offsets, so an epoch is a true permutation of its crops: there is no
shuffle buffer, and of the files no more is read than the crops need and a second beside them.
"""

from pathlib import Path

from kerasep.data.prepared import shards
from kerasep.data.prepared.graph_batches import graph_batches
from kerasep.data.prepared.graph_mixer import Mixer
from kerasep.data.prepared.running_statistics import Statistics
from kerasep.data.prepared.shard_crops import ShardCrops
from kerasep.data.prepared.shard_index import parse_index
from kerasep.data.service.schemas import parse
from kerasep.errors import InputError


def is_prepared(data):
    """Tell a folder of shards from other data.

    Args:
        data: What `waveforms` and `spectrograms` take.

    Returns:
        Whether it is such a folder.

    Raises:
        InputError: It is one whose preparation was not finished.
    """
    if not isinstance(data, str | Path):
        return False
    if (Path(data) / shards.INDEX).is_file():
        return True
    if (Path(data) / shards.PLAN).is_file():
        raise InputError(f"{data} is not prepared to its end: run the same kerasep prepare again")
    return False


def holds_spectrograms(data):
    """Tell whether data are a prepared folder, and of spectrograms."""
    return is_prepared(data) and read_index(data)["settings"]["format"] == "spectrogram"


def holds_validation(folder):
    """Tell whether a prepared folder has tracks to validate on."""
    return any(shard["segments"] for shard in read_index(folder)["valid"]["shards"])


def read_index(folder):
    """Read the index of a prepared folder.

    Args:
        folder: The folder.

    Returns:
        A dict: see `kerasep.data.prepared.shards.finish`.

    Raises:
        InputError: It is damaged, or of another release.
    """
    path = Path(folder) / shards.INDEX
    try:
        text = path.read_bytes()
        index = parse(text, dict)
        layout = index.get("layout", shards.LAYOUT)
        if type(layout) is int and layout != shards.LAYOUT:
            raise InputError(
                f"{path} has layout {layout}, expected {shards.LAYOUT}: it was written by kerasep "
                f"{str(index.get('kerasep'))[:50]!r}, prepare the tracks anew"
            )
        return parse_index(text)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path} is damaged ({reason}): run the same kerasep prepare again"
        ) from error


def statistics(folder, model):
    """Statistics of the training tracks' mixtures, in place of a pass over them.

    Args:
        folder: A prepared folder.
        model: A model with `stft`.

    Returns:
        A list of one batch (magnitude, None) to give to `model.adapt`: mean and deviation of every
        bin are those of all training mixtures as recorded. None where the folder was prepared with
        another transform or none.
    """
    index = read_index(folder)
    stored = index["train"]["statistics"]
    if not stored or index["settings"]["stft"] != shards.transform_of(model):
        return None
    return [(Statistics.from_json(stored).stand_in(model.channels), None)]


def batches(
    folder,
    model,
    *,
    batch_size=16,
    crop_seconds=6.0,
    training=True,
    crops_per_track=None,
    remix=0.5,
    gain=(0.25, 1.25),
    swap=True,
    seed=0,
    part=(0, 1),
    **others,
):
    """Make the batches of an epoch from a prepared folder, in the graph from end to end.

    Args:
        folder: The prepared folder.
        model: Anything with `sources`, `sample_rate`, `channels` and `stft`.
        batch_size: As for `kerasep.data.waveforms`, and so on.
        crop_seconds: Likewise.
        training: Likewise.
        crops_per_track: Likewise.
        remix: Likewise.
        gain: Likewise.
        swap: Likewise.
        seed: Likewise.
        part: Likewise.
        **others: Options of `kerasep.data.waveforms` that need the recordings; None or 0.

    Returns:
        How many batches an epoch has, and a function of the number of an epoch and of a batch that
        gives a tf.data.Dataset of the epoch's batches from that one on: of (mixture, sources) as
        `kerasep.data.waveforms`, or from a folder of spectrograms of what
        `kerasep.data.spectrograms` calls the reference.

    Raises:
        InputError: The folder does not fit the model, or an option is out of range.

    Example:
    ```python
    from types import SimpleNamespace
    import kerasep
    import tensorflow as tf

    kerasep.data.write_songs("songs", 4, seconds=2.0)
    model = SimpleNamespace(sources=("vocals",), sample_rate=16000, channels=1, stft=None)
    kerasep.data.prepare("songs", "shards", model)
    steps, epoch = kerasep.data.prepared.batches("shards", model, batch_size=1, crop_seconds=1.0)
    endless = tf.data.Dataset.counter().flat_map(lambda number: epoch(number, 0))
    assert steps == 6 and len(list(endless.take(13))) == 13
    ```
    """
    index = read_index(folder)
    settings, tracks = index["settings"], index["train" if training else "valid"]
    slots = _slots(folder, settings, model)
    asked = sorted(name for name, value in others.items() if value)
    if asked and training:
        raise InputError(
            f"received {', '.join(asked)} for {folder}: that needs the recordings, train on these "
            "or leave it out"
        )
    if not 0 <= remix <= 1 or (gain is not None and not 0 <= gain[0] <= gain[1]):
        raise InputError(
            f"received remix={remix}, gain={gain}: expected a probability, and a range of factors "
            "(low, high) or None"
        )
    rows = shards.rows(settings, round(crop_seconds * model.sample_rate))
    crops = ShardCrops(folder, settings, tracks["shards"], rows)
    mixer = Mixer(settings, rows, slots, len(model.sources))
    swap = swap and model.channels == 2
    return graph_batches(
        crops,
        slots,
        mixer,
        folder,
        batch_size=batch_size,
        training=training,
        crops_per_track=crops_per_track,
        remix=remix,
        gain=gain,
        swap=swap,
        seed=seed,
        part=part,
    )


def _slots(folder, settings, model):
    """Tell for every stored group to which source of the model it belongs, or to the rest."""
    spectra = settings["format"] == "spectrogram"
    stft = shards.transform_of(model)
    if spectra and settings["stft"] != stft:
        raise InputError(
            f"{folder} holds spectrograms of {settings['stft']}, the model takes "
            f"{stft or 'waveforms'}: prepare it for this model, or as int16 for any"
        )
    for name in ("sample_rate", "channels"):
        if settings[name] != getattr(model, name):
            raise InputError(
                f"{folder} was prepared with {name} {settings[name]}, the model has "
                f"{getattr(model, name)}: prepare it for this model"
            )
    stored = [*settings["sources"], *(["rest"] if settings["rest"] else [])]
    belongs = dict.fromkeys(stored, len(model.sources))
    for slot, source in enumerate(model.sources):
        names = {source} & set(settings["sources"])
        if source == "accompaniment" and not names and "vocals" in settings["sources"]:
            names = set(stored) - {"vocals"}
        if not names or any(belongs[name] != len(model.sources) for name in names):
            raise InputError(
                f"{folder} was prepared with {', '.join(settings['sources'])}, the model's sources "
                f"are {', '.join(model.sources)}: prepare it for this model"
            )
        belongs |= dict.fromkeys(names, slot)
    return list(belongs.values())
