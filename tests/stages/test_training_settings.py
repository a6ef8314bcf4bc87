"""Settings files as editors and shells write them, and changes as people type them."""

from pathlib import Path

import pytest

from omnishot.errors import DamagedFileError, NotFoundError, SettingsError
from omnishot.presets import preset_text
from omnishot.settings_text import with_changes
from omnishot.stages.training_settings import choose_training

QUICK = choose_training(preset="quick").settings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_settings_file_may_be_utf_8_or_utf_16_with_its_mark(tmp_path: Path, encoding: str, newline: str) -> None:
    text = f"# Größe 文字\n{preset_text('quick')}".replace("\n", newline)
    mark = "\ufeff" if encoding.endswith(("-le", "-be")) else ""
    (tmp_path / "mine.yaml").write_bytes((mark + text).encode(encoding))
    assert choose_training(config=tmp_path / "mine.yaml").settings == QUICK


@pytest.mark.parametrize(("before", "line"), [("", 1), ("# one\n# two\n", 3)])
def test_other_encodings_are_refused_with_their_line(tmp_path: Path, before: str, line: int) -> None:
    (tmp_path / "mine.yaml").write_bytes(
        before.encode() + "# Größe\n".encode("latin-1") + preset_text("quick").encode()
    )
    with pytest.raises(DamagedFileError, match=rf"mine\.yaml: line {line} is not UTF-8$") as raised:
        choose_training(config=tmp_path / "mine.yaml")
    assert raised.value.hint == "Save the file as UTF-8."


def test_half_a_letter_of_utf_16_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes("epochs: 3\n".encode("utf-16") + b"x")
    with pytest.raises(DamagedFileError, match="line 2 is broken UTF-16"):
        choose_training(config=tmp_path / "mine.yaml")


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="No such file"):
        choose_training(config=tmp_path / "mine.yaml")


def test_spaces_around_an_equals_sign_are_no_part_of_a_name_or_a_value() -> None:
    changed = with_changes({}, ["epochs = 3", " schedule.kind= exponential ", "max_minutes =null"])
    assert changed == {"epochs": 3, "schedule": {"kind": "exponential"}, "max_minutes": None}
    for wrong in ("= 3", " =", "epochs"):
        with pytest.raises(SettingsError, match="is not key=value"):
            with_changes({}, [wrong])
