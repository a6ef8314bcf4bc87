"""The training loop: steps, validation, early stopping, and a state from which a run continues exactly."""

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from omnishot.config import TrainSettings
from omnishot.errors import TrainingError, UnavailableError, brief, is_short_of_memory
from omnishot.model.device import Compute
from omnishot.model.siamese import SiameseNetwork
from omnishot.progress import OnProgress, Progress, short, silent
from omnishot.training.history import EpochRecord
from omnishot.training.image_loading import Images, lost_reader
from omnishot.training.objective import Objective, Step
from omnishot.training.optimizer import build_optimizer, set_rates
from omnishot.training.position import Position
from omnishot.training.processes import SINGLE_PROCESS, Processes
from omnishot.training.state import StateRules, optimizer_state
from omnishot.training.stop_signal import StopSignal
from omnishot.training.throughput import Clock, Throughput

_REPORT_SECONDS = 0.5


class Trainer:
    """Fits a network: go through its `steps` until it `is_finished`, then take `best_weights`."""

    def __init__(
        self,
        network: SiameseNetwork,
        objective: Objective,
        images: Images,
        settings: TrainSettings,
        compute: Compute,
        validate: Callable[[SiameseNetwork], float] | None,
        processes: Processes = SINGLE_PROCESS,
    ) -> None:
        """Prepare a run from its beginning.

        Args:
            network: Freshly initialised; trained in place.
            objective: What to minimise.
            images: Where the pixels of its batches are.
            settings: Everything else.
            compute: Where and how.
            validate: Returns a validation accuracy, or None to keep the last weights; rank 0 alone calls it.
            processes: Those that train together; each has a trainer of its own.
        """
        processes.sync_batch_norm(network)
        self._network = network.to(compute.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._objective, self._images, self._settings = objective, images, settings
        self._compute, self._validate, self._processes = compute, validate, processes
        self._optimizer = build_optimizer(self._network, settings.optimizer)
        self._average: AveragedModel | None = None
        if settings.weight_averaging:
            average = get_ema_multi_avg_fn(settings.weight_averaging)  # type: ignore[no-untyped-call]
            self._average = AveragedModel(self._network, multi_avg_fn=average, use_buffers=True)
        if settings.compile != "none":
            self._network.twin.compile(mode=None if settings.compile == "default" else settings.compile)
        self._module = processes.data_parallel(Step(self._network, objective, compute))
        self._best: dict[str, Tensor] | None = None
        self._sums = torch.zeros(2, device=compute.device)
        self.position = Position(planned_epochs=settings.epochs)
        self.throughput = Throughput()

    @property
    def n_parameters(self) -> int:
        """Number of trained parameters."""
        return sum(parameter.numel() for parameter in self._network.parameters())

    @property
    def images_per_pair(self) -> float:
        """Images that pass the twin for each pair that is compared."""
        return self._objective.images_per_step / self._objective.pairs_per_step

    @property
    def best_weights(self) -> dict[str, Tensor]:
        """Weights of the best validated epoch, or the last ones where nothing was validated."""
        return self._best if self._best is not None else self._weights()

    @property
    def is_finished(self) -> bool:
        """Whether the run has come to its end."""
        position, patience = self.position, self._settings.patience
        if position.step:
            return False
        is_stale = position.best_accuracy >= 0 and position.epoch - position.best_epoch >= patience > 0
        return is_stale or position.epoch >= position.planned_epochs

    @contextlib.contextmanager
    def steps(
        self, stop: StopSignal | None = None, *, on_progress: OnProgress = silent
    ) -> Iterator[Iterator[Position]]:
        """Give the steps of the run, from where it stands until its end or a signal.

        Args:
            stop: Looked at between steps.
            on_progress: Receives loss, validation accuracy, pairs per second and the share done.

        Yields:
            The steps, to go through within the block: where the run stands after each, when `state` may be kept.

        Raises:
            TrainingError: The loss is no longer a number.
            UnavailableError: The memory is too small, or a process that reads images ended.
        """
        try:
            with self._compute.tuned():
                yield self._steps(stop or StopSignal(), on_progress)
        except RuntimeError as error:
            raise lost_reader(error) or _short_of_memory(error) or error from None
        finally:
            self.throughput.pause()
            self._images.close()

    def run(self, stop: StopSignal | None = None, *, on_progress: OnProgress = silent) -> None:
        """Go through all steps with nothing to do between them; see `steps`."""
        with self.steps(stop, on_progress=on_progress) as steps:
            for _ in steps:
                pass

    def _steps(self, stop: StopSignal, on_progress: OnProgress) -> Iterator[Position]:
        position, throughput = self.position, self.throughput
        clock, reported = Clock(position.seconds), position.seconds - _REPORT_SECONDS
        throughput.resume()
        is_asked_to_stop = self._agree(stop, clock)
        while not self.is_finished and not is_asked_to_stop:
            self._step()
            throughput.count(self._objective.pairs_per_step)
            is_asked_to_stop = self._agree(stop, clock)
            if position.seconds - reported >= _REPORT_SECONDS:  # Alike in all processes.
                reported = position.seconds
                on_progress(self._progress())
            if position.step == self._objective.steps_per_epoch or self._is_out_of_time():
                position.cut_short |= position.step < self._objective.steps_per_epoch
                self._finish_epoch()
                position.seconds = self._processes.from_rank_zero(clock.seconds())
                self._plan()
                throughput.resume()
            yield position

    def _agree(self, stop: StopSignal, clock: Clock) -> bool:
        """Adopt the time of rank 0 and a signal to any rank, so that all decide alike; return whether to stop."""
        number, self.position.seconds = self._processes.all_reduce_max(
            stop.number or 0, clock.seconds() if self._processes.rank == 0 else 0.0
        )
        if number:
            stop.receive(int(number))
        return number > 0

    def _step(self) -> None:
        position = self.position
        set_rates(
            self._optimizer,
            self._settings,
            step=position.epoch * self._objective.steps_per_epoch + position.step,
            epoch=position.epoch,
            done=self._share_done(),
        )
        self._network.train()
        batch = self._objective.batch(position.epoch, position.step)
        pixels = self._images.take(batch.images, epoch=position.epoch, step=position.step)
        self._optimizer.zero_grad()
        measured = self._module(pixels, batch)
        measured[0].backward()
        self._optimizer.step()
        if self._average:
            self._average.update_parameters(self._network)
        self._sums += self._processes.all_reduce_mean(measured.detach())
        position.step += 1

    def _finish_epoch(self) -> None:
        position = self.position
        loss, training_accuracy = self._means()
        self.throughput.pause()
        steps = position.step
        accuracy = self._validated()
        position.epoch, position.step = position.epoch + 1, 0
        if accuracy is not None and accuracy >= position.best_accuracy:  # Of equals the later: it has seen more.
            position.best_accuracy, position.best_epoch = accuracy, position.epoch
            self._best = self._weights()
        position.history.append(
            EpochRecord(
                epoch=position.epoch,
                steps=steps,
                loss=loss,
                training_accuracy=training_accuracy,
                validation_accuracy=accuracy,
                learning_rate=self._optimizer.param_groups[0]["lr"],
                pairs_per_second=round(self.throughput.pairs_per_second, 1),
                seconds=round(position.seconds, 3),
            )
        )
        self._sums.zero_()

    def _means(self) -> tuple[float, float]:
        """Return loss and accuracy of the epoch so far, for which this waits for the device.

        Raises:
            TrainingError: The loss is no longer a number.
        """
        position, optimizer = self.position, self._optimizer
        loss, training_accuracy = (self._sums / position.step).tolist()
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss is no longer a number in epoch {position.epoch + 1}, step {position.step}, at a learning "
                f"rate of {optimizer.param_groups[0]['lr']:.3g}",
                hint="Lower --set optimizer.learning_rate.",
            )
        return loss, training_accuracy

    def _validated(self) -> float | None:
        if not self._validate:
            return None
        return self._processes.from_rank_zero(self._validate(self._kept()) if self._processes.rank == 0 else 0.0)

    def _is_out_of_time(self) -> bool:
        limit = self._settings.max_minutes
        return limit is not None and self.position.seconds >= limit * 60

    def _plan(self) -> None:
        """Plan as many epochs as the time allows at the speed so far, so that a schedule ends with the run."""
        position, limit = self.position, self._settings.max_minutes
        if limit is None:
            return
        left, first = limit * 60 - position.seconds, position.history[0].seconds or 0.0
        if position.epoch == 1 and left > first:
            return  # The first epoch also warms up caches and kernels: its time tells nothing yet.
        epoch_seconds = (position.seconds - first) / (position.epoch - 1) if position.epoch > 1 else first
        affordable = position.epoch + max(0, int(left / epoch_seconds))
        position.planned_epochs = min(self._settings.epochs, affordable)
        position.cut_short |= affordable < self._settings.epochs

    def _share_done(self) -> float:
        steps = self.position.epoch * self._objective.steps_per_epoch + self.position.step
        return steps / (max(self.position.planned_epochs, 1) * self._objective.steps_per_epoch)

    def _progress(self) -> Progress:
        position = self.position
        total = position.planned_epochs * self._objective.steps_per_epoch
        loss, training_accuracy = self._means()
        figures: dict[str, float | str] = {"epoch": f"{position.epoch + 1}/{position.planned_epochs}"}
        figures |= {"loss": f"{loss:.4f}", "training": f"{training_accuracy:.1%}"}
        if position.best_accuracy >= 0:
            figures["validation"] = f"{position.history[-1].validation_accuracy:.1%}"
        figures["pairs/s"] = short(self.throughput.pairs_per_second)
        share, limit = self._share_done(), self._settings.max_minutes
        if limit is not None:
            share = min(1.0, max(share, position.seconds / (60 * limit)))
        return Progress("Training", share * total, total, "steps", figures)

    def _kept(self) -> SiameseNetwork:
        return cast(SiameseNetwork, self._average.module) if self._average else self._network

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.detach().clone() for name, tensor in self._kept().state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Return everything a later `load_state` needs to continue exactly: tensors and plain values."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict() if self._average else None,
            "optimizer": self._optimizer.state_dict(),
            "best": self._best,
            "sums": self._sums,
            "position": self.position.as_plain_values(),
        }

    @property
    def state_rules(self) -> StateRules:
        """What tells a state of this run from others."""
        return StateRules(self.state(), self._optimizer, self._settings.epochs, self._objective.steps_per_epoch)

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue where a run with equal settings and data stood.

        Raises:
            ValueError: It is no state of such a run; this one is as it was.
        """
        self.state_rules.check(state)
        self._network.load_state_dict(state["network"])
        if self._average:
            self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(optimizer_state(state["optimizer"], self._optimizer))
        best: dict[str, Tensor] | None = state["best"]
        self._best = best and {name: tensor.to(self._compute.device) for name, tensor in best.items()}
        self._sums.copy_(state["sums"])
        self.position = Position.from_plain_values(state["position"])


def _short_of_memory(error: RuntimeError) -> UnavailableError | None:
    """Return what to tell the user if the error is torch's way to say that memory is used up, else None."""
    words = f"The memory is too small for a step: {brief(str(error).partition(chr(10))[0])}"
    hint = "Lower --set objective.batch_size (objective.classes_per_batch), or use a smaller twin."
    return UnavailableError(words, hint=hint) if is_short_of_memory(error) else None
