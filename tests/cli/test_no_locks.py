"""Stores on network file systems that refuse locks: a library in front of `flock` answers as they do."""

import errno
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import SMALL, TRAIN

pytestmark = pytest.mark.slow

FLOCK = """
#include <errno.h>
#include <stdlib.h>
int flock(int file, int operation) { (void)file, (void)operation; errno = atoi(getenv("FLOCK_ERRNO")); return -1; }
"""


@pytest.fixture(scope="module")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("needs a C compiler, cc")
    folder = tmp_path_factory.mktemp("noflock")
    (folder / "noflock.c").write_text(FLOCK)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", folder / "noflock.so", folder / "noflock.c"], check=True)
    return folder / "noflock.so"


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_without_locks_everything_works_and_one_sentence_says_what_is_lost(
    own_process: Any, picture_folder: Path, tmp_path: Path, preloaded: Path, number: int
) -> None:
    refused = {"LD_PRELOAD": str(preloaded), "FLOCK_ERRNO": str(number), "OMNISHOT_STORE": str(tmp_path / "store")}
    made = own_process("prepare", "--source", picture_folder, *SMALL, **refused)
    assert made.code == 0, made.err
    assert made.err.count(f"has no locks ({os.strerror(number)})") == 1
    trained = own_process("train", *TRAIN, **refused)
    assert trained.code == 0, trained.err
    drawn = own_process("figure", "pairs", "--out", tmp_path / "pairs.svg", **refused)
    assert (drawn.code, drawn.err.count("locks")) == (0, 0), drawn.err
    assert own_process("check", "--all", **refused).code == 0
    for outcome in (made, trained, drawn):
        assert "Warning" not in outcome.err
        assert "site-packages" not in outcome.err
    assert list((tmp_path / "store" / ".locks").iterdir()) == []
