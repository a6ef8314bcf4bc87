"""Published results, each with its source, its protocol and what it was trained on."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """A result from the literature.

    Attributes:
        method: What was measured.
        accuracy: In [0, 1].
        source: Where it is printed.
        protocol: How it was measured.
        trained_on: What data it had seen.
    """

    method: str
    accuracy: float
    source: str
    protocol: str
    trained_on: str


_SHYAM_2017 = "Shyam et al. 2017 and its code (drawers 17-20 to validate)"
_LAKE_2015 = "Lake et al. 2015 (Science 350)"
_KOCH_2015 = "Koch et al. 2015, table 2"
_LAKE_2019 = "Lake et al. 2019 (The Omniglot challenge), table 1"
_BACKGROUND = "30 background alphabets"

TWENTY_WAY = (
    Published("ARC, full context", 0.985, _SHYAM_2017, "lake", f"{_BACKGROUND} x 16 drawers"),
    Published("ConvARC, naive", 0.9775, _SHYAM_2017, "lake", f"{_BACKGROUND} x 16 drawers"),
    Published("BPL", 0.967, _LAKE_2015, "lake", f"{_BACKGROUND}, with strokes"),
    Published("Humans", 0.955, _LAKE_2015, "lake", "a life of reading"),
    Published("Hierarchical BPL", 0.952, "Lake et al. 2013; as printed in Koch et al. 2015, table 2", "lake",
              f"{_BACKGROUND}, with strokes"),
    Published("Siamese ConvNet (Koch)", 0.920, _KOCH_2015, "lake",
              "40 alphabets: 30 background, and 10 evaluation alphabets to validate"),
    Published("Prototypical network", 0.863, _LAKE_2019, "lake", _BACKGROUND),
    Published("Affine model", 0.818, _KOCH_2015, "lake", _BACKGROUND),
    Published("Hierarchical deep model", 0.652, _KOCH_2015, "lake", _BACKGROUND),
    Published("Deep Boltzmann machine", 0.620, _KOCH_2015, "lake", _BACKGROUND),
    Published("Siamese neural net (fully connected)", 0.583, _KOCH_2015, "lake", _BACKGROUND),
    Published("Simple stroke", 0.352, _KOCH_2015, "lake", f"{_BACKGROUND}, with strokes"),
    Published("1-nearest neighbour", 0.217, _KOCH_2015, "lake", "nothing"),
)  # fmt: skip
"""20-way one-shot accuracy on Lake's runs, the best first."""

MNIST = (
    Published("Siamese ConvNet (Koch)", 0.703, "Koch et al. 2015, table 3", "between",
              "40 alphabets: 30 background, and 10 evaluation alphabets to validate"),
    Published("1-nearest neighbour", 0.265, "Koch et al. 2015, table 3", "between", "nothing"),
)  # fmt: skip
"""10-way one-shot accuracy on MNIST's digits, 400 trials, by networks that have not seen any."""

VERIFICATION = {
    (30_000, 0): 0.9061,
    (30_000, 8): 0.9190,
    (90_000, 0): 0.9154,
    (90_000, 8): 0.9315,
    (150_000, 0): 0.9163,
    (150_000, 8): 0.9342,
}
"""Verification accuracy by training pairs and affine variants: Koch et al. 2015, table 1; 10,000 test pairs."""
