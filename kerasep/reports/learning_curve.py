"""The learning curve of the demo, as coordinates of an SVG drawing."""

import math
from collections.abc import Sequence

from kerasep.reports.spectrograms import COLOURS, PLAIN

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 14, 30


def learning_curve(history: list[dict], sources: Sequence[str]) -> dict:
    """Return size, lines and grid of the curve: improvement per source in dB against seconds."""
    values = [row[source] for row in history for source in sources]
    ticks = _ticks(min(values), max(values))
    longest = max(history[-1]["seconds"], 1e-9)

    def x(seconds):
        return _LEFT + seconds / longest * (WIDTH - _LEFT - _RIGHT)

    def y(value):
        share = (value - ticks[0]) / (ticks[-1] - ticks[0])
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)

    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "lines": [
            {
                "name": source,
                "colour": COLOURS.get(source, PLAIN),
                "points": [
                    {
                        "x": x(row["seconds"]),
                        "y": y(row[source]),
                        "text": f"{source} {row[source]:+.2f} dB after {row['steps']} steps, "
                        f"{row['seconds']:.0f} s",
                    }
                    for row in history
                ],
            }
            for source in sources
        ],
        "rows": [{"y": y(tick), "label": f"{tick:g}"} for tick in ticks],
        "columns": [
            {"x": x(tick), "label": f"{tick:g} s"} for tick in _ticks(0, longest) if tick <= longest
        ],
    }


def _ticks(low, high):
    """Return about six round numbers that enclose a range."""
    span = max(high - low, 1e-3)
    power = 10 ** math.floor(math.log10(span / 5))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, 9) for number in range(first, max(last, first + 1) + 1)]
