"""Named generators."""

from omnishot.seeding import derived_seed, generator


def test_equal_names_give_equal_numbers_and_others_do_not() -> None:
    first, again, other = (generator(0, "pairs", part).random(4).tolist() for part in ("train", "train", "test"))
    assert first == again
    assert first != other


def test_seeds_are_the_same_for_everyone() -> None:
    # SHA-256 of "0/batch/1", the first eight bytes, computed with sha256sum.
    assert derived_seed(0, "batch", 1) == int("e225b24b89ef6211", 16) >> 1
