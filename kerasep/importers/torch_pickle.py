"""An unpickler for saved weights that imports nothing and calls nothing from the file."""

import pickle
import pickletools
import re
import struct
from collections.abc import Callable
from typing import NamedTuple


class Storage(NamedTuple):
    """A run of `numel` numbers in the file under `key`; `offset` is where a view begins."""

    key: str
    dtype: str
    numel: int
    offset: int


class Tensor(NamedTuple):
    """A view of a storage; offset and stride count elements."""

    storage: Storage
    offset: int
    size: tuple
    stride: tuple


class Global(NamedTuple):
    """A name that the pickle refers to. It is never imported."""

    name: str


class Unread(NamedTuple):
    """An object that was saved beside the weights; its contents are dropped."""

    name: str


# PyTorch's storage classes. NumPy lacks bfloat16: it is widened to float32 when it is read.
DTYPES = {
    "torch.FloatStorage": "f4",
    "torch.DoubleStorage": "f8",
    "torch.HalfStorage": "f2",
    "torch.BFloat16Storage": "bfloat16",
    "torch.LongStorage": "i8",
    "torch.IntStorage": "i4",
    "torch.ShortStorage": "i2",
    "torch.CharStorage": "i1",
    "torch.ByteStorage": "u1",
    "torch.BoolStorage": "?",
    "torch.ComplexFloatStorage": "c8",
    "torch.ComplexDoubleStorage": "c16",
    "torch.UntypedStorage": "u1",
    "torch.storage.UntypedStorage": "u1",
}


def _empty_dict(*arguments):
    return {}  # `dict` itself would copy its argument, as often as the file asks


def _tensor(storage, offset, size, stride, *autograd):
    if not isinstance(storage, Storage) or type(size) is not tuple or type(stride) is not tuple:
        raise TypeError
    return Tensor(storage, offset, size, stride)


def _fraction(numerator, denominator=1):
    """Return the value of a fraction, which is pickled as a text or as two numbers."""
    if type(numerator) is str and re.fullmatch(r"\d{1,9}(/\d{1,9})?", numerator):
        numerator, *rest = numerator.split("/")
        denominator = rest[0] if rest else 1
    return int(numerator) / int(denominator)


# What a pickle may call, and what is called instead.
CALLS: dict[str, Callable] = {
    "collections.OrderedDict": _empty_dict,
    "collections.Counter": _empty_dict,
    "collections.defaultdict": _empty_dict,
    "lightning_fabric.utilities.data.AttributeDict": _empty_dict,
    "lightning.fabric.utilities.data.AttributeDict": _empty_dict,
    "pytorch_lightning.utilities.parsing.AttributeDict": _empty_dict,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *autograd: tensor,
    "fractions.Fraction": _fraction,
    # A named tuple: window length, hop and window type.
    "nussl.core.audio_signal.STFTParams": lambda *values: values,
}
# What training scripts save beside the weights: their arguments, paths, data sets and scores.
UNREAD = re.compile(
    r"argparse\.Namespace|pathlib\.(Posix|Windows)?Path|_codecs\.encode"
    r"|nussl\.datasets\.transforms\.\w+|omegaconf\.[\w.]+|typing\.Any|datetime\.(date)?time"
    r"|numpy\.(_?core\.multiarray\.(scalar|_reconstruct)|dtype|ndarray)"
    r"|(builtins|__builtin__)\.(dict|list|tuple|int|float|str|bool)"
    r"|torch\.(torch_version\.TorchVersion|Size|device|b?float\w*|u?int\w*)"
)
# Classes of models: names that nothing can call.
NAMES = {"demucs.model.Demucs", "demucs.demucs.Demucs", "demucs.htdemucs.HTDemucs"}


def read(file):
    """Read the pickle at the position of a binary file; return its contents and storages by key."""
    unpickler = _Unpickler(file, encoding="latin-1")
    try:
        return unpickler.load(), unpickler.storages
    except (pickle.UnpicklingError, struct.error, ArithmeticError, AttributeError) as error:
        raise ValueError(f"its pickle is malformed ({error})") from error


