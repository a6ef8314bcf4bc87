"""Measure the sweep over 1 to 20 ways: our way, and trial by trial as most public code writes it.

    python tests/bench/evaluate.py
    python tests/bench/evaluate.py --twin conv4 --trials 100 --trials 10000 --share-seconds 5 --json
    python tests/bench/evaluate.py --model quick --store artifacts

Our way is what `omnishot eval --protocol within --ways 1..20` does: draw the trials once, embed each distinct image
once, score all classes, and count the right answers among the first N for each N. Trial by trial: for each N and each
trial a batch of N pairs (the query N times, and N support images) passes the whole Siamese network, and the answer is
`argmax().item()`. Both run in fp32, without gradients, on the same device and test images. The second way is spared
what is not its point: its images are in memory as the network takes them, and it is handed the trials.

THE SECONDS OF THE SECOND WAY ARE EXTRAPOLATED: it runs as many trials, spread evenly over all and each at every N, as
`--share-seconds` allows (one at least), and that time is multiplied up to the sweep's 20 x trials. Ours are measured,
the median of `--repeat` sweeps.

Columns: twin; its weights, fresh ones or a model's; trials; images that passed the twin in our sweep, counted there;
our seconds; the other way's, extrapolated; N-way trials that it was extrapolated from; how many times longer it takes;
those of the measured trials on which the two ways disagree about right or wrong; those of them that rounding does not
explain, because the right class leads or trails by more than 0.01 % of the largest score (CUDA: 0.1 %, for TF32). If
there is one of these, the bench ends with 1.
"""

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from measuring import Column, Rows, count, figures, machine, run_measured, timed
from numpy.typing import NDArray
from torch import Tensor

from omnishot.data.class_index import ClassIndex
from omnishot.data.episodes import Trials, draw_within
from omnishot.data.render import shrink
from omnishot.evaluation.oneshot import correct_trials, score_trials
from omnishot.formats.evaluation_data import EvaluationData
from omnishot.formats.manifest_fields import ModelFacts
from omnishot.formats.model import read_model
from omnishot.model.device import Compute, choose_compute
from omnishot.model.siamese import SiameseNetwork, build_network
from omnishot.seeding import generator
from omnishot.store.store import Store
from omnishot.vocabulary import TwinName

MOST_WAYS = 20
WAYS = range(1, MOST_WAYS + 1)
TRIALS = [100, 1_000, 10_000, 100_000]
TWINS: tuple[TwinName, ...] = tuple(twin for twin in get_args(TwinName) if twin != "lite0")  # It takes no drawings.
ROUNDING = {"cpu": 1e-4, "cuda": 1e-3}

COLUMNS = [
    Column("twin", is_text=True),
    Column("weights", is_text=True),
    Column("trials", count),
    Column("images_embedded", count),
    Column("our_seconds", figures),
    Column("trial_by_trial_seconds", figures, "trial by trial, seconds EXTRAPOLATED"),
    Column("measured_trials", count, "from N-way trials"),
    Column("ratio", figures),
    Column("disagreements", count),
    Column("unexplained", count),
]


@dataclass(frozen=True, slots=True)
class Images:
    """What both ways read: the test images of a pair dataset, at their places among all."""

    index: ClassIndex
    pixels: Tensor

    @classmethod
    def prepared(cls, source: str) -> "Images":
        """Prepare a dataset in a store that is removed again, and read its test images."""
        with tempfile.TemporaryDirectory(prefix="omnishot-evaluate-") as folder:
            command = [sys.executable, "-P", "-m", "omnishot", "prepare", "--source", source, "--store", folder]
            made = json.loads(run_measured([*command, "--pairs", "1k", "--affine", "0", "--json"]).stdout)
            data = EvaluationData.read(Store(Path(folder)).find(made["artifact"]))
            index = data.index("test")
            return cls(index, torch.from_numpy(data.pixels(index.images)))


def our_sweep(
    network: SiameseNetwork, images: Images, n_trials: int, seed: int, compute: Compute
) -> tuple[Trials, NDArray[np.float32], list[float]]:
    """Return trials, scores of shape (n_trials, 20), and the accuracy at each N, as `omnishot eval` gets them."""
    trials = draw_within(images.index, n_trials, MOST_WAYS, 1, rng=generator(seed, "bench"))
    scores = score_trials(network, images.pixels, trials, compute)
    return trials, scores, [float(correct_trials(scores, n_way).mean()) for n_way in WAYS]


