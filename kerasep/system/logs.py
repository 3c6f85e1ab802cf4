"""The library's loggers."""

import logging

from kerasep.system.names import one_line


def logger(name: str) -> logging.Logger:
    """Return the logger of a module; each of its records is one line of visible characters."""
    logger = logging.getLogger(name)
    if _make_visible not in logger.filters:
        logger.addFilter(_make_visible)
    return logger


def _make_visible(record):
    # File names in messages may hold line feeds, escape sequences or bytes that are not UTF-8.
    record.msg, record.args = one_line(record.getMessage()), ()
    return True
