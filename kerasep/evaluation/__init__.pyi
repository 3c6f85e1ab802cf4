from .dnsmos_rating import dnsmos
from .oracles import oracle_estimates
from .score_tables import (
    bounded,
    summarise,
    write_csv,
)
from .scores import (
    estimates,
    evaluate,
)

__all__ = [
    "bounded",
    "dnsmos",
    "estimates",
    "evaluate",
    "oracle_estimates",
    "summarise",
    "write_csv",
]
