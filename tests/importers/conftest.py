import io
import pickle
import zipfile

import numpy as np
import pytest


class Class:
    """Pickles as the bare name of a class that need not exist."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Pickler(pickle._Pickler):
    """Writes arrays as PyTorch does: a view each of a storage of its own, beside the pickle."""

    def __init__(self, file):
        super().__init__(file, 2)
        self.storages = []

    def persistent_id(self, item):
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], np.ndarray):
            return ("storage", Class("torch", "FloatStorage"), item[0], "cpu", item[1].size)
        return None

    def save(self, item, *args, **kwargs):
        if isinstance(item, Class):
            self.write(pickle.GLOBAL + f"{item.module}\n{item.name}\n".encode())
        elif isinstance(item, np.ndarray):
            item = np.ascontiguousarray(item, "<f4")
            self.storages.append(item)
            strides = tuple(step // 4 for step in item.strides)
            self.save(Class("torch._utils", "_rebuild_tensor_v2"))
            storage = (str(len(self.storages) - 1), item)
            self.save((storage, 0, item.shape, strides, False, {}))
            self.write(pickle.REDUCE)
        else:
            super().save(item, *args, **kwargs)


@pytest.fixture
def write_checkpoint(tmp_path):
    """Function that writes what `torch.save` would, arrays in the place of tensors."""

    def write(name, item):
        file = io.BytesIO()
        pickler = _Pickler(file)
        pickler.dump(item)
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("archive/data.pkl", file.getvalue())
            for index, storage in enumerate(pickler.storages):
                archive.writestr(f"archive/data/{index}", storage.tobytes())
        return tmp_path / name

    write.Class = Class
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