class _Handlers(dict):
    def __missing__(self, code):
        operation = pickletools.code2op.get(chr(code))
        name = operation.name if operation else f"{code:#04x}"
        raise ValueError(f"it uses the pickle operation {name}, which weights do not need")


class _Unpickler(pickle._Unpickler):
    """Unpickler that runs listed operations alone, and makes dicts, lists, tuples and stand-ins.

    The unpickler in C is no base for it: it hashes keys of any depth, calls whatever is on its
    stack, and allocates as many places in its memo as the file says.
    """

    dispatch = _Handlers(
        (getattr(pickle, name)[0], pickle._Unpickler.dispatch[getattr(pickle, name)[0]])
        for name in (
            *("PROTO", "FRAME", "MARK", "STOP", "NONE", "NEWTRUE", "NEWFALSE", "BININT"),
            *("BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"),
            *("BINSTRING", "SHORT_BINSTRING", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"),
            *("TUPLE", "TUPLE1", "TUPLE2", "TUPLE3", "BINPUT", "LONG_BINPUT", "MEMOIZE"),
            *("BINGET", "LONG_BINGET", "APPEND", "APPENDS", "GLOBAL", "STACK_GLOBAL"),
            "BINPERSID",
        )
    )

    def __init__(self, file, **options):
        super().__init__(file, **options)
        self.storages = {}

    def find_class(self, module, name):
        name = f"{module}.{name}"
        known = any(name in names for names in (DTYPES, CALLS, NAMES)) or UNREAD.fullmatch(name)
        if not known:
            raise ValueError(
                f"it refers to {name!r}, which is refused because weights do not need it"
            )
        return Global(name)

    def persistent_load(self, persistent_id):
        match persistent_id:
            # The old format's ('module', class, source file, source), which stands for a class.
            case ("module", Global(name) as stand_in, _, _) if name in NAMES:
                return stand_in
            # With a view, the last item is (view key, offset, view size).
            case ("storage", Global(name), str(key), _, int(numel), *view) if name in DTYPES:
                whole = Storage(key, DTYPES[name], numel, 0)
                if self.storages.setdefault(key, whole) != whole:
                    raise ValueError(f"it describes the storage {key!r} in two ways")
                match view:
                    case [] | [None]:
                        return whole
                    case [(_, int(offset), _)]:
                        return whole._replace(offset=offset)
        raise ValueError("it refers to data outside itself that is not a tensor's storage")

    def call(self):
        arguments, function = self.stack.pop(), self.stack.pop()
        name = function.name if isinstance(function, Global) else type(function).__name__
        if UNREAD.fullmatch(name):
            self.stack.append(Unread(name))
            return
        if name not in CALLS or type(arguments) is not tuple:
            raise ValueError(f"it calls {name}, which is refused")
        try:
            self.stack.append(CALLS[name](*arguments))
        except TypeError as error:
            raise ValueError(f"it calls {name} with arguments that do not fit") from error

    def build(self):
        state, instance = self.stack.pop(), self.stack[-1]
        # State dicts carry the versions of the modules, which are dropped.
        versions = type(instance) is type(state) is dict and not set(state) - {"_metadata"}
        if not versions and not isinstance(instance, Unread):
            raise ValueError("it sets attributes of an object, which is refused")

    def set_items(self, keys, values):
        # Keys of other kinds are never written by state dicts, and deep ones overflow hash().
        if type(self.stack[-1]) is not dict or not all(isinstance(key, str | int) for key in keys):
            raise ValueError("its pickle sets items that are not those of a plain dict")
        self.stack[-1].update(zip(keys, values, strict=True))

    def set_item(self):
        value, key = self.stack.pop(), self.stack.pop()
        self.set_items([key], [value])

    def set_marked_items(self):
        items = self.pop_mark()
        self.set_items(items[::2], items[1::2])

    dispatch[pickle.REDUCE[0]] = dispatch[pickle.NEWOBJ[0]] = call
    dispatch[pickle.BUILD[0]] = build
    dispatch[pickle.SETITEM[0]], dispatch[pickle.SETITEMS[0]] = set_item, set_marked_items
