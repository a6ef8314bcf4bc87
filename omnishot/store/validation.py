"""What the texts and numbers inside an artifact may be, and how to say that one is not."""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError

from omnishot.errors import OmnishotError, brief

Line = Annotated[str, Field(max_length=1000, pattern=r"^[^\p{Cc}]*$")]
"""A text that may be printed as it is: one line, without control characters."""

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256, hexadecimal."""

Count = Annotated[int, Field(ge=0, le=2**53)]
"""A number of things, small enough for every JSON reader."""


def accepted_by(check: Callable[[str], object]) -> AfterValidator:
    """Return a validator for texts that a function of ours accepts; what it raises is said in the problem."""

    def validate(text: str) -> str:
        try:
            check(text)
        except OmnishotError as error:
            raise ValueError(str(error)) from None
        return text

    return AfterValidator(validate)


def first_problem(error: ValidationError) -> str:
    """Return where values first differ from what they should be, how, and how many others do."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    place = ".".join(str(part) for part in problems[0]["loc"])
    more = f", and {len(problems) - 1} more problems" if len(problems) > 1 else ""
    return brief(f"{place}: {problems[0]['msg']}" if place else problems[0]["msg"]) + more
