"""The words that options, settings and files share, each list once; plain literals, so that start-up stays light."""

from typing import Literal, get_args

MADE_BY = {"images": "prepare", "pairs": "prepare", "models": "train", "evals": "eval", "galleries": "enroll"}
"""The command that makes each kind of artifact."""

KINDS = tuple(MADE_BY)
"""Kinds of artifacts, parents before children."""

BOX_MODELS = ("best", "quick", "photos")
"""Short names of the models in the box, the most accurate one for drawings first."""

SplitName = Literal["koch", "lake", "drawers", "alphabets", "folders", "test-only"]
"""How images are divided; the last three are for sources other than Omniglot."""

Holdout = Literal["five", "none"]
"""Split `lake`: background alphabets that are held out to validate."""

SplitPart = Literal["train", "validation", "test"]
PARTS: tuple[SplitPart, ...] = get_args(SplitPart)

Negatives = Literal["any", "alphabet"]
"""Where the second image of a different pair comes from: any alphabet, or the same one."""

Protocol = Literal["lake", "within", "between", "verification"]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
"""In the order in which their figures are read."""

ValidationProtocol = Literal["within", "between", "verification"]

Baseline = Literal["nearest-neighbour", "hausdorff", "random"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

TwinName = Literal["koch", "koch35", "conv4", "residual", "lite0"]
"""The last one comes fitted, sees photographs, and is not trained itself."""

HeadName = Literal["auto", "cosine", "l1"]
Initialization = Literal["auto", "paper", "torch"]
DeviceName = Literal["auto", "cuda", "cpu"]
Precision = Literal["auto", "bf16", "tf32", "fp32"]

BUILT_IN_SOURCES = frozenset({"omniglot", "glyphs", "mnist"})
"""Sources that need no folder of the user's."""

SOURCES_WITH_DRAWERS = frozenset({"omniglot", "glyphs"})
"""Sources that say who drew their images. In others the number of an image within its class stands in a drawer's place:
it orders the images, and has nothing to do with that number in another class."""

InkName = Literal["auto", "dark", "light"]
"""What is ink: the dark on a lighter ground, the light on a darker one, or what most pictures of a source show."""

PreparationName = Literal["drawing", "photo"]
"""How a model's images are prepared: a drawing's ink is normalised, a photo keeps its colours."""
