"""The error that means: what was given cannot be used."""

from kerasep.system.names import one_line


class InputError(ValueError):
    """Raised for what a user can put right: one line says what was received, expected and to do.

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
