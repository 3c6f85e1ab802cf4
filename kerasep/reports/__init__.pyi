from . import (
    check_page,
    demo,
    report,
)

__all__ = [
    "check_page",
    "demo",
    "report",
]
