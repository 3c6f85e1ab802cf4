"""Pools: recordings of single speakers or instruments, to be mixed as training goes."""

from dataclasses import dataclass, replace
from pathlib import Path

from kerasep.data.datasets.layouts.recogniser import of_split, recognise, recognise_groups
from kerasep.data.datasets.stems import Stem, open_stems
from kerasep.errors import InputError
from kerasep.system import logs

logger = logs.logger(__name__)


@dataclass(frozen=True)
class Pool:
    """Recordings without mixtures: a name, and the recordings of each speaker or instrument."""

    name: str
    groups: dict[str, tuple[Stem, ...]]

    @property
    def duration(self):
        """Duration of all recordings together in seconds."""
        return sum(stem.info.seconds for stems in self.groups.values() for stem in stems)

    def are_speakers(self, sources):
        """Tell what the groups are to a model.

        Args:
            sources: Names of the model's sources.

        Returns:
            False where every source is the name of a group: a mixture has one recording of each,
            and groups that are no source may play along. True where none is: groups are
            speakers, and a mixture has recordings of as many *different* ones as there are sources.

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

    def hold_out(self):
        """Set aside every tenth recording of each group, to validate on.

        Returns:
            Two pools: what is left, and what was set aside. A group with a single recording is in
            the first alone.
        """
        kept, aside = {}, {}
        for name, stems in self.groups.items():
            held = stems[::10] if len(stems) > 1 else ()
            kept[name] = tuple(stem for stem in stems if stem not in held)
            if held:
                aside[name] = held
        return replace(self, groups=kept), replace(self, groups=aside)


def find_pool(folder, split=None):
    """Find recordings of single speakers or instruments, and read the headers of their files.

    Two layouts are known: a folder for each speaker or instrument with its recordings, however deep
    (`FOLDER/george/*.wav`, `FOLDER/drums/*.wav`), and one folder of recordings whose names say the
    speaker (`7_george_12.wav`). Both may lie in folders of train, valid and test. Files that cannot
    be read are left out, with a line each in the log.

    Args:
        folder: The folder, or a manifest (see the guide on data folders).
        split: "train", "valid" or "test", for data sets that have these. Defaults to all.

    Returns:
        A `Pool`.

    Raises:
        InputError: The folder is missing, its layout is another, it lacks the split, or no file can
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
    found = recognise_groups(folder)
    groups = of_split(found.groups, split, folder)
    for line in found.skipped:
        logger.warning("skipped %s", line)
    locations = [place for group in groups for place in group.recordings]
    stems = dict(zip(locations, open_stems(locations), strict=True))
    errors = [stem for stem in stems.values() if isinstance(stem, InputError)]
    for error in errors:
        logger.warning("skipped %s", error)
    pool = {}
    for group in groups:
        usable = [stems[place] for place in group.recordings if isinstance(stems[place], Stem)]
        if usable:
            pool[group.name] = pool.get(group.name, ()) + tuple(usable)
    if not pool:
        raise InputError(f"{folder} has {len(errors)} recordings and none can be read: {errors[0]}")
    logger.info(
        "%s: %s, %d recordings of %s%s",
        folder,
        found.layout,
        len(stems) - len(errors),
        _names(sorted(pool)),
        f", {len(errors) + len(found.skipped)} skipped" if errors or found.skipped else "",
    )
    return Pool(str(folder), dict(sorted(pool.items())))


def is_pool(data_set):
    """Tell whether a data set is a `Pool`, or a folder or manifest of one."""
    if isinstance(data_set, str | Path):
        try:
            return bool(recognise(data_set).groups)
        except InputError:
            return False
    return isinstance(data_set, Pool)


def split_pool(data_set, valid=None, sources=()):
    """Find the recordings to train and to validate on.

    Splits that the data set has itself count, as for tracks. Else every tenth recording of each
    group is held out.

    Args:
        data_set: A folder, or a `Pool`.
        valid: Likewise, or None to take it from `data_set`.
        sources: Names of the model's sources, which both must be good for. Defaults to none.

    Returns:
        Two pools; None in place of the second where too little is left to hold out.

    Raises:
        InputError: A folder cannot be used, or lacks sources.
    """
    train, held = _split(data_set, valid)
    train.are_speakers(sources)
    if valid is not None:
        held.are_speakers(sources)
        return train, held
    enough = held.groups.keys() >= set(sources) or len(held.groups) >= len(sources)
    return train, held if held.groups and enough else None


def _split(data_set, valid):
    if isinstance(data_set, Pool):
        train, splits = data_set, set()
    else:
        splits = {group.split for group in recognise_groups(data_set).groups}
        train = find_pool(data_set, "train" if "train" in splits else None)
    if valid is not None:
        return train, valid if isinstance(valid, Pool) else find_pool(valid)
    return (
        (train, find_pool(data_set, "valid")) if splits >= {"train", "valid"} else train.hold_out()
    )


def _names(names):
    return ", ".join(names) if len(names) <= 8 else f"{', '.join(names[:8])}... ({len(names)})"
