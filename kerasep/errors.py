"""The error for invalid input."""

import contextlib
from collections.abc import Iterator

from kerasep.system.names import one_line


class InputError(ValueError):
    """Raised when the user's input is invalid, with one line: received, expected, what to do.

    The command line prints the message alone and exits with status 2.

    Example:
    ```python
    from kerasep.errors import InputError

    try:
        raise InputError("received 'vocal', expected one of vocals, drums: check the spelling")
    except ValueError as error:
        assert "vocals" in str(error)
    ```
    """

    def __init__(self, message: object = ""):
        super().__init__(one_line(message))  # it may hold names of files


@contextlib.contextmanager
def installed_by(requirement: str | None = None) -> Iterator[None]:
    """Raise `InputError` if an import in this context fails; the line says what to install.

    Args:
        requirement: What pip installs, such as "kerasep[edge]". Defaults to the missing package.

    Raises:
        InputError: The package is missing.

    Example:
    ```python
    from kerasep.errors import installed_by

    with installed_by("kerasep[report]"):
        import matplotlib
    ```
    """
    try:
        yield
    except ImportError as error:
        package = error.name or str(error)
        requirement = requirement or package.split(".")[0]
        raise InputError(
            f"received no package {package}, expected it to be installed: pip install "
            f"'{requirement}'"
        ) from error
