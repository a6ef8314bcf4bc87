"""What is recorded and said of a training that has come to its end."""

from typing import Any

from omnishot.config import TrainSettings
from omnishot.machine import peak_memory
from omnishot.model.cost import training_flops
from omnishot.progress import short
from omnishot.training.loop import Trainer
from omnishot.training.position import Position
from omnishot.wording import percent


def summary_of(trainer: Trainer, settings: TrainSettings, world_size: int, peak: float, source: str) -> dict[str, Any]:
    """Return what came of the training on a source, how fast it was, and how fast a matrix product is here."""
    position, pairs_per_second = trainer.position, trainer.throughput.pairs_per_second
    images_per_second = pairs_per_second * trainer.images_per_pair
    return {
        "twin": settings.twin,
        "parameters": trainer.n_parameters,
        "epochs": position.epoch,
        "training_seconds": round(position.seconds, 1),
        "validation_accuracy": position.best_accuracy if position.best_accuracy >= 0 else None,
        "best_epoch": position.best_epoch or None,
        "cut_short": position.cut_short,
        "processes": world_size,
        "pairs_per_second": round(pairs_per_second, 1),
        "images_per_second": round(images_per_second, 1),
        "flops_per_second": round(images_per_second * training_flops(settings.twin, settings.architecture)),
        "matmul_flops_per_second": round(peak),
        "peak_memory": peak_memory(),
        "source": source,
    }


def speed_in_words(summary: dict[str, Any]) -> str:
    """Return how fast a training was, beside how fast a matrix product is here."""
    share = summary["flops_per_second"] / summary["matmul_flops_per_second"]
    memory = f"; this process held {summary['peak_memory'] / 1e9:.2f} GB at most" if summary["peak_memory"] else ""
    return (
        f"Trained {short(summary['pairs_per_second'])} pairs/s from {short(summary['images_per_second'])} images/s: "
        f"{summary['flops_per_second'] / 1e9:,.0f} GFLOP/s, {share:.0%} of the "
        f"{summary['matmul_flops_per_second'] / 1e9:,.0f} GFLOP/s of a large matrix product here{memory}"
    )


def outcome_in_words(position: Position) -> str:
    """Return what the epoch reached whose weights are kept; of a run that validated nothing, the last one."""
    kept = position.history[position.best_epoch - 1 if position.best_epoch else -1]
    accuracies = {"training": kept.training_accuracy, "validation": kept.validation_accuracy}
    shown = [f"{percent(share)} in {name}" for name, share in accuracies.items() if share is not None]
    of_all = f"{kept.epoch} of {position.epoch}" if position.epoch > 1 else str(kept.epoch)
    return f"Kept epoch {of_all}: loss {kept.loss:.4f}, accuracy {', '.join(shown)}"
