"""A short run of the fuzz: nothing that may lie in a file ends in a traceback, a hang or a file outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "bench" / "fuzz.py"


@pytest.mark.slow
def test_hundreds_of_damaged_files_are_read_or_refused() -> None:
    command = [sys.executable, str(FUZZ), "--inputs", "300", "--seed", "7", "--json"]
    environment = {**os.environ, "PYTHONSAFEPATH": ""}  # It imports what lies beside it.
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["findings"] == []
    assert found["all"]["inputs"] >= 300
    assert all(reader["read"] + reader["refused"] == reader["inputs"] for reader in found["readers"])
