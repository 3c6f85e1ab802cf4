"""The batches that a run trains and validates on, from any of its states on."""

from kerasep import data
from kerasep.data.sampling import batches as batch_parts
from kerasep.data.sampling import held_files
from kerasep.errors import InputError
from kerasep.training.devices import has_accelerator, has_tensorflow_gpu, process

STATISTICS_SECONDS = 600
_AHEAD = 2  # batches that bridge the start of an epoch


class TrainingData:
    """The pipelines of a run.

    `settings` are the recipe's `data`. Each batch is spread over `devices`. With `on_device`, a
    model of spectrograms is fed waveforms (see `kerasep.training.waveform_training`).

    An accelerator gets waveforms in 16-bit floats, which take half the time to copy.
    """

    def __init__(
        self,
        model,
        train_tracks,
        valid_tracks,
        settings,
        seed,
        devices,
        data_service=None,
        on_device=False,
    ):
        self.on_device = on_device
        self.model, self.seed, self.devices = model, seed, devices
        self.train_tracks, self.valid_tracks = train_tracks, valid_tracks
        self.settings, self.data_service = settings, data_service
        self.on_gpu = devices == 1 and has_tensorflow_gpu()
        self.held = held_files.shared()  # what the statistics decode serves training

    def crops(self):
        """Return the crops of an epoch one by one."""
        return self._training(batch_size=1)

    def statistics(self, batch_size):
        """Yield batches for the statistics of the data, which a prepared folder stores."""
        if data.prepared.is_prepared(self.train_tracks):
            stored = data.prepared.statistics(self.train_tracks, self.model)
            if stored:
                yield from stored
                return
        seconds = batch_size * self.settings["crop_seconds"]
        batches = self._training(on_device=False, batch_size=batch_size)
        yield from batches.take(max(1, round(STATISTICS_SECONDS / seconds)))

    def training(self, state):
        """Return the training dataset from `state` on, with each batch split into `state.parts`.

        Also returns its batches up to the end of the epoch. The dataset goes on with the next one,
        which is read while the model is validated. If several steps are executed at once, and an
        epoch is no multiple of them, it ends instead: Keras would take what is missing from the
        next epoch.
        """
        place = {"first_epoch": state.epoch, "first_step": state.step, "part": process()}
        place["data_service"] = self.data_service
        whole = None
        if state.step or self.data_service is not None:  # whose datasets have no length
            whole = int(self._training(batch_size=state.batch_size).cardinality())
            if state.step >= whole:
                raise InputError(
                    f"received a run that has done {state.step} batches of an epoch of {whole}: "
                    f"pass the data that it was begun with, or choose another folder"
                )
        at_once = self.model.steps_per_execution
        if self.data_service is not None and (whole - state.step) * state.parts % at_once:
            raise InputError(
                f"received steps_per_execution={at_once} for an epoch of {whole} batches from a "
                f"data service, expected a divisor"
            )
        batches = self._training(batch_size=state.batch_size, **place)
        whole = whole or int(batches.cardinality())
        if state.parts > 1:
            batches = batch_parts.split(batches, state.parts)
        steps = (whole - state.step) * state.parts
        if steps % at_once == 0:
            return batch_parts.ahead(batches.repeat(), _AHEAD, self.on_gpu), steps
        return batches, steps if state.step else None

    def validation(self, state):
        """Return the validation batches, or None without tracks to validate on."""
        if not self.valid_tracks:
            return None
        batches = self._validation(state.batch_size // state.parts)
        if self.devices > 1:
            examples = int(self._validation(1).cardinality())
            batches = batch_parts.fill(batches, self.devices, examples)
        number, count = process()
        return batches if count == 1 else batch_parts.part(batches, number, count)

    def _training(self, on_device=None, **changes):
        options = {**self.settings, "seed": self.seed, **changes}
        on_device = self.on_device if on_device is None else on_device
        return self._batches(self.train_tracks, options, on_device)

    def _validation(self, batch_size):
        # The levels and numbers of sources are those of pools.
        kept = ("crop_seconds", "threads", "reader", "snr", "min_sources", "level")
        options = {key: self.settings[key] for key in kept if key in self.settings}
        options |= {"training": False, "batch_size": batch_size}
        return self._batches(self.valid_tracks, options, self.on_device)

    def _batches(self, tracks, options, on_device):
        if self.model.domain == "spectrogram" and not on_device:
            return data.spectrograms(tracks, self.model, **options)
        batches = data.waveforms(tracks, self.model, **options)
        return batch_parts.halved(batches) if has_accelerator() else batches
