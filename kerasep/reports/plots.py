"""Plots of the pages, as `data:` addresses of PNG images."""

import base64
import io
import math
import warnings

from kerasep.errors import installed_by
from kerasep.system.names import one_line, picture_text

# Readable on light and dark pages, since the pictures are transparent.
_INK, _ACCENT, _ALERT = "#7d838d", "#3f86e0", "#d9604a"


def data_address(content: bytes, kind: str) -> str:
    """Return the address of a file that a page holds itself."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def curve(history: list[dict], keys: dict[str, str]) -> str:
    """Draw the losses of a training history against minutes."""
    figure, axes = _new_figure(9, 3)
    minutes = [row["seconds"] / 60 for row in history]
    for (key, label), style in zip(keys.items(), ("o-", "s-", "^-"), strict=False):
        values = [row.get(key, math.nan) for row in history]
        axes.plot(minutes, values, style, label=picture_text(label), ms=3)
    axes.set(xlabel="minutes", ylabel="loss")
    _plain(axes)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, labelcolor=_INK)
    return _png(figure)


def histogram(seconds: list[float], label: str) -> str:
    """Draw the histogram of durations."""
    figure, axes = _new_figure(5.2, 2.8)
    _plain(axes)
    axes.hist(seconds, bins=min(40, max(5, round(math.sqrt(len(seconds))))), color=_ACCENT)
    axes.set(xlabel="seconds", ylabel=label)
    axes.yaxis.get_major_locator().set_params(integer=True)
    return _png(figure)


def boxes(values: dict[str, list[float]], unit: str, line: float | None = None) -> str:
    """Draw a box plot with a row per name, and a vertical line if wanted."""
    figure, axes = _new_figure(5.2, max(2.8, 0.26 * len(values) + 0.9))
    _plain(axes)
    axes.boxplot(
        list(values.values())[::-1],
        orientation="horizontal",
        widths=0.55,
        patch_artist=True,
        boxprops={"facecolor": "#3f86e033", "edgecolor": _ACCENT},
        medianprops={"color": _ACCENT, "linewidth": 2},
        whiskerprops={"color": _ACCENT},
        capprops={"color": _ACCENT},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": _INK, "alpha": 0.5},
    )
    axes.set_yticklabels([_short(name) for name in values][::-1])
    axes.set_xlabel(unit)
    if line is not None:
        axes.axvline(line, color=_ALERT, linewidth=1)
    return _png(figure)


def _new_figure(width, height):
    with installed_by("kerasep[report]"):
        from matplotlib.figure import Figure

    figure = Figure((width, height), dpi=160, layout="constrained")
    return figure, figure.subplots()


def _plain(axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=8)
    axes.xaxis.label.set_color(_INK)
    axes.yaxis.label.set_color(_INK)
    axes.grid(axis="x", alpha=0.25)
    axes.set_axisbelow(True)


def _short(name):
    name = one_line(name)
    return picture_text(name if len(name) < 18 else f"{name[:16]}...")


def _png(figure):
    file = io.BytesIO()
    with warnings.catch_warnings():
        # Names may have characters that matplotlib's font lacks: they are drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        warnings.filterwarnings("ignore", "Matplotlib currently does not support .* natively")
        figure.savefig(file, format="png", transparent=True)
    return data_address(file.getvalue(), "image/png")
