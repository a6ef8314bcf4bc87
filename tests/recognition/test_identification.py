"""A threshold decides, or is refused."""

import pytest

from omnishot.errors import UsageError
from omnishot.recognition.identification import given_threshold


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_threshold_that_decides_nothing_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="a threshold is a finite number"):
        given_threshold(value)


def test_a_threshold_that_is_given_decides() -> None:
    assert given_threshold(-0.5).is_passed_by(-0.4)
    assert not given_threshold(-0.5).is_passed_by(-0.5)
