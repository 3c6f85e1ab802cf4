"""The sampling settings: which crops an epoch has, and how they are mixed and changed."""

from dataclasses import dataclass, fields, replace

from kerasep.errors import InputError
from kerasep.system import logs

READERS = (None, "tensorflow-io")
_MOST_SEMITONES, _MOST_DECIBELS, _MOST_THREADS = 48, 300, 1024

log = logs.logger(__name__)
Setting = str | int | float | bool | None


@dataclass(frozen=True)
class Sampling:
    """Settings of training crops; `kerasep.data.waveforms` documents each of them."""

    batch_size: int = 16
    crop_seconds: float = 6.0
    crops_per_track: int | None = None
    remix: float = 0.5
    gain: tuple[float, float] | None = (0.25, 1.25)
    swap: bool = True
    semitones: int = 0
    snr: tuple[float, float] | None = None
    min_sources: int | None = None
    min_level: float | None = None
    level: float | None = None
    augment: dict[str, dict[str, Setting | list[Setting]]] | None = None
    seed: int = 0
    threads: int | None = None
    reader: str | None = None

    def __post_init__(self):
        counts = self.batch_size, self.crops_per_track or 1
        if not self.crop_seconds > 0 or min(counts) < 1 or self.crops_per_track == 0:
            raise InputError(
                f"received crop_seconds={self.crop_seconds}, batch_size={self.batch_size}, "
                f"crops_per_track={self.crops_per_track}: expected numbers above 0"
            )
        if self.seed < 0 or not 1 <= (self.threads or 1) <= _MOST_THREADS or self.threads == 0:
            raise InputError(
                f"received seed={self.seed}, threads={self.threads}: expected whole numbers from 0 "
                f"on, at least one thread and at most {_MOST_THREADS}"
            )
        is_probability = _is_number(self.remix) and 0 <= self.remix <= 1
        if not is_probability or (self.gain is not None and not _is_range(self.gain, 0)):
            raise InputError(
                f"received remix={self.remix}, gain={self.gain}: expected a probability, and a "
                "range of factors (low, high) or None"
            )
        if self.snr is not None and not _is_range(self.snr, -_MOST_DECIBELS, _MOST_DECIBELS):
            raise InputError(
                f"received snr={self.snr}: expected a range of decibels (low, high) or None"
            )
        if not isinstance(self.semitones, int) or not 0 <= self.semitones <= _MOST_SEMITONES:
            raise InputError(
                f"received semitones={self.semitones}: expected whole numbers from 0 on, at most "
                f"{_MOST_SEMITONES}"
            )
        for name in ("min_level", "level"):
            value = getattr(self, name)
            if value is not None and not (_is_number(value) and abs(value) <= _MOST_DECIBELS):
                raise InputError(
                    f"received {name}={value}: expected decibels, such as -50, or None"
                )
        if self.reader not in READERS:
            raise InputError(
                f"received reader={self.reader!r}, expected 'tensorflow-io' or None for kerasep's "
                "own reader"
            )

    @classmethod
    def of(cls, arguments: dict) -> "Sampling":
        """Pick the sampling settings out of a function's arguments."""
        return cls(**{field.name: arguments[field.name] for field in fields(cls)})

    def check_sources(self, count):
        """Raise an error if more sources should sound than the model has."""
        if self.min_sources is not None and self.min_sources not in range(count + 1):
            raise InputError(
                f"received min_sources={self.min_sources}: the model has {count} sources, "
                f"expected 0 to {count} or None"
            )

    def within(self, crops, multiple=1):
        """Return the settings with a batch of at most an epoch's crops, a multiple of a number."""
        if self.batch_size <= crops or crops < multiple:
            return self
        size = crops // multiple * multiple
        log.info("an epoch has %d crops: batches of %d, not %d", crops, size, self.batch_size)
        return replace(self, batch_size=size)

    def for_validation(self):
        """Return the settings without augmentation; levels and numbers of sources stay."""
        return replace(self, gain=None, swap=False, semitones=0, augment=None)


def _is_range(pair, least, most=float("inf")):
    is_pair = isinstance(pair, list | tuple) and len(pair) == 2
    return is_pair and _is_number(*pair) and least <= pair[0] <= pair[1] <= most


def _is_number(*values):
    return all(isinstance(value, int | float) for value in values)
