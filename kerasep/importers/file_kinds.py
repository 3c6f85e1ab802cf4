"""Files that are not what an importer reads, recognised by their first bytes."""

import os
import re

from kerasep.errors import InputError

_AGAIN = "download it again, from the address of the file itself"
# Its version, and the tag of another field of ONNX's ModelProto.
_ONNX = rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42\x72]"
# The beginning of a file, what it is, and what to do.
_KINDS = {
    rb"version https://git-lfs": ("a Git LFS pointer", "fetch the file itself with git lfs pull"),
    rb"(\xef\xbb\xbf)?\s*<(!doctype|html|head|\?xml)": ("a web page", _AGAIN),
    rb"\s*(entry not found|invalid username|\{\"error\")": ("a server's error message", _AGAIN),
    _ONNX: (
        "an ONNX file",
        "give the checkpoint that the project trained, a PyTorch or safetensors file",
    ),
    rb"\x89HDF\r\n\x1a\n": ("an HDF5 file", "give a PyTorch or safetensors file"),
    rb"....TFL3": ("a .tflite file", "give the checkpoint that it was exported from"),
    rb"\x1f\x8b\x08|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ": ("a compressed archive", "unpack it first"),
}


def check(path: str | os.PathLike, *, onnx: bool = False) -> None:
    """Raise an error for a file that is missing, empty, or evidently of another kind.

    Args:
        path: the file.
        onnx: whether an ONNX file is what is expected. Defaults to False.

    Raises:
        InputError: for such a file. The line names what it is and what to do.

    Example:
    >>> import pathlib
    >>> _ = pathlib.Path("vocals.pth").write_text("<!DOCTYPE html><html>404</html>")
    >>> check("vocals.pth")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    kerasep.errors.InputError: vocals.pth is a web page, expected weights: download it again, ...
    """
    if not os.path.isfile(path):
        ending = ".onnx" if onnx else ".pth"
        raise InputError(f"received {path}, which is not a file: give the path of a {ending} file")
    if os.path.getsize(path) == 0:
        raise InputError(f"{path} is empty: download or save it again")
    with open(path, "rb") as file:
        start = file.read(256)
    for pattern, (kind, advice) in _KINDS.items():
        if re.match(pattern, start, re.IGNORECASE | re.DOTALL) and not (onnx and "ONNX" in kind):
            raise InputError(f"{path} is {kind}, expected weights: {advice}")


def is_onnx(path: str | os.PathLike) -> bool:
    """Return whether a file begins as one of ONNX; False if there is no file.

    Args:
        path: the file.

    Example:
    >>> is_onnx("vocals.onnx")
    False
    """
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return re.match(_ONNX, file.read(3)) is not None
