"""Files from the network: cached, resumed, and never used unless their SHA-256 is the expected."""

import contextlib
import hashlib
import http.client
import os
import pathlib
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request

from kerasep import __version__
from kerasep.errors import InputError
from kerasep.system import logs

try:
    import fcntl
except ImportError:  # Windows, where downloads at once may disturb each other
    fcntl = None  # type: ignore[assignment]

LARGEST = 4 << 30  # bytes of a file whose size nobody told
_BLOCK = 1 << 20
_SECONDS = 30
_WHOLE = 64  # hexadecimal digits of a checksum
_LEAST = 8  # what publishers put in the names of files

log = logs.logger(__name__)


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


def fetch(url, sha256, progress=None, *, size=None):
    """Return a file of the network: from the cache, or downloaded into it.

    A download that broke off goes on where it was. A file of another checksum or size is removed
    and never used. Of several processes that want a file at once, one downloads it and the others
    wait for that.

    Args:
        url: its address, `https://`; redirections must lead to such addresses, too.
        sha256: its checksum, 64 hexadecimal digits; the first 8 or more of them where its publisher
            tells no more.
        progress: called with the share of the file that is there, 0 to 1.
        size: how many bytes it has. Default: not known, and at most `LARGEST`.

    Returns:
        Its path in the cache.

    Raises:
        InputError: where the network or the file cannot be reached, the transfer breaks off, or the
            address, the checksum or the size is not what it should be.

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
    if not _LEAST <= len(sha256) <= _WHOLE or set(sha256) - set("0123456789abcdef"):
        raise InputError(
            f"received the checksum {sha256!r} for {url}, expected at least {_LEAST} hexadecimal "
            f"digits of its SHA-256, or better all {_WHOLE}"
        )
    path = cache_folder() / sha256[:_LEAST] / _file_name(url)
    if _is_there(path, sha256):
        return path
    try:
        with contextlib.closing(_locked(path.with_name(f"{path.name}.partial"))) as partial:
            if _is_there(path, sha256):  # by now, thanks to another process
                _remove(partial)
            else:
                _complete(url, partial, sha256, progress, size)
                os.replace(partial.name, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _file_name(url):
    """Validate an address, and name the file that it leads to."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.hostname and (parts.port is None or parts.port) and url.isprintable()
    except ValueError:  # of a port, or a bracket
        valid = False
    if not valid or " " in url:
        raise InputError(f"received the address {url}, expected https://HOST/FILE")
    if parts.scheme != "https":
        raise InputError(
            f"received the address {url}, expected one that begins with https://: what comes by "
            f"{parts.scheme or 'nothing'} may be anybody's"
        )
    name = re.sub(r"[^\w.-]", "_", pathlib.PurePosixPath(parts.path).name)
    return name[-100:].lstrip(".") or "download"


def _is_there(path, sha256):
    return path.is_file() and digest(path).startswith(sha256)


def _locked(path):
    """Open the partial file for this process alone, at its end; the caller closes it."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = open(path, "ab")  # noqa: SIM115
        except FileNotFoundError:  # its folder was removed
            continue
        if fcntl is not None:
            with contextlib.suppress(OSError):  # some network file systems have no locks
                fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever had it before may have moved or removed it.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        file.close()


def _complete(url, partial, sha256, progress, size):
    """Download what is missing of a partial file; nothing is left of a wrong one."""
    try:
        _download(url, partial, progress, size)
    except BaseException:
        if not partial.seek(0, os.SEEK_END):
            _remove(partial)
        raise
    partial.flush()
    received = digest(partial.name)
    if not received.startswith(sha256):
        _remove(partial)
        raise InputError(
            f"received {url} with SHA-256 {received}, expected {sha256}: it was removed; another "
            f"file lies there now, or the transfer was tampered with"
        )
    if len(sha256) < _WHOLE:
        log.info("%s: SHA-256 %s, of which its publisher tells %s", url, received, sha256)


def _remove(partial):
    os.unlink(partial.name)
    with contextlib.suppress(OSError):  # other files are there
        os.rmdir(os.path.dirname(partial.name))


def _download(url, partial, progress, size):
    """Append to a partial file what is missing of it."""
    start = partial.seek(0, os.SEEK_END)
    if start == size:
        return
    if size is not None and start > size:
        start = _emptied(partial)
    headers = {"User-Agent": f"kerasep/{__version__}"} | (
        {"Range": f"bytes={start}-"} if start else {}
    )
    try:
        request = urllib.request.Request(url, headers=headers)
        with _opener().open(request, timeout=_SECONDS) as response:
            if response.status != http.client.PARTIAL_CONTENT:
                start = _emptied(partial)  # the server sends the whole file again
            total = size if response.length is None else start + response.length
            done, most = start, LARGEST if size is None else size
            if total is not None and (total > most or (size is not None and total < size)):
                raise _wrong_size(url, partial, total, size)
            while block := response.read(_BLOCK):
                partial.write(block)
                done += len(block)
                if done > most:
                    raise _wrong_size(url, partial, f"{done} or more", size)
                if progress and total:
                    progress(min(1.0, done / total))
        if total is not None and done < total:
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


def _emptied(partial):
    partial.seek(0)
    return partial.truncate()


def _wrong_size(url, partial, received, size):
    """Empty a partial file, and return the error for it."""
    _emptied(partial)
    expected = f"at most {LARGEST}" if size is None else size
    return InputError(
        f"received {url} of {received} bytes, expected {expected}: another file lies there now"
    )


_AGAIN = "the same call again goes on from there"


class _SecureRedirections(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, request, fp, code, msg, headers, newurl):
        _file_name(newurl)
        return super().redirect_request(request, fp, code, msg, headers, newurl)


def _opener():
    """Return what opens https:// addresses alone, through a proxy where the environment has one."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _SecureRedirections(),
    ):
        opener.add_handler(handler)
    return opener


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
