"""A `.tflite` file's description of itself: JSON under its metadata key "kerasep"."""

import json
import os
import pathlib

from kerasep.errors import InputError
from kerasep.separation.residual import residual_source
from kerasep.tflite.format import strict_json
from kerasep.tflite.format.bounds import FORMAT, as_integers, complaint, missing
from kerasep.tflite.format.graphs import IDENTIFIER, litert_schema, packed, unpacked
from kerasep.tflite.format.soundness import DAMAGE

KEY = "kerasep"
# What files of format 1 leave out; those with a timing are for streams.
_EARLIER = {"mode": "separate", "quantization": None, "interchangeable": False}


def read_metadata(path: str | os.PathLike) -> dict:
    """Read an exported file's metadata; needs ai-edge-litert only.

    Args:
        path: a `.tflite` file that `kerasep.tflite.export` wrote.

    Returns:
        Dict of plain JSON values. A file of an earlier format may lack some keys; mode,
        quantization, interchangeable and residual are filled in.

        - The file: format, kerasep (version), created_by, mode, quantization (None for float32).
        - The model: model (class), preset and licence (None if unknown), weights_sha256, sources,
          interchangeable (whether they come in any order), residual (the source that stands for
          the rest of the mixture, or None), sample_rate, channels, stft (None for a waveform
          model).
        - Running it, in samples: chunk, overlap, hop, latency (None if the whole chunk is needed),
          state (size of the state between steps, or None); frames in mode "mask"; step, lead, skip
          and timing in mode "streaming".
        - parity, the comparison with Keras: snr_db and max_abs_error (None if not checked; snr_db
          also if all samples are equal), si_sdr_change_db and judged_on (None without clips).

    Raises:
        InputError: if the file is missing, is not a TFLite file, or has no such metadata.

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
    """Read the bytes of a TFLite file, or raise InputError if it is not one."""
    path = pathlib.Path(path)
    if not path.is_file():
        raise InputError(f"received {path}, expected a .tflite file: there is no such file")
    content = path.read_bytes()
    if content[4:8] != IDENTIFIER:
        raise InputError(f"received {path}, which is not a TFLite file: export a model to get one")
    return content


def parse_metadata(content, name="the model"):
    """Return the metadata in the bytes of a TFLite file, as `read_metadata` does."""
    metadata = _stored(content, name)
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
    if problem := complaint(metadata):
        raise InputError(f"received {name}, whose metadata is damaged: {problem}: export again")
    if "residual" not in metadata:
        by_name = None if metadata["interchangeable"] else residual_source(metadata["sources"])
        metadata["residual"] = by_name
    return metadata


def expect_complete(metadata, name):
    """Raise InputError if metadata lacks a key that is needed to run the file."""
    if problem := missing(metadata):
        raise InputError(f"received {name}, whose metadata is damaged: {problem}: export again")


def with_metadata(content, metadata):
    """Return the bytes of a TFLite file with its metadata replaced by a dict of JSON values."""
    return with_text(content, json.dumps(metadata).encode())


def with_text(content, text):
    """Return the bytes of a TFLite file with its metadata replaced by bytes of JSON."""
    schema = litert_schema()

    model = unpacked(content)
    entries = [entry for entry in model.metadata or [] if entry.name != KEY.encode()]
    buffer = schema.BufferT()
    buffer.data = list(text)
    entry = schema.MetadataT()
    entry.name, entry.buffer = KEY, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [*entries, entry]
    return packed(model, len(content))


def _stored(content, name):
    schema = litert_schema()

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
