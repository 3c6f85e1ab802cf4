from .scores import (
    bounded,
    estimates,
    evaluate,
    oracle_estimates,
    summarise,
    write_csv,
)

__all__ = [
    "bounded",
    "estimates",
    "evaluate",
    "oracle_estimates",
    "summarise",
    "write_csv",
]
