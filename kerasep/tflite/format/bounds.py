"""The bounds of a file's metadata, which every reader checks.

The same bounds are in tflite/native/metadata.c, tflite/web/src/bounds.js, and the readers for
Android and iOS. docs/guide/tflite.md lists them.
"""

FORMAT = 2
MODES = ("separate", "mask", "streaming")
_MOST_SOURCES, _MOST_NAME = 64, 200  # the latter in bytes of UTF-8, since names become file names
_MOST_ORDERED = 8  # of sources in any order, because all orders are tried
_MOST_SAMPLES, _MOST_FRAME = 2**30, 2**20
_ENDS = ("mirror", "fill", "drop")

# key -> least and largest whole number
_LENGTHS = {
    "chunk": (1, _MOST_SAMPLES),
    "overlap": (0, _MOST_SAMPLES),
    "latency": (0, _MOST_SAMPLES),
    "frames": (1, _MOST_SAMPLES),
    "state": (2, _MOST_SAMPLES),
}
_NUMBERS = {
    "format": (1, FORMAT),
    "sample_rate": (1000, 768000),
    "channels": (1, 64),
    "hop": (1, _MOST_SAMPLES),
}
_TIMING = dict.fromkeys(("hop", "frame", "grain", "step"), (1, _MOST_FRAME))
_TIMING |= dict.fromkeys(("lag", "silence"), (0, _MOST_FRAME))
_STFT = dict.fromkeys(("n_fft", "hop"), (1, _MOST_FRAME))
_TEXTS = ("kerasep", "created_by", "weights_sha256", "preset", "licence", "quantization")

# mode -> keys that its files must have
_NEEDED = {
    "separate": ("model", "sample_rate", "channels", "hop", "chunk", "overlap"),
    "mask": ("model", "sample_rate", "channels", "hop"),
    "streaming": ("model", "sample_rate", "channels", "hop", "latency", "timing"),
}


def as_integers(about):
    """Return a nested dict with whole numbers as integers: 2 instead of 2.0."""
    return {
        key: as_integers(value)
        if isinstance(value, dict)
        else int(value)
        if isinstance(value, float) and value.is_integer()
        else value
        for key, value in about.items()
    }


def complaint(about):
    """Return which value of metadata is out of bounds and what was expected, or None."""
    checks = (_sources, _numbers, _texts, _flags, _chunks, _stft, _timing)
    return next(filter(None, (check(about) for check in checks)), None)


def missing(about):
    """Return which key that its mode needs is missing from metadata, or None."""
    lacking = (key for key in _NEEDED[about["mode"]] if about.get(key) is None)
    return next((f"no {key}, expected one in mode={about['mode']!r}" for key in lacking), None)


def _sources(about):
    sources = about.get("sources")
    if not isinstance(sources, list) or not 1 <= len(sources) <= _MOST_SOURCES:
        return f"sources={_short(sources)}, expected 1 to {_MOST_SOURCES} names"
    if not all(map(_names_a_file, sources)):
        return (
            f"sources={_short(sources)}, expected names of letters, digits and _, at most "
            f"{_MOST_NAME} bytes long"
        )
    if len(set(sources)) < len(sources):
        return f"sources={_short(sources)}, expected different names"
    residual = about.get("residual")
    if residual is not None and residual not in sources:
        return f"residual={_short(residual)}, expected one of the sources or null"
    return None


def _names_a_file(name):
    return (
        isinstance(name, str)
        and name.replace("_", "").isalnum()
        and len(name.encode()) <= _MOST_NAME
    )


def _numbers(about):
    # These may be null in modes that do not use them.
    lengths = {key: bounds for key, bounds in _LENGTHS.items() if about.get(key) is not None}
    return _outside(about, {key: _NUMBERS[key] for key in _NUMBERS if key in about} | lengths)


def _texts(about):
    for key in ("model", *_TEXTS):
        value = about.get(key)
        if not (value is None and (key in _TEXTS or key not in about)) and not _is_text(value):
            return f"{key}={_short(value)}, expected a text without control characters"
    return None


def _flags(about):
    mode, interchangeable = about["mode"], about["interchangeable"]
    if mode not in MODES:
        return f"mode={_short(mode)}, expected one of {', '.join(MODES)}: update kerasep"
    if not isinstance(interchangeable, bool):
        return f"interchangeable={_short(interchangeable)}, expected true or false"
    if interchangeable and len(about["sources"]) > _MOST_ORDERED:
        return f"{len(about['sources'])} sources in any order, expected at most {_MOST_ORDERED}"
    return None


def _chunks(about):
    chunk, hop, overlap = about.get("chunk"), about.get("hop"), about.get("overlap") or 0
    if about["mode"] != "separate" or chunk is None or hop is None:
        return None
    if chunk % hop or -(-overlap // hop) * hop > chunk // 2:
        return (
            f"chunk={chunk}, overlap={overlap}, hop={hop}, expected a chunk of whole hops and an "
            f"overlap of at most half a chunk"
        )
    return None


def _stft(about):
    stft = about.get("stft")
    if stft is None:
        return None
    if not isinstance(stft, dict) or not _is_text(stft.get("window")):
        return f"stft={_short(stft)}, expected n_fft, hop and window"
    return _outside(stft, _STFT, "stft ")


def _timing(about):
    timing = about.get("timing")
    if timing is None:
        return None
    if not isinstance(timing, dict) or timing.get("ends") not in _ENDS:
        return f"timing={_short(timing)}, expected lengths, and ends of {', '.join(_ENDS)}"
    if problem := _outside(timing, _TIMING, "timing "):
        return problem
    if timing["grain"] % timing["hop"] or timing["step"] % timing["grain"]:
        return f"timing={_short(timing)}, expected a step of whole grains, and these of whole hops"
    late = timing["lag"] + timing["grain"]
    if about.get("latency", late) != late:
        return f"latency={about['latency']}, expected {late}: lag and grain"
    return None


def _outside(values, bounds, where=""):
    for key, (least, most) in bounds.items():
        value = values.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            return f"{where}{key}={_short(value)}, expected a whole number from {least} to {most}"
    return None


def _is_text(value):
    return isinstance(value, str) and not any(
        letter < " " or "\x7f" <= letter <= "\x9f" for letter in value
    )


def _short(value):
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
