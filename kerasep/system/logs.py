"""The library's log."""

import logging

from kerasep.system.names import one_line


def logger(name: str) -> logging.Logger:
    r"""Return a module's logger, each record of which is one line of visible characters.

    Names of files are logged: line feeds in them, escape sequences of terminals, or bytes that no
    handler can encode.

    Args:
        name: of the module.

    Returns:
        The `logging.Logger` of that name.

    Example:
    >>> logger("kerasep.example").debug("skipped %s", "a\\nb.wav")
    """
    found = logging.getLogger(name)
    if _visible not in found.filters:
        found.addFilter(_visible)
    return found


def _visible(record):
    record.msg, record.args = one_line(record.getMessage()), ()
    return True
