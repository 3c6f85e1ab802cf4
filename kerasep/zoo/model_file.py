"""The `.keras` file of a model of the zoo, looked through before anything is built from it."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import zipfile
import zlib

import keras

from kerasep import models
from kerasep.errors import InputError
from kerasep.models.building import build, check_arguments, layer_count
from kerasep.zoo import hdf5_headers, weights_file

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST = 1 << 20  # bytes of a config, which is a few hundred
# What zipfile raises for an archive that is damaged or of a kind that it does not read.
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)


def load(path):
    """Restore a model with its weights; how it was compiled is left alone.

    Args:
        path: a `.keras` file.

    Returns:
        A `kerasep.models.SeparationModel`.

    Raises:
        InputError: for a damaged file, another class, arguments that no model of the class can have
            or that the file's weights are not of, and as `weights_file.load`.

    Example:
    ```python
    import kerasep
    from kerasep.zoo import model_file

    kerasep.zoo.load("open_unmix_like/small", hidden=8).save("small.keras")
    assert model_file.load("small.keras").hidden == 8
    ```
    """
    with opened(path) as archive:
        cls, arguments = read_config(archive, path)
        with extracted_weights(archive, path) as weights:
            held = hdf5_headers.shapes(weights, path)
            try:
                check_arguments(cls, arguments)
                # Before the graph is built, which may be large where the weights are small.
                if (layers := layer_count(arguments, lists=False)) > len(held):
                    raise InputError(f"received {layers} layers, but {len(held)} arrays of weights")
                model = build(cls, arguments, lambda model: weights_file.compare(path, model, held))
            except InputError as error:
                if str(path) in str(error):
                    raise
                raise InputError(
                    f"received model {path}, whose {CONFIG} is wrong: {error}"
                ) from error
            weights_file.set_checked(model, weights, path)
    return model


def load_weights(model, path):
    """Set a model's weights from the file of one of the same class.

    Args:
        model: a model of the zoo; on an error it stays as it was.
        path: a `.keras` file.

    Raises:
        InputError: for a damaged file or another class's, and as `weights_file.load`.

    Example:
    ```python
    import kerasep
    from kerasep.zoo import model_file

    model = kerasep.zoo.load("open_unmix_like/small", hidden=8)
    model.save("small.keras")
    model_file.load_weights(model, "small.keras")
    ```
    """
    with opened(path, "weights") as archive:
        cls, _ = read_config(archive, path, "weights")
        if cls is not type(model):
            raise InputError(
                f"received weights {path} of a {cls.__name__}, expected weights of {model.name} "
                f"with the same arguments"
            )
        with extracted_weights(archive, path, "weights") as weights:
            weights_file.load(model, weights, path)


@contextlib.contextmanager
def opened(path, kind="model"):
    """Open a `.keras` file's archive if it holds what Keras writes, and nothing else.

    Args:
        path: the file.
        kind: what errors call it. Defaults to "model".

    Yields:
        A `zipfile.ZipFile`.

    Raises:
        InputError: for a file that is no archive or damaged, and members that are missing, twice
            there, unknown, compressed, encrypted, or larger than the file.

    Example:
    ```python
    import keras
    from kerasep.zoo import model_file

    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save("dense.keras")
    with model_file.opened("dense.keras") as archive:
        assert "config.json" in archive.namelist()
    ```
    """
    start = f"received {kind} {path}, expected a .keras file that Keras wrote"
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            _check_members(archive, os.path.getsize(path))
        except _DAMAGED as error:
            raise InputError(f"{start}: it is damaged or no model ({_line(error)})") from error
        yield archive


def read_config(archive, path, kind="model"):
    """Read what class a file's model is of, and with what arguments.

    Args:
        archive: from `opened`.
        path: the file, for errors.
        kind: what errors call it. Defaults to "model".

    Returns:
        The class, and its arguments as the file has them.

    Raises:
        InputError: for a damaged config, and a class that is neither of `kerasep.models` nor a
            `SeparationModel` that the program itself registered with Keras: none is imported.
    """
    start = f"received {kind} {path}"
    try:
        config = json.loads(archive.read(CONFIG), parse_constant=_refuse_constant)
    except (*_DAMAGED, RecursionError) as error:
        raise InputError(
            f"{start}, expected one saved by kerasep: its {CONFIG} is damaged ({_line(error)})"
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
        raise InputError(f"{start}, expected one saved by kerasep: its {CONFIG} names no class")
    name, registered = config["class_name"], config.get("registered_name")
    if str(registered).startswith("kerasep>"):
        cls = vars(models).get(name) if registered == f"kerasep>{name}" else None
    else:
        cls = keras.saving.get_registered_object(registered) if _is_text(registered) else None
    if not (isinstance(cls, type) and issubclass(cls, models.SeparationModel)):
        raise InputError(
            f"{start} of class {_line(name)}, expected a model of the zoo, or a SeparationModel "
            f"that the program registered with Keras (expected one saved by kerasep)"
        )
    if not isinstance(config.get("config"), dict):
        raise InputError(f"{start}, expected one saved by kerasep: its {CONFIG} has no arguments")
    return cls, config["config"]


@contextlib.contextmanager
def extracted_weights(archive, path, kind="model"):
    """Extract a file's weights, for as long as the context lasts.

    Args:
        archive: from `opened`.
        path: the file, for errors.
        kind: what errors call it. Defaults to "model".

    Yields:
        Path of a `.weights.h5` file.

    Raises:
        InputError: if they are damaged.
    """
    with tempfile.TemporaryDirectory() as folder:
        extracted = pathlib.Path(folder) / WEIGHTS
        try:
            with archive.open(WEIGHTS) as source, open(extracted, "wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
        except _DAMAGED as error:
            raise InputError(
                f"received {kind} {path}, expected one saved by kerasep: its weights are damaged "
                f"({_line(error)})"
            ) from error
        yield extracted


def _check_members(archive, size):
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) != len(names):
        raise ValueError("it holds two members of one name")
    if unknown := sorted(set(names) - {CONFIG, METADATA, WEIGHTS}):
        raise ValueError(f"it holds {unknown[0]!r}, which a model has no use for")
    if missing := sorted({CONFIG, WEIGHTS} - set(names)):
        raise ValueError(f"it holds no {missing[0]}")
    if any(member.compress_type or member.flag_bits & 1 for member in members):
        raise ValueError("it is compressed or encrypted, which Keras' files are not")
    if sum(member.file_size for member in members) > size:
        raise ValueError("it unpacks to more than its own size")
    if archive.getinfo(CONFIG).file_size > _LARGEST:
        raise ValueError(f"its {CONFIG} is larger than {_LARGEST} bytes")


def _refuse_constant(name):
    raise ValueError(f"it holds the number {name}")


def _is_text(value):
    return isinstance(value, str) and value


def _line(value):
    text = " ".join(str(value).split()) or type(value).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
