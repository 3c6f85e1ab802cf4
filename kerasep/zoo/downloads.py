"""Files from the network: cached, resumed, and never used unless their SHA-256 is the expected."""

import hashlib
import http.client
import os
import pathlib
import urllib.error
import urllib.parse
import urllib.request

from kerasep import __version__
from kerasep.errors import InputError

_BLOCK = 1 << 20
_SECONDS = 30
_LEAST = 8  # hexadecimal digits of a checksum: what publishers put in the names of files


def cache_folder():
    """Tell where downloads are kept: `$KERASEP_CACHE`, or `kerasep` in the user's cache folder.

    Returns:
        A `pathlib.Path`.

    Example:
    >>> cache_folder().name
    'kerasep'
    """
    given = os.environ.get("KERASEP_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(given) if given else pathlib.Path(base) / "kerasep"


def fetch(url, sha256, progress=None):
    """Give a file of the network: from the cache, or downloaded into it.

    A download that broke off goes on where it was. A file whose checksum is another is removed and
    never used.

    Args:
        url: its address, `https://` or `http://`.
        sha256: its checksum in hexadecimal digits; the first 8 or more of them will do.
        progress: called with the share of the file that is there, 0 to 1.

    Returns:
        Its path in the cache.

    Raises:
        InputError: where the network or the file cannot be reached, the transfer breaks off, or the
            checksum is another.

    Example:
    ```python
    from kerasep.zoo import downloads

    try:
        downloads.fetch("https://no.such.host.invalid/vocals.pth", "b62c91ce")
    except ValueError as error:
        assert "no.such.host.invalid" in str(error)
    ```
    """
    sha256 = sha256.lower()
    if len(sha256) < _LEAST or set(sha256) - set("0123456789abcdef"):
        raise InputError(
            f"received the checksum {sha256!r} for {url}, expected at least {_LEAST} hexadecimal "
            f"digits of its SHA-256"
        )
    name = pathlib.PurePosixPath(urllib.parse.urlsplit(url).path).name or "download"
    path = cache_folder() / sha256[:_LEAST] / name
    if path.is_file() and digest(path).startswith(sha256):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{name}.partial")
    _download(url, partial, progress)
    received = digest(partial)
    if not received.startswith(sha256):
        partial.unlink()
        raise InputError(
            f"received {url} with SHA-256 {received}, expected {sha256}: it was removed; another "
            f"file lies there now, or the transfer was tampered with"
        )
    partial.replace(path)
    return path


def _download(url, partial, progress):
    """Append to a partial file what is missing of it."""
    start = partial.stat().st_size if partial.exists() else 0
    headers = {"User-Agent": f"kerasep/{__version__}"} | (
        {"Range": f"bytes={start}-"} if start else {}
    )
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            if response.status != http.client.PARTIAL_CONTENT:
                start = 0  # the server sends the whole file again
            length = response.headers.get("Content-Length")
            total = start + int(length) if length else None
            with open(partial, "ab" if start else "wb") as file:
                while block := response.read(_BLOCK):
                    file.write(block)
                    if progress and total:
                        progress(min(1.0, file.tell() / total))
                done = file.tell()
        if total and done < total:
            raise InputError(f"{url} broke off after {done} of {total} bytes: {_AGAIN}")
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            return  # it was all there
        raise InputError(
            f"{url} gave {error.code} {error.reason}: it may have moved; fetch it by hand and give "
            f"weights=PATH"
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "reason", error)
        raise InputError(
            f"cannot download {url} ({reason}): is there a network? {_AGAIN}, and a file fetched "
            f"by hand is taken with weights=PATH"
        ) from error


_AGAIN = "the same call again goes on from there"


def digest(path):
    """Sum up a file.

    Args:
        path: the file.

    Returns:
        Its SHA-256, in hexadecimal digits.

    Example:
    ```python
    import pathlib
    from kerasep.zoo import downloads

    pathlib.Path("empty").touch()
    assert downloads.digest("empty").startswith("e3b0c442")
    ```
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
