"""What a `.tflite` file says about itself, in JSON under its metadata key "kerasep"."""

import json
import pathlib

from kerasep.errors import InputError
from kerasep.tflite import strict_json
from kerasep.tflite.bounds import FORMAT, as_integers, complaint, missing
from kerasep.tflite.graphs import IDENTIFIER, packed
from kerasep.tflite.soundness import DAMAGE

KEY = "kerasep"
# What files of format 1 are, which they do not say; with a timing they are for streams.
_EARLIER = {"mode": "separate", "quantization": None, "interchangeable": False}


def read_metadata(path):
    """Read what an exported file says about itself; needs ai-edge-litert alone.

    Args:
        path: a `.tflite` file that `kerasep.tflite.export` wrote.

    Returns:
        Dict with what the file is: format, kerasep (version), created_by, mode, quantization (None:
        float32); what it was made from: model (class), preset and licence (None where they are not
        known), weights_sha256, sources, interchangeable (whether they come in any order),
        sample_rate, channels, stft (None for a waveform model); how to run it: chunk, overlap, hop
        and latency in samples (latency None where the whole chunk is needed), state (None, or the
        size of what goes from step to step), frames in mode "mask", and in mode "streaming" step,
        lead, skip and timing (see `kerasep.streaming.buffering.Timing`); and parity, how it
        compared with Keras: snr_db and max_abs_error (both None where that was left out; snr_db
        None too where all is equal to the last bit), si_sdr_change_db and judged_on (None where no
        clip was taken). A file of an earlier format lacks those that it had not; mode,
        quantization and interchangeable are filled in.

    Raises:
        InputError: for a file that is missing, is no TFLite file, or has no such metadata.

    Example:
    ```python
    import kerasep

    model = kerasep.zoo.load("open_unmix_like/small", hidden=16)
    kerasep.tflite.export(model, "small.tflite", seconds=1, overwrite=True)
    assert kerasep.tflite.read_metadata("small.tflite")["sources"] == list(model.sources)
    ```
    """
    return parse_metadata(read_model(path), path)


def read_model(path):
    """Read a file's bytes, and refuse what is no TFLite file.

    Args:
        path: the file.

    Returns:
        The bytes.

    Raises:
        InputError: for a file that is missing or of another kind.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"received {path}, expected a .tflite file: there is no such file")
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise InputError(f"received {path}, which is not a TFLite file: export a model to get one")
    return content


def parse_metadata(content, name="the model"):
    """Find the metadata in the bytes of a TFLite file.

    Args:
        content: the bytes.
        name: what to call it in an error.

    Returns:
        See `read_metadata`.

    Raises:
        InputError: for a file without it, cut short, of a later format, or with sources that are no
            names.
    """
    metadata = _found(content, name)
    if not (
        isinstance(metadata, dict)
        and isinstance(metadata.get("format"), int | float)
        and isinstance(metadata.get("sources"), list)
    ):
        raise InputError(f"received {name}, whose metadata is damaged: export again")
    earlier = _EARLIER | ({"mode": "streaming"} if metadata.get("timing") else {})
    metadata = earlier | as_integers(metadata)
    if metadata["format"] > FORMAT:
        version = ascii(metadata.get("kerasep"))[:40]
        raise InputError(
            f"received {name}, written by kerasep {version} in a later format, expected {FORMAT} "
            f"and not {ascii(metadata['format'])[:40]}: update kerasep"
        )
    if found := complaint(metadata):
        raise InputError(f"received {name}, whose metadata is damaged: {found}: export again")
    return metadata


def expect_complete(metadata, name):
    """Raise if metadata lacks what running the file needs.

    Args:
        metadata: from `parse_metadata`.
        name: what to call the file in an error.

    Raises:
        InputError: with the first that is missing.
    """
    if found := missing(metadata):
        raise InputError(f"received {name}, whose metadata is damaged: {found}: export again")


def with_metadata(content, metadata):
    """Add metadata to the bytes of a TFLite file, in the place of what it has.

    Args:
        content: the bytes.
        metadata: dict of plain JSON values.

    Returns:
        The bytes of a file that computes the same.
    """
    return with_text(content, json.dumps(metadata).encode())


def with_text(content, text):
    """Add metadata that is JSON, or should be, in bytes; otherwise as `with_metadata`."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    entries = [entry for entry in model.metadata or [] if entry.name != KEY.encode()]
    buffer = schema.BufferT()
    buffer.data = list(text)
    entry = schema.MetadataT()
    entry.name, entry.buffer = KEY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*entries, entry]
    return packed(model, len(content))


def _found(content, name):
    from ai_edge_litert import schema_py_generated as schema

    try:
        model = schema.Model.GetRootAs(content, 0)
        for index in range(model.MetadataLength()):
            entry = model.Metadata(index)
            if entry.Name() == KEY.encode():
                return strict_json.load(model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
    except DAMAGE as error:
        raise InputError(f"received {name}, a TFLite file that is damaged: export again") from error
    raise InputError(
        f"received {name}, a TFLite file without kerasep's metadata, expected one that "
        f"kerasep.tflite.export wrote"
    )
