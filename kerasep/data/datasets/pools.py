"""Pools: recordings of single speakers or instruments, mixed during training."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from kerasep.data.datasets.layouts.once import unchanged
from kerasep.data.datasets.layouts.recogniser import of_split, recognise, recognise_groups
from kerasep.data.datasets.stems import Stem, open_stems
from kerasep.errors import InputError
from kerasep.system import logs

logger = logs.logger(__name__)


@dataclass(frozen=True)
class Pool:
    """Recordings without mixtures.

    Attributes:
        name: Name of the data set.
        groups: Dict from the name of a speaker or instrument to its recordings.
    """

    name: str
    groups: dict[str, tuple[Stem, ...]]

    @property
    def duration(self) -> float:
        """Total duration of the recordings in seconds."""
        return sum(stem.info.seconds for stems in self.groups.values() for stem in stems)

    def are_speakers(self, sources: Sequence[str]) -> bool:
        """Return whether the groups are speakers for a model, not its sources.

        If every source is the name of a group, a mixture has one recording of each. If none is, the
        groups are speakers, and a mixture has as many different ones as the model has sources.

        Args:
            sources: Names of the model's sources.

        Returns:
            True if no source is the name of a group, False if all are.

        Raises:
            InputError: Some sources are groups and others not, or there are too few speakers.

        Example:
        >>> from kerasep.data.datasets.pools import Pool
        >>> Pool("digits", {"theo": (), "lucas": ()}).are_speakers(["speaker_1", "speaker_2"])
        True
        """
        missing = [source for source in sources if source not in self.groups]
        names = ", ".join(self.groups)
        if missing and len(missing) < len(sources):
            raise InputError(
                f"{self.name} has no recordings of {', '.join(missing)}, only of {names}: add "
                "them, or choose other sources"
            )
        if missing and len(self.groups) < len(sources):
            raise InputError(
                f"{self.name} has {len(self.groups)} speakers ({names}), too few for mixtures of "
                f"{len(sources)}: add recordings of others"
            )
        return bool(missing)

    def hold_out(self) -> tuple["Pool", "Pool"]:
        """Hold out every tenth recording of each group; none of a single recording.

        Returns:
            Pools of the remaining and of the held-out recordings.
        """
        kept, aside = {}, {}
        for name, stems in self.groups.items():
            held_out = stems[::10] if len(stems) > 1 else ()
            held = set(held_out)
            kept[name] = tuple(stem for stem in stems if stem not in held)
            if held_out:
                aside[name] = held_out
        return replace(self, groups=kept), replace(self, groups=aside)


def find_pool(folder: str | os.PathLike, split: str | None = None) -> Pool:
    """Find recordings of single speakers or instruments, and read the headers of their files.

    Known layouts are a folder per speaker or instrument with its recordings at any depth
    (`FOLDER/george/*.wav`, `FOLDER/drums/*.wav`), and one folder of recordings named by speaker
    (`7_george_12.wav`), both also within folders train, valid and test. Files that cannot be read
    are left out, with a line each in the log.

    Args:
        folder: The folder, or a manifest (see the guide on data folders).
        split: "train", "valid" or "test", for data sets that have these. Defaults to all.

    Returns:
        A `Pool`.

    Raises:
        InputError: The folder is missing or its layout unknown, it lacks the split, or no file can
            be read.

    Example:
    ```python
    import pathlib
    import numpy as np
    import kerasep

    pathlib.Path("words").mkdir()
    for name in ("1_theo", "2_theo", "1_lucas"):
        kerasep.data.write(f"words/{name}.wav", np.zeros((8000, 1), "float32"), 8000)
    pool = kerasep.data.find_pool("words")
    assert list(pool.groups) == ["lucas", "theo"] and pool.duration == 3.0
    ```
    """
    contents = recognise_groups(folder)
    groups = of_split(contents.groups, split, folder)
    places = [(group.name, place) for group in groups for place in group.recordings]
    stems = open_stems(folder, [place for _, place in places])
    errors = [stem for stem in stems if isinstance(stem, InputError)]
    for line in (*contents.skipped, *errors):
        logger.warning("skipped %s", line)
    pool: dict[str, list[Stem]] = {}
    for (name, _), stem in zip(places, stems, strict=True):
        if isinstance(stem, Stem):
            pool.setdefault(name, []).append(stem)
    if not pool:
        raise InputError(f"{folder} has {len(errors)} recordings and none can be read: {errors[0]}")
    names, skipped = sorted(pool), len(errors) + len(contents.skipped)
    logger.info(
        "%s: %s, %d recordings of %s%s",
        folder,
        contents.layout,
        len(stems) - len(errors),
        ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])}... ({len(names)})",
        f", {skipped} skipped" if skipped else "",
    )
    return Pool(str(folder), {name: tuple(pool[name]) for name in names})


def is_pool(data_set: object) -> TypeGuard[str | os.PathLike | Pool]:
    """Return whether a data set is a pool.

    Args:
        data_set: A `Pool`, a list of `Track`, or a folder or manifest.

    Returns:
        True for a `Pool`, or a folder or manifest of recordings without mixtures.

    Example:
    >>> is_pool([])
    False
    """
    if isinstance(data_set, str | os.PathLike):
        try:
            return bool(recognise(data_set).groups)
        except InputError:
            return False
    return isinstance(data_set, Pool)


def split_pool(
    data_set: str | os.PathLike | Pool,
    valid: object = None,
    sources: Sequence[str] = (),
) -> tuple[Pool, Pool | None]:
    """Split recordings into those to train on and those to validate on.

    If the data set has no splits of its own, every tenth recording of each group is held out.

    Args:
        data_set: A folder, a manifest, or a `Pool`.
        valid: A folder, a manifest, or a `Pool` to validate on. Defaults to None: taken from
            `data_set`.
        sources: Names of the model's sources, which both pools must provide. Defaults to none.

    Returns:
        The pools to train and to validate on. The latter is None if there are too few recordings.

    Raises:
        InputError: A folder cannot be used, lacks sources, or `valid` is a list of tracks.

    Example:
    ```python
    import pathlib
    import numpy as np
    import kerasep

    for name in ("theo/1", "theo/2", "lucas/1", "lucas/2"):
        path = pathlib.Path(f"words/{name}.wav")
        path.parent.mkdir(parents=True, exist_ok=True)
        kerasep.data.write(path, np.zeros((8000, 1), "float32"), 8000)
    train, valid = kerasep.data.pools.split_pool("words")
    assert train.duration == valid.duration == 2.0
    ```
    """
    train, held = _split(data_set, valid)
    train.are_speakers(sources)
    if valid is not None:
        held.are_speakers(sources)
        return train, held
    enough = held.groups.keys() >= set(sources) or len(held.groups) >= len(sources)
    return train, held if held.groups and enough else None


@unchanged()
def _split(data_set, valid):
    if isinstance(data_set, Pool):
        train, splits = data_set, set()
    else:
        splits = {group.split for group in recognise_groups(data_set).groups}
        train = find_pool(data_set, "train" if "train" in splits else None)
    if valid is not None:
        if isinstance(valid, Pool):
            return train, valid
        if not isinstance(valid, str | os.PathLike):
            raise InputError(
                f"received a {type(valid).__name__} to validate on, expected a folder or a pool, "
                "as the training data are recordings without mixtures: choose another"
            )
        return train, find_pool(valid)
    if splits >= {"train", "valid"}:
        return train, find_pool(data_set, "valid")
    return train.hold_out()