class TrialByTrial:
    """Answers one trial after the other with the whole network, as most public code does."""

    def __init__(self, network: SiameseNetwork, images: Images, compute: Compute) -> None:
        """Have the images ready as the network takes them."""
        used = images.index.images
        self._network = network.eval()
        self._place = np.full(len(images.pixels), -1)
        self._place[used] = np.arange(len(used))
        chosen = images.pixels[torch.from_numpy(used.astype(np.int64))]
        self._images = shrink(chosen, network.twin.side).to(compute.device)

    @torch.no_grad()
    def answer(self, trials: Trials, trial: int, n_way: int) -> int:
        """Return the class with the highest logit; the right one is 0."""
        query = self._images[self._place[trials.query[trial]]]
        support = self._images[torch.from_numpy(self._place[trials.support[trial, :n_way, 0]])]
        return int(self._network(query.repeat(n_way, 1, 1, 1), support).argmax().item())

    def sweep(self, trials: Trials, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the answers to some trials at every N, shape (20, n_chosen)."""
        return np.array([[self.answer(trials, int(trial), n_way) for trial in chosen] for n_way in WAYS])

    def fitting(self, trials: Trials, seconds: float) -> NDArray[np.int64]:
        """Return as many trials, spread evenly, as can be answered at every N in the time; one at least."""
        ends = (timed(partial(self.answer, trials, 0, n_way), repeats=3).least for n_way in (1, MOST_WAYS))
        every_way = MOST_WAYS * sum(ends) / 2  # The cost is all but linear in N.
        n_chosen = int(np.clip(seconds / every_way, 1, len(trials)))
        return np.linspace(0, len(trials) - 1, n_chosen).round().astype(np.int64)


def disagreements(scores: NDArray[np.float32], answers: NDArray[np.int64], rounding: float) -> tuple[int, int]:
    """Compare both ways on the trials that both did.

    Args:
        scores: Our scores, shape (n_chosen, 20).
        answers: The other way's answers, shape (20, n_chosen).
        rounding: Lead of the right class, as a part of the largest score, that rounding may turn over.

    Returns:
        How often they disagree about right or wrong, and how often although the lead is more than that.
    """
    ours = np.stack([correct_trials(scores, n_way) for n_way in WAYS])
    differing = np.argwhere(ours != (answers == 0))
    unexplained = 0
    for row, trial in differing:
        offered = scores[trial, : WAYS[row]]
        lead = abs(offered[0] - offered[1:].max(initial=-np.inf))
        unexplained += not lead <= rounding * abs(offered).max()
    return len(differing), unexplained


def measure(
    network: SiameseNetwork, images: Images, n_trials: int, compute: Compute, asked: argparse.Namespace
) -> dict[str, Any]:
    """Run both ways; return the row, but for the network's name."""
    our_sweep(network, images, MOST_WAYS, asked.seed, compute)  # What is slow the first time is not the sweep.
    embedded: list[int] = []
    counting = network.twin.register_forward_hook(lambda twin, given, vectors: embedded.append(len(vectors)))
    repeats = max(1, asked.repeat)
    ours = timed(lambda: our_sweep(network, images, n_trials, asked.seed, compute), repeats=repeats)
    counting.remove()
    trials, scores, _ = ours.result
    way = TrialByTrial(network, images, compute)
    chosen = way.fitting(trials, asked.share_seconds)
    share = timed(lambda: way.sweep(trials, chosen), repeats=1)
    extrapolated = share.median / len(chosen) * n_trials
    differing, unexplained = disagreements(scores[chosen], share.result, ROUNDING[compute.device.type])
    return {
        "trials": n_trials,
        "images_embedded": sum(embedded) // repeats,
        "our_seconds": ours.median,
        "trial_by_trial_seconds": extrapolated,
        "measured_trials": share.result.size,
        "ratio": extrapolated / ours.median,
        "disagreements": differing,
        "unexplained": unexplained,
    }


def trained(model: str, store: Path) -> tuple[str, str, SiameseNetwork]:
    """Return the twin's name, the reference and the network of a model in a store."""
    found = Store(store).find(model, "models")
    network = read_model(found.file("weights.safetensors"), found.file("config.yaml"))
    return ModelFacts.of(found.manifest).settings.twin, str(found.reference), network


def fresh(twin: TwinName, seed: int) -> tuple[str, str, SiameseNetwork]:
    """Return a twin's name, that its weights are fresh, and the network."""
    torch.manual_seed(seed)
    return twin, "fresh", build_network(twin)


def parsed() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", action="append", type=int, help=f"repeatable; default: {TRIALS}")
    network = parser.add_mutually_exclusive_group()
    network.add_argument("--twin", action="append", choices=TWINS, help="fresh weights; repeatable; default: all")
    network.add_argument("--model", help="a trained model of --store instead")
    parser.add_argument("--store", type=Path, default=Path("artifacts"), help="default: artifacts")
    parser.add_argument("--source", default="omniglot", help="omniglot, glyphs or a folder; default: omniglot")
    parser.add_argument("--share-seconds", type=float, default=20, help="of trial by trial, for each row; default: 20")
    parser.add_argument("--repeat", type=int, default=3, help="sweeps of ours for each row; default: 3")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="default: auto")
    parser.add_argument("--seed", type=int, default=0, help="of trials and fresh weights; default: 0")
    parser.add_argument("--json", action="store_true", help="print JSON lines instead of a table")
    return parser.parse_args()


def main() -> int:
    """Measure, and print a row after each; 1 if the two ways disagree."""
    asked = parsed()
    compute = choose_compute(asked.device, "fp32")
    rows = Rows(COLUMNS, as_json=asked.json)
    rows.facts(machine=machine(compute.device.type))
    images, unexplained = Images.prepared(asked.source), 0
    for twin in [None] if asked.model else asked.twin or TWINS:
        name, weights, network = fresh(twin, asked.seed) if twin else trained(asked.model, asked.store)
        network = network.to(compute.device)
        for n_trials in asked.trials or TRIALS:
            row = measure(network, images, n_trials, compute, asked)
            rows.row(twin=name, weights=weights, **row)
            unexplained += row["unexplained"]
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
