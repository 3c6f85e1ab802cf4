"""Download files into a cache, with resuming, locks and checks of their SHA-256."""

import contextlib
import os
import pathlib
import re
import urllib.parse
from collections.abc import Callable, Iterator
from typing import BinaryIO

import requests

from kerasep import __version__
from kerasep.errors import InputError
from kerasep.files.cache import cache_folder
from kerasep.files.checksums import sha256 as checksum_of
from kerasep.files.text_files import read_text
from kerasep.system import logs

try:
    import fcntl
except ImportError:  # Windows, where two downloads of one file may disturb each other
    fcntl = None  # type: ignore[assignment]

LARGEST = 4 << 30  # bytes of a file whose size is not known
_BLOCK = 1 << 16
_SECONDS = 30
_RETRIES = 2  # of a connection that could not be made
_DIGITS = 64  # of a whole checksum
_LEAST_DIGITS = 8  # what publishers put in the names of files
_RESUME = "the same call again resumes it"

log = logs.logger(__name__)


def fetch(
    url: str,
    sha256: str,
    progress: Callable[[float], object] | None = None,
    *,
    size: int | None = None,
) -> pathlib.Path:
    """Return the path of a file in the cache, after downloading it if it is missing.

    `sha256` may be the first 8 digits of the checksum if the publisher states no more. The whole
    checksum of the first download is then stored beside the file, and must hold from then on.
    Without a `size` in bytes the limit is `LARGEST`. `progress` is called with the share received.
    """
    sha256 = sha256.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_LEAST_DIGITS},{_DIGITS}}}", sha256):
        raise InputError(
            f"received the checksum {sha256!r} for {url}, expected at least {_LEAST_DIGITS} "
            f"hexadecimal digits of its SHA-256, or better all {_DIGITS}"
        )
    path = cache_folder() / sha256[:_LEAST_DIGITS] / _file_name(url)
    checksum_file = path.with_name(f"{path.name}.sha256")
    if len(sha256) < _DIGITS:
        sha256 = _stored_checksum(checksum_file, sha256)
    if _is_complete(path, sha256):
        return path
    try:
        with _locked(path.with_name(f"{path.name}.partial")) as partial:
            if _is_complete(path, sha256):  # another process has just completed it
                _remove(partial)
                return path
            try:
                _download(url, partial, progress, size)
            except BaseException:
                if not partial.seek(0, os.SEEK_END):
                    _remove(partial)
                raise
            partial.flush()
            received = checksum_of(partial.name)
            if not received.startswith(sha256):
                _remove(partial)
                raise InputError(
                    f"received {url} with SHA-256 {received}, expected {sha256}: it was removed; "
                    f"the publisher replaced the file, or the transfer was tampered with"
                )
            os.replace(partial.name, path)
        if len(sha256) < _DIGITS:
            log.info("%s: SHA-256 %s, of which its publisher states %s", url, received, sha256)
            checksum_file.write_text(received, "ascii")
    except requests.RequestException as error:  # which are OSErrors
        raise InputError(
            f"cannot download {url} ({_reason(error)}): check the network; {_RESUME}, and a file "
            f"downloaded by hand is used with weights=PATH"
        ) from error
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    return path


def _stored_checksum(file, digits):
    """Return the whole checksum of an earlier download, or the digits if there was none."""
    try:
        checksum = read_text(file).strip()
    except (OSError, ValueError):
        return digits
    whole = re.fullmatch(rf"[0-9a-f]{{{_DIGITS}}}", checksum) and checksum.startswith(digits)
    return checksum if whole else digits


def _file_name(url):
    """Validate an address, and return a name for its file."""
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.hostname and (parts.port is None or parts.port) and url.isprintable()
    except ValueError:  # of a port, or a bracket
        valid = False
    if not valid or " " in url or not url.isascii() or parts.scheme != "https":
        raise InputError(f"received the address {url}, expected https://HOST/FILE")
    name = re.sub(r"[^\w.-]", "_", pathlib.PurePosixPath(parts.path).name)
    return name[-100:].lstrip(".") or "download"


def _is_complete(path, sha256):
    return path.is_file() and checksum_of(path).startswith(sha256)


@contextlib.contextmanager
def _locked(path: pathlib.Path) -> Iterator[BinaryIO]:
    """Open the partial file for this process alone, at its end."""
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = open(path, "ab")  # noqa: SIM115
        except FileNotFoundError:  # its folder was removed
            continue
        with file:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # some network file systems have no locks
                    fcntl.flock(file, fcntl.LOCK_EX)
            # The process that had it before may have moved or removed it.
            if _is_at(file, path):
                yield file
                return


def _is_at(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _remove(partial):
    os.unlink(partial.name)
    with contextlib.suppress(OSError):  # other files are there
        os.rmdir(os.path.dirname(partial.name))


def _download(url, partial, progress, size):
    """Append what is missing to a partial file."""
    done = partial.seek(0, os.SEEK_END)
    if done == size:
        return
    if size is not None and done > size:
        done = _emptied(partial)
    headers = {"User-Agent": f"kerasep/{__version__}", "Accept-Encoding": "identity"}
    headers |= {"Range": f"bytes={done}-"} if done else {}
    with _session() as session:
        response = session.get(url, headers=headers, stream=True, timeout=_SECONDS)
        if response.status_code == requests.codes.requested_range_not_satisfiable and done:
            return  # it was complete
        if not response.ok:
            raise InputError(
                f"{url} gave {response.status_code} {response.reason}: it may have moved; download "
                f"it by hand and pass weights=PATH"
            )
        if response.status_code != requests.codes.partial_content:
            done = _emptied(partial)  # the server sends the whole file again
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else size
        most = LARGEST if size is None else size
        if total is not None and (total > most or (size is not None and total < size)):
            raise _wrong_size(url, partial, total, size)
        try:
            for block in response.iter_content(_BLOCK):
                partial.write(block)
                done += len(block)
                if done > most:
                    raise _wrong_size(url, partial, f"{done} or more", size)
                if progress and total:
                    progress(min(1.0, done / total))
        except requests.RequestException:
            if total is None:
                raise
    if total is not None and done < total:
        raise InputError(f"{url} broke off after {done} of {total} bytes: {_RESUME}")


def _session():
    """Return a session that connects to https:// addresses alone, also after redirections."""
    session = requests.Session()
    session.adapters.clear()
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=_RETRIES))
    return session


def _emptied(partial):
    partial.seek(0)
    return partial.truncate()


def _wrong_size(url, partial, received, size):
    """Empty a partial file, and return the error for it."""
    _emptied(partial)
    expected = f"at most {LARGEST}" if size is None else size
    return InputError(
        f"received {url} of {received} bytes, expected {expected}: the publisher replaced the file"
    )


def _reason(error):
    """Return an error in one line, without the objects that `requests` wraps it in."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return " ".join(str(reason or error).split())
