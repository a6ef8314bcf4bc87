"""The examples in FORMATS.md read the published artifacts, with no code of ours."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import omnishot.formats

TEXT = (Path(omnishot.formats.__file__).parent / "FORMATS.md").read_text("utf-8")
GOLDEN = Path(__file__).parents[1] / "golden" / "v2"
FOLDERS = {
    "manifest.yaml": GOLDEN / "images" / "golden" / "v1",
    "images.h5": GOLDEN / "images" / "golden" / "v1",
    "pairs.h5": GOLDEN / "pairs" / "golden-20-affine1" / "v1",
    "Models": GOLDEN / "models" / "golden" / "v1",
    "Evaluations": GOLDEN / "evals" / "golden-lake" / "v1",
}
PRINTED = {
    "manifest.yaml": ["manifest: sound", "images images.h5: sound"],
    "images.h5": ["A0/c0: (105, 105), 744 of 11025 pixels are ink"],
    "pairs.h5": ["images 11 and 10, same: True; the left one is turned by -4.7 degrees in its first variant"],
    "Models": ["241,829 values; 50% after the last epoch"],
    "Evaluations": [
        f"{method}, {n_way}-way: {n_right} of 4 right, {n_right} in the summary"
        for method, n_right in (("models/golden:v1", 3), ("nearest-neighbour", 4), ("hausdorff", 4), ("random", 0))
        for n_way in (2, 4)
    ],
}


def sections() -> dict[str, str]:
    """Return the text below every heading."""
    parts = re.split(r"^## (.*)\n", TEXT, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def example_in(section: str) -> str:
    """Return the Python code in a section."""
    (code,) = re.findall(r"^```python\n(.*?)^```", sections()[section], re.MULTILINE | re.DOTALL)
    return str(code)


@pytest.mark.parametrize("section", FOLDERS)
def test_an_example_reads_what_was_published(section: str) -> None:
    code = example_in(section)
    assert "omnishot" not in code
    program = f"import sys, pathlib\nfolder = pathlib.Path(sys.argv[1])\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, FOLDERS[section]], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == PRINTED[section]


def test_no_example_is_left_out() -> None:
    assert TEXT.count("```python\n") == len(FOLDERS)
