"""The shape of the package: imports point down, start-up is light, nothing is unpickled."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import omnishot

PACKAGE = Path(omnishot.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LAYERS = [
    {"cli"},
    {"stages", "reporting", "recognition", "maintenance"},
    {"formats", "drawing"},
    {"training", "evaluation", "store"},
    {"data", "model"},
    {"presets", "weights", "naming"},
    {"settings_text"},
    {"config", "seeding", "progress", "machine"},
    {"strict_yaml", "vocabulary", "wording"},
    {"errors"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_layers(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("omnishot.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    layer = layer_of(path)
    if layer in {"__init__", "__main__"}:
        return
    for other in imported_layers(path) - {layer}:
        assert LEVEL[other] > LEVEL[layer], f"{layer} imports {other}"


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_neither_torch_nor_h5py(arguments: list[str]) -> None:
    program = (
        "import sys, omnishot.cli\n"
        f"sys.argv = ['omnishot', *{arguments}]\n"
        "try:\n    omnishot.cli.main()\n"
        "except SystemExit as stopped:\n    assert stopped.code == 0\n"
        "heavy = {'torch', 'h5py', 'numpy', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["ls", "show golden-lake", "diff golden-lake golden-lake"])
def test_looking_at_a_store_imports_no_torch(command: str, tmp_path: Path) -> None:
    store = shutil.copytree(Path(__file__).parent / "golden" / "v1", tmp_path / "artifacts")
    program = (
        "import sys, omnishot.cli\n"
        f"sys.argv = ['omnishot', *{[*command.split(), '--store', str(store)]}]\n"
        "try:\n    omnishot.cli.main()\n"
        "except SystemExit as stopped:\n    assert not stopped.code\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


REPOSITORY = Path(__file__).parents[1]
SCRIPTS = sorted({*MODULES, *(path for name in ("tests", "examples") for path in (REPOSITORY / name).rglob("*.py"))})
UNPICKLING = {"pickle", "_pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
EVALUATING = {"eval", "exec", "compile", "__import__"}
UNSAFE_YAML = {"unsafe_load", "unsafe_load_all", "full_load", "full_load_all", "UnsafeLoader", "FullLoader", "Loader"}


def forbidden_in(source: str) -> list[str]:
    """Return every way to unpickle or evaluate something that a module uses, under whatever name it imports it."""
    tree = ast.parse(source)
    known: dict[str, str] = {}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known |= {alias.asname or alias.name.partition(".")[0]: alias.name for alias in node.names}
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in UNPICKLING | {"click"}]
        elif isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            names = {node.module.partition(".")[0], *(alias.name for alias in node.names)}
            found += sorted(names & UNPICKLING)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            first, dot, rest = ast.unparse(node).partition(".")
            name = known.get(first, first) + dot + rest
            if name.startswith("yaml.") and name.partition(".")[2] in UNSAFE_YAML:
                found.append(name)
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            found += _forbidden_call(known.get(first, first) + dot + rest, node)
    return found


def _forbidden_call(name: str, call: ast.Call) -> list[str]:
    given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
    is_forbidden = (
        name in EVALUATING
        or name.removeprefix("builtins.") in EVALUATING
        or (name in {"yaml.load", "yaml.load_all"} and "Safe" not in given.get("Loader", ""))
        or (name in {"numpy.load", "np.load"} and given.get("allow_pickle", "False") != "False")
        or (name == "torch.load" and given.get("weights_only") != "True")
    )
    return [name] if is_forbidden else []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_nothing_is_unpickled_or_evaluated(path: Path) -> None:
    assert forbidden_in(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib as j",
        "from six.moves import cPickle, dill",
        "eval('1')",
        "import builtins as b; b.exec('1')",
        "import yaml; yaml.load(x, Loader=yaml.UnsafeLoader)",
        "from yaml import load as l; l(x)",
        "from yaml import full_load; full_load(x)",
        "import torch as t; t.load(x)",
        "from torch import load; load(x, weights_only=False)",
        "import numpy as np; np.load(x, allow_pickle=True)",
        "from numpy import load; load(x, allow_pickle=flag)",
    ],
)
def test_every_way_to_unpickle_would_be_seen(source: str) -> None:
    assert forbidden_in(source)


def test_what_is_harmless_is_not_forbidden() -> None:
    source = "import re, torch, numpy\nre.compile('a')\nnumpy.load(x)\ntorch.load(x, weights_only=True)"
    assert forbidden_in(source) == []


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    assert not {path.stem for path in MODULES} & {"utils", "util", "common", "helpers", "base", "misc"}
