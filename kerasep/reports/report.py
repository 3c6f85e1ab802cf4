"""Parts of a self-contained HTML page: players, spectrograms, curves and tables."""

import io
import os
from collections.abc import Collection, Sequence

import numpy as np
import soundfile

from kerasep.files.atomic import replacing
from kerasep.reports import plots
from kerasep.reports.rendering import part, render
from kerasep.reports.spectrograms import spectrogram


def page(title: str, lead: str, sections: Sequence[tuple[str, str]]) -> str:
    """Build a page that loads no other file.

    Args:
        title: heading of the page.
        lead: one sentence below it.
        sections: (heading, HTML) pairs; the HTML comes from the functions below.

    Returns:
        The page as text.

    Raises:
        InputError: if jinja2 is not installed.

    Example:
    >>> "<h2>Scores</h2>" in page("Demo", "The results.", [("Scores", "<p>none</p>")])
    True
    """
    return render("base.html", title=title, lead=lead, sections=sections)


def write_page(text: str, path: str | os.PathLike) -> None:
    """Write a page completely or not at all.

    Args:
        text: the page.
        path: the file, replaced if it exists.

    Raises:
        InputError: if the file cannot be written.
    """
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def players(waveforms: dict[str, np.ndarray], sample_rate: int) -> str:
    """Build an audio player with a spectrogram for each waveform.

    Args:
        waveforms: dict from caption to array `(samples, channels)`.
        sample_rate: in Hz.

    Returns:
        HTML.

    Raises:
        InputError: if matplotlib or jinja2 is not installed.

    Example:
    ```python
    import numpy as np
    from kerasep.reports import report

    html = report.players({"noise": np.random.randn(8000, 1) / 10}, 8000)
    assert "<audio" in html
    ```
    """
    return part("players", player_data(waveforms, sample_rate))


def player_data(waveforms: dict[str, np.ndarray], sample_rate: int) -> list[dict[str, str]]:
    """Return caption, spectrogram and audio of each player, for the macro `players`."""
    return [
        {
            "caption": caption,
            "spectrogram": spectrogram(waveform, sample_rate),
            "audio": _audio(waveform, sample_rate),
        }
        for caption, waveform in waveforms.items()
    ]


def curve(history: list[dict], keys: dict[str, str]) -> str:
    """Draw values of a training history against time.

    Args:
        history: list of dicts, one per epoch, with `seconds`.
        keys: dict from a key of the history to its label.

    Returns:
        HTML.

    Raises:
        InputError: if matplotlib or jinja2 is not installed.
    """
    return part("curve", plots.curve(history, keys))


def table(rows: list[dict], own: Collection[int] = ()) -> str:
    """Build a table.

    Args:
        rows: list of dicts with the same keys. Floats are shown with two decimals, None as a dash.
        own: indices of the rows to highlight.

    Returns:
        HTML.

    Raises:
        InputError: if jinja2 is not installed.

    Example:
    >>> "<td>1.50</td>" in table([{"source": "bass", "dB": 1.5}])
    True
    """
    return part("table", rows, own)


def facts(pairs: dict) -> str:
    """Build a list of names and values.

    Args:
        pairs: dict from name to value.

    Returns:
        HTML.

    Raises:
        InputError: if jinja2 is not installed.

    Example:
    >>> "<dt>size</dt><dd>1 MB</dd>" in facts({"size": "1 MB"})
    True
    """
    return part("facts", pairs)


def _audio(waveform, sample_rate):
    file = io.BytesIO()
    soundfile.write(file, np.clip(waveform, -1, 1), sample_rate, "PCM_16", format="FLAC")
    return plots.data_address(file.getvalue(), "audio/flac")
