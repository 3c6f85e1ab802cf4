"""Checksums of files."""

import hashlib
import os


def sha256(path: str | os.PathLike) -> str:
    """Compute the SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
