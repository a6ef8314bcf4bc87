"""A recipe id is what it was when an artifact was made: otherwise everything would be made again."""

from pathlib import Path

import pytest

from omnishot.config import EvalSettings, PrepareSettings, TrainSettings
from omnishot.presets import preset_names, preset_text
from omnishot.settings_text import check
from omnishot.stages.evaluate import _RECIPE
from omnishot.stages.training_settings import deciding
from omnishot.store.manifest import Parent, read_manifest
from omnishot.store.recipe import Recipe
from omnishot.strict_yaml import read_yaml

GOLDEN = Path(__file__).parents[1] / "golden" / "v1"
IMAGES = Parent(reference="images/omniglot:v1", recipe="0" * 64, content="2" * 64)
PAIRS = Parent(reference="pairs/p:v1", recipe="0" * 64, content="2" * 64)

PRESETS = {  # In format 2, by the commit that began it.
    "adam-verification": "e80ac7f21fcf73613537285ed01dbee6283895b32b108802141c542866db0cf6",
    "best": "5bea85ca6fa2379adb71baf95da936449510fb62ce27c210033db622236d089a",
    "bouma2017": "cdfa980a275457009dc2e44da58894863f9918cfbf5ede9c87d035c14ec3f9d2",
    "koch": "9ad72fbaba08e340fb40c12e00663717a60aac0cd51e7e9abad4b43948bec952",
    "koch-adam": "2d1a5ae8384ea70866c0bbb342a9d180115323b3628aecec795df13783c7188d",
    "koch35": "160c4d09aa88e2eef83d04076e27a1573bc8b59194a11f2dd2790349322dfacc",
    "photos": "b90e3bfe5b9bcee2c6c8d4f1844e560f7505b317a25da7784670bd9231271293",  # By the commit that brought it.
    "quick": "4f59923512d1dd163eb49028535a5aaa9f832a43b93467ff634220db1a4936af",
    "within-l2": "3a6f39e2d3b2d0d1c865822fd2b66001f171aef3dd914a045f9286ec8cfde883",
    "within-plain": "93f5b56facd684bc746822d26b63b78038690f8125695e9746942592817cd549",
}
PRESETS_IN_FORMAT_1 = {  # Computed by commit 934b6f4, before the layers had the places they have now.
    "adam-verification": "7a165bb40031f9cad670715e6a8abb05bc45c0bb4cbd2338efbd710ca15c69ea",
    "bouma2017": "bc8424123c6c17a9aaffb2ba11645da597d67a1c35c92f6ddc34cde385a76f42",
    "koch": "3216ec05141ec8abc770aa25cd2db4e1c424d41ee5e509e1a97b433b0d3a165a",
    "koch-adam": "ccdb04455cbffab90f22f01fceb31d2979949f2f2c1324791fdea4c2a4ea022a",
    "koch35": "1f192610fc271baaf9adc570b695d16b97e88cc4ca791b6790e742137bd1917e",
    "photos": "cc8b0cedf87030d3fd4a71982feca03402b6577a41889995779da61ab5fad781",  # By the commit that brought it.
    "quick": "88aeec1bfdd39fbda51c86eeda115e79c764d5bd8394392977b3682ec9c6d63f",
    "within-l2": "0e34a55aa60947d2068f572c03b306e08c1e1b0b5aca0211c7d11fb5c3445a97",
    "within-plain": "c57fba5a5fcb9c82cf558205495468ea04f77f18584b068cc801d22db00cb49f",
}


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*/*/v1")), ids=lambda path: path.parent.parent.name)
def test_golden_artifacts_have_the_recipe_of_their_settings_and_parents(path: Path) -> None:
    manifest = read_manifest(path)
    found = Recipe(manifest.kind, 1, manifest.settings, manifest.parents, manifest.source).id_in_format_1
    assert found == manifest.recipe


@pytest.mark.parametrize("name", preset_names())
def test_a_presets_model_is_the_one_that_was_made_before(name: str) -> None:
    settings = check(TrainSettings, read_yaml(preset_text(name), origin=name), origin=name)
    recipe = Recipe("models", 1, deciding(settings), [PAIRS])
    assert recipe.id == PRESETS[name]
    if name != "best":  # Which is younger than that format.
        assert recipe.id_in_format_1 == PRESETS_IN_FORMAT_1[name]


def test_default_pairs_and_evaluations_are_those_that_were_made_before() -> None:
    pairs = Recipe("pairs", 1, PrepareSettings().model_dump(mode="json"), [IMAGES])
    assert pairs.id == "dfecd011b323ce11c107bd1a03f83c49d66db89c249894d95e91ea2857c3a57c"
    assert pairs.id_in_format_1 == "60713525f716212da3d902ce1fe1c3e6a5888992bd6bfadc49098fc75125bfa0"
    model = Parent(reference="models/quick:v1", recipe="0" * 64, content="2" * 64)
    data = Parent(reference="pairs/p:v1", recipe="1" * 64, content="3" * 64)
    settings = EvalSettings(protocol="lake").model_dump(mode="json")
    found = Recipe("evals", _RECIPE, settings, [model, data])
    assert found.id == "687891524bda59a97bc2aad6840367ea1e811cab074ac38168743a598155bfe1"
