"""The `.keras` file of a model of the zoo, checked before anything is built from it."""

import contextlib
import json
import os
import pathlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator

import keras

from kerasep import models
from kerasep.errors import InputError
from kerasep.files import hdf5_headers
from kerasep.models.building import build, check_arguments, layer_count
from kerasep.zoo import weights_file

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_LARGEST = 1 << 20  # bytes of a config, which is a few hundred
# What zipfile raises for an archive that is damaged or of a kind that it does not support.
_DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, ValueError)


def load(path: str | os.PathLike) -> models.SeparationModel:
    """Restore a model with its weights, not compiled, from a `.keras` file."""
    with opened(path) as archive:
        cls, arguments = read_config(archive, path)
        with extracted_weights(archive, path) as weights:
            held = hdf5_headers.shapes(weights, path)
            try:
                check_arguments(cls, arguments)
                # Before the graph is built, which may be large even if the weights are small.
                if (layers := layer_count(arguments, lists=False)) > len(held):
                    raise InputError(f"received {layers} layers, but {len(held)} arrays of weights")
                model = build(
                    cls,
                    arguments,
                    check=lambda model: weights_file.compare(path, model, held),
                    random_values=False,
                )
            except InputError as error:
                if str(path) in str(error):
                    raise
                raise InputError(
                    f"received model {path}, whose {CONFIG} is wrong: {error}"
                ) from error
            weights_file.set_checked(model, weights, path)
    return model


def load_weights(model: models.SeparationModel, path: str | os.PathLike) -> None:
    """Set a model's weights from the `.keras` file of a model of the same class; all or none."""
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
def opened(path: str | os.PathLike, kind: str = "model") -> Iterator[zipfile.ZipFile]:
    """Open a `.keras` file's archive if it holds the members that Keras writes, and no others."""
    start = f"received {kind} {path}, expected a .keras file that Keras wrote"
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            _check_members(archive, os.path.getsize(path))
        except _DAMAGED as error:
            raise InputError(f"{start}: it is damaged or not a model ({_line(error)})") from error
        yield archive


def read_config(archive: zipfile.ZipFile, path, kind: str = "model") -> tuple[type, dict]:
    """Return the class of a file's model and its arguments, without importing anything.

    The class is of `kerasep.models`, or a `SeparationModel` that the program registered with Keras.
    """
    start = f"received {kind} {path}"
    try:
        config = json.loads(archive.read(CONFIG), parse_constant=_reject_constant)
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
def extracted_weights(archive: zipfile.ZipFile, path, kind: str = "model") -> Iterator:
    """Yield the path of a file's weights, extracted to a temporary folder."""
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


def _reject_constant(name):
    raise ValueError(f"it holds the number {name}")


def _is_text(value):
    return isinstance(value, str) and value


def _line(value):
    text = " ".join(str(value).split()) or type(value).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."
