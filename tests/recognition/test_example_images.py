"""What a user names as images is found, or refused before it is opened."""

import os
from pathlib import Path

import pytest

from omnishot.errors import DamagedFileError, NotFoundError
from omnishot.recognition.example_images import labelled_images


@pytest.mark.parametrize("name", ["pipe.png", "pipe.zip"])
@pytest.mark.parametrize("is_named", [True, False])
def test_a_pipe_is_refused_without_waiting_for_its_writer(name: str, is_named: bool, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(DamagedFileError, match="not a regular file"):
        labelled_images([f"{'a=' if is_named else ''}{tmp_path / name}"])


def test_a_device_is_refused_instead_of_read_without_end() -> None:
    with pytest.raises(DamagedFileError, match="/dev/zero is not a regular file"):
        labelled_images(["a=/dev/zero"])


@pytest.mark.parametrize("word", ["S=", ""])
def test_an_empty_path_is_called_so(word: str) -> None:
    with pytest.raises(NotFoundError, match=f"There is an empty path in '{word}'"):
        labelled_images([word])
