from .cards import BEST_FOR_SONGS, describe, list_entries
from .published_sets import catalogue
from .registry import load

__all__ = ["BEST_FOR_SONGS", "catalogue", "describe", "list_entries", "load"]
