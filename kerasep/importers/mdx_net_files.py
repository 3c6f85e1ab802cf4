"""What the published ONNX files of MDX-Net do not show: their stem, FFT length and gain."""

import hashlib
import os
from collections.abc import Sequence
from typing import Any

from kerasep.errors import InputError

_TAIL = 10_000 * 1024  # bytes that are hashed, from the end
# The stem, and the rest if it has a name of its own.
_SOURCES = {
    "Vocals": ("vocals", "accompaniment"),
    "Instrumental": ("instrumental", "vocals"),
    "Drums": ("drums",),
    "Bass": ("bass",),
    "Other": ("other",),
    "Reverb": ("reverb", "dry"),
    "No Crowd": ("music", "crowd"),
}
# MD5 of the last bytes: primary stem, n_fft and compensation, as Ultimate Vocal Remover sets them.
_FILES = {
    "0ddfc0eb5792638ad5dc27850236c246": ("Vocals", 6144, 1.035),
    "0f2a6bc5b49d87d64728ee40e23bceb1": ("Instrumental", 5120, 1.019),
    "1c56ec0224f1d559c42fd6fd2a67b154": ("Instrumental", 5120, 1.025),
    "1d64a6d2c30f709b8c9b4ce1366d96ee": ("Instrumental", 5120, 1.065),
    "203f2a3955221b64df85a41af87cf8f0": ("Instrumental", 6144, 1.035),
    "26d308f91f3423a67dc69a6d12a8793d": ("Other", 8192, 1.035),
    "291c2049608edb52648b96e27eb80e95": ("Instrumental", 6144, 1.035),
    "2cdd429caac38f0194b133884160f2c6": ("Instrumental", 7680, 1.045),
    "2f5501189a2f6db6349916fabe8c90de": ("Vocals", 6144, 1.035),
    "398580b6d5d973af3120df54cee6759d": ("Vocals", 7680, 1.75),
    "488b3e6f8bd3717d9d7c428476be2d75": ("Instrumental", 7680, 1.035),
    "4910e7827f335048bdac11fa967772f9": ("Drums", 4096, 1.035),
    "53c4baf4d12c3e6c3831bb8f5b532b93": ("Vocals", 7680, 1.043),
    "55657dd70583b0fedfba5f67df11d711": ("Instrumental", 6144, 1.022),
    "5d343409ef0df48c7d78cce9f0106781": ("Vocals", 7680, 1.075),
    "5f6483271e1efb9bfb59e4a3e6d4d098": ("Vocals", 6144, 1.035),
    "65ab5919372a128e4167f5e01a8fda85": ("Other", 8192, 1.035),
    "6703e39f36f18aa7855ee1047765621d": ("Bass", 16384, 1.035),
    "6b31de20e84392859a3d09d43f089515": ("Vocals", 6144, 1.035),
    "73492b58195c3b52d34590d5474452f6": ("Vocals", 7680, 1.043),
    "77d07b2667ddf05b9e3175941b4454a0": ("Vocals", 7680, 1.021),
    "867595e9de46f6ab699008295df62798": ("Vocals", 7680, 1.03),
    "8a88db95c7fb5dbe6a095ff2ffb428b1": ("Instrumental", 5120, 1.026),
    "94ff780b977d3ca07c7a343dab2e25dd": ("Instrumental", 6144, 1.039),
    "970b3f9492014d18fefeedfe4773cb42": ("Vocals", 7680, 1.009),
    "a3cd63058945e777505c01d2507daf37": ("Vocals", 6144, 1.03),
    "b02be2d198d4968a121030cf8950b492": ("No Crowd", 5120, 1.02),
    "b06327a00d5e5fbc7d96e1781bbdb596": ("Instrumental", 6144, 1.035),
    "b33d9b3950b6cbf5fe90a32608924700": ("Vocals", 7680, 1.03),
    "b6bccda408a436db8500083ef3491e8b": ("Instrumental", 7680, 1.02),
    "b78da4afc6512f98e4756f5977f5c6b9": ("Instrumental", 7680, 1.021),
    "c3b29bdce8c4fa17ec609e16220330ab": ("Bass", 16384, 1.035),
    "cb790d0c913647ced70fc6b38f5bea1a": ("Instrumental", 5120, 1.01),
    "cc63408db3d80b4d85b0287d1d7c9632": ("Instrumental", 6144, 1.033),
    "cd5b2989ad863f116c855db1dfe24e39": ("Reverb", 6144, 1.035),
    "ceed671467c1f64ebdfac8a2490d0d52": ("Instrumental", 7680, 1.035),
    "d2a1376f310e4f7fa37fb9b5774eb701": ("Instrumental", 7680, 1.035),
    "d7bff498db9324db933d913388cba6be": ("Vocals", 6144, 1.035),
    "d94058f8c7f1fae4164868ae8ae66b20": ("Vocals", 6144, 1.035),
    "dc41ede5961d50f277eb846db17f5319": ("Drums", 4096, 1.035),
    "e5572e58abf111f80d8241d2e44e7fa4": ("Instrumental", 7680, 1.028),
    "e7324c873b1f615c35c1967f912db92a": ("Vocals", 7680, 1.03),
    "ead8d05dab12ec571d67549b3aab03fc": ("Instrumental", 6144, 1.035),
    "f2df6d6863d8f435436d8b561594ff49": ("Instrumental", 7680, 1.035),
}


def settings(path: str | os.PathLike) -> dict[str, Any]:
    """Return the arguments that Ultimate Vocal Remover uses with a published ONNX file.

    Files are recognised by the MD5 of their last 10,000 KiB, whatever their name.

    Args:
        path: the file.

    Returns:
        Dict with `sources`, `n_fft` and `compensate` of `kerasep.models.MDXNetLike`; empty for a
        file that is not among the 44 known ones.

    Example:
    >>> import pathlib
    >>> _ = pathlib.Path("mine.onnx").write_bytes(b"of my own training")
    >>> settings("mine.onnx")
    {}

    Reference:
        `models/MDX_Net_Models/model_data/model_data.json` of
        https://github.com/Anjok07/ultimatevocalremovergui
    """
    with open(path, "rb") as file:
        file.seek(max(os.path.getsize(path) - _TAIL, 0))
        fingerprint = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    if fingerprint not in _FILES:
        return {}
    stem, n_fft, compensate = _FILES[fingerprint]
    return {"sources": _SOURCES[stem], "n_fft": n_fft, "compensate": compensate}


def check_stem(
    path: str | os.PathLike, sources: Sequence[str] | None, received: Sequence[str]
) -> None:
    """Raise an error if a known file's stem has the name of another one in a model."""
    stems = {names[0] for names in _SOURCES.values()}
    if sources and received[0] != sources[0] and received[0] in stems:
        raise InputError(
            f"{path} separates {sources[0]}, received a model whose first source is {received[0]}: "
            f"pass sources={list(sources)}"
        )
