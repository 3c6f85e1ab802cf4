import pytest

from tests.streaming.small_streams import built


@pytest.fixture(scope="session")
def small():
    """Function of a kind, and changes to its arguments: model, separator, streamer."""
    return lambda kind, **changes: built(kind, tuple(changes.items()))
