"""Checkpoints and weights that tests make up."""

import io
import zipfile

import numpy as np
import pytest

from tests.importers.torch_writer import Pickler


@pytest.fixture
def write_checkpoint(tmp_path):
    """Function that writes what `torch.save` would, arrays in the place of tensors."""

    def write(name, item):
        file = io.BytesIO()
        pickler = Pickler(file, 2)
        pickler.dump(item)
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("archive/data.pkl", file.getvalue())
            for index, storage in enumerate(pickler.storages):
                archive.writestr(f"archive/data/{index}", storage.tobytes())
        return tmp_path / name

    return write


@pytest.fixture
def state_of():
    """Function of slots that gives a checkpoint's weights for them, all different."""

    def state(slots, seed=0):
        rng = np.random.default_rng(seed)
        values = {
            name: rng.standard_normal(shape).astype("float32")
            for slot in slots
            for name, shape in zip(slot.names, slot.shapes, strict=True)
        }
        return {n: abs(v) if n.endswith("running_var") else v for n, v in values.items()}

    return state
