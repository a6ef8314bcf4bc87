"""A short run of the guests: nothing that somebody puts into a store on purpose ends in more than one sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GUEST = Path(__file__).parent / "bench" / "guest.py"


@pytest.mark.slow
def test_hostile_artifacts_are_read_or_refused() -> None:
    command = [sys.executable, str(GUEST), "--guests", "60", "--seed", "7", "--json"]
    environment = {**os.environ, "PYTHONSAFEPATH": ""}  # It imports what lies beside it.
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["findings"] == []
    assert found["all"]["guests"] >= 60
    assert all(sort["done"] + sort["refused"] == sort["guests"] for sort in found["guests"])
