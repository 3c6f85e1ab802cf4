"""Look at the folders of a data set once, although layouts are tried in turn, and several times."""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

_results: contextvars.ContextVar[dict | None] = contextvars.ContextVar("results", default=None)


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Take folders as unchanged until the end of the context; also a decorator."""
    if _results.get() is not None:
        yield
        return
    token = _results.set({})
    try:
        yield
    finally:
        _results.reset(token)


def once(function: Callable) -> Callable:
    """Decorate a function that runs once per arguments within `unchanged`, else every time."""

    @functools.wraps(function)
    def call(*arguments):
        results = _results.get()
        if results is None:
            return function(*arguments)
        key = function, arguments
        if key not in results:
            results[key] = function(*arguments)
        return results[key]

    return call
