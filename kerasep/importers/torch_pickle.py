"""The part of pickle that saved weights are written in, interpreted without running any of it."""

import pickletools
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
    """An object that lies beside the weights; what it was made of is dropped."""

    name: str


# PyTorch's storage classes; bfloat16, which numpy lacks, is widened to float32 when it is read.
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


def _empty():
    # `dict` itself would copy its argument, as often as the file asks.
    return {}


def _tensor(storage, offset, size, stride, *autograd):
    if not isinstance(storage, Storage) or type(size) is not tuple or type(stride) is not tuple:
        raise TypeError
    return Tensor(storage, offset, size, stride)


# What a state dict may call, and what that means here. Nothing else is ever called.
CALLS = {
    "collections.OrderedDict": _empty,
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": lambda tensor, *autograd: tensor,
    # A named tuple: window length, hop and window type.
    "nussl.core.audio_signal.STFTParams": lambda *values: values,
}

# What training scripts save beside the weights: how they were called, with which paths, and their
# own compressed form of weights.
UNREAD = {
    "argparse.Namespace",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "_codecs.encode",
}
# nussl saves its training data's transforms, and scores that NumPy made.
UNREAD |= {
    f"nussl.datasets.transforms.{name}"
    for name in (
        "Cache",
        "Compose",
        "GetAudio",
        "GetExcerpt",
        "IndexSources",
        "LabelsToOneHot",
        "MagnitudeSpectrumApproximation",
        "MagnitudeWeights",
        "PhaseSensitiveSpectrumApproximation",
        "SumSources",
        "ToSeparationModel",
    )
}
UNREAD |= {"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar", "numpy.dtype"}
# Asteroid saves the versions that it was trained with.
UNREAD |= {"torch.torch_version.TorchVersion"}
# Classes of models whose settings some checkpoints hold: names alone, that nothing can call.
NAMES = {"demucs.model.Demucs", "demucs.demucs.Demucs"}

_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_CONTAINERS = {"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}
_LITERALS = {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"}
_LITERALS |= {"BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def read(file):
    """Read the pickle that starts where `file` stands, and leave the file behind the pickle's end.

    The pickle's own little language is followed with an explicit list of operations and names; the
    `pickle` module's unpickler is not used, so a file has nothing to call.

    Args:
        file: a binary file (or bytes) with `read`, `readline` and `tell`.

    Returns:
        What it holds: dicts, lists, tuples, strings and numbers, with `Tensor` where a tensor was
        saved; and a dict of every `Storage` it refers to, by key.

    Raises:
        ValueError: for an operation or a name outside the list, and for a malformed pickle.
    """
    stack, marks, memo, storages = [], [], {}, {}

    def since_mark():
        mark = marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items

    for opcode, argument, _ in pickletools.genops(file):
        match opcode.name:
            case "PROTO" | "FRAME":
                pass
            case name if name in _LITERALS:
                stack.append(argument)
            case name if name in _CONSTANTS:
                stack.append(_CONSTANTS[name])
            case name if name in _CONTAINERS:
                stack.append(_CONTAINERS[name]())
            case "MARK":
                marks.append(len(stack))
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case name if name in _TUPLES:
                count = _TUPLES[name]
                stack[-count:] = [tuple(_last(stack, count))]
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "MEMOIZE":
                memo[len(memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "APPEND":
                _append(stack, [stack.pop()])
            case "APPENDS":
                _append(stack, since_mark())
            case "SETITEM":
                _set(stack, [stack.pop(-2), stack.pop()])
            case "SETITEMS":
                _set(stack, since_mark())
            case "GLOBAL":
                stack.append(_global(argument.replace(" ", ".")))
            case "STACK_GLOBAL":
                # Not f"{module}": to print a list of lists of lists can take for ever.
                stack[-2:] = [_global(".".join(_last(stack, 2)))]
            case "BINPERSID" if _is_class(stack[-1]):
                stack[-1] = stack[-1][1]
            case "BINPERSID":
                storage = _storage(stack.pop())
                whole = storage._replace(offset=0)
                if storages.setdefault(storage.key, whole) != whole:
                    raise ValueError(f"it describes the storage {storage.key!r} in two ways")
                stack.append(storage)
            case "REDUCE" | "NEWOBJ":
                function, arguments = _last(stack, 2)
                stack[-2:] = [_call(function, arguments)]
            case "BUILD":
                _build(stack[-2], stack.pop())
            case "STOP":
                return stack.pop(), storages
            case name:
                raise ValueError(f"it uses the pickle operation {name}, which weights do not need")
    raise ValueError("its pickle has no end")


def _last(stack, count):
    """Give the last items, all of them there."""
    if len(stack) < count:
        raise ValueError("its pickle takes more than it put down")
    return stack[-count:]


def _append(stack, items):
    if type(stack[-1]) is not list:
        raise ValueError("its pickle appends to something that is not a list")
    stack[-1].extend(items)


def _set(stack, items):
    keys, values = items[::2], items[1::2]
    # Keys of other kinds are never written by state dicts, and deep ones can overflow hash().
    if type(stack[-1]) is not dict or not all(isinstance(key, str | int) for key in keys):
        raise ValueError("its pickle sets items that are not those of a plain dict")
    stack[-1].update(zip(keys, values, strict=True))


def _global(name):
    if not any(name in known for known in (DTYPES, CALLS, UNREAD, NAMES)):
        raise ValueError(f"it refers to {name!r}, which is refused because weights do not need it")
    return Global(name)


def _call(function, arguments):
    name = function.name if isinstance(function, Global) else type(function).__name__
    if name in UNREAD:
        return Unread(name)
    if name not in CALLS or type(arguments) is not tuple:
        raise ValueError(f"it calls {name}, which is refused")
    try:
        return CALLS[name](*arguments)
    except TypeError as error:
        raise ValueError(f"it calls {name} with arguments that do not fit") from error


def _build(instance, state):
    """Accept the one attribute that state dicts carry (versions of the modules), and drop it."""
    if isinstance(instance, Unread):
        return
    if type(instance) is not dict or type(state) is not dict or set(state) - {"_metadata"}:
        raise ValueError("it sets attributes of an object, which is refused")


def _is_class(persistent_id):
    """Tell the old format's ('module', class, source file, source), which stands for a class."""
    match persistent_id:
        case ("module", Global(name), _, _):
            return name in NAMES
    return False


def _storage(persistent_id):
    """Read ('storage', class, key, device, numel[, (view key, offset, view size)])."""
    match persistent_id:
        case ("storage", Global(name), str(key), _, int(numel), *view) if name in DTYPES:
            match view:
                case [] | [None]:
                    return Storage(key, DTYPES[name], numel, 0)
                case [(_, int(offset), _)]:
                    return Storage(key, DTYPES[name], numel, offset)
    raise ValueError("it refers to data outside itself that is not a tensor's storage")
