"""How every command reads its line and ends: nothing given is empty, and a hint's options are those of a command."""

import os
import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand

from omnishot.errors import OmnishotError, UsageError
from omnishot.wording import MAY_BE_EMPTIED

_NAMED = re.compile(r"`[^`]*`|(?<![\w-])--[a-z][a-z-]*")

_COMMAND = re.compile(r"`omnishot ([a-z]+)")


class Command(TyperCommand):
    """A command of omnishot."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read a command line.

        Raises:
            UsageError: An argument, an option or a variable that stands for one is empty.
        """
        if not ctx.resilient_parsing:  # What a shell completes is not complete yet.
            self._refuse_what_is_empty(ctx, list(args))
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; a hint that names options of other commands also says whose they are."""
        try:
            return super().invoke(ctx)
        except OmnishotError as error:
            error.hint = " ".join([error.hint, *self._elsewhere(error.hint, ctx)]).strip()
            raise

    def _refuse_what_is_empty(self, ctx: Any, args: list[str]) -> None:
        given, _, _ = self.make_parser(ctx).parse_args(args=args)
        if given.get("help"):
            return
        for parameter in self.params:
            value = given.get(parameter.name)
            words = value if isinstance(value, list | tuple) else [value]
            if any(isinstance(word, str) and not word.strip() for word in words):
                hint = "Give a value." if parameter.required else "Give a value, or leave it out."
                raise UsageError(f"{_name_of(parameter)} is empty; {MAY_BE_EMPTIED}", hint=hint)
            variable = parameter.envvar
            if isinstance(variable, str) and value is None and os.environ.get(variable, "unset").strip() == "":
                raise UsageError(f"{variable} is empty; {MAY_BE_EMPTIED}", hint="Give it a value, or unset it.")

    def _elsewhere(self, hint: str, ctx: Any) -> Iterator[str]:
        mentioned = [ctx.find_root().command.commands.get(name) for name in _COMMAND.findall(hint)]
        known = [parameter for command in (self, *filter(None, mentioned)) for parameter in command.params]
        own = {option for parameter in known for option in parameter.opts}
        for option in dict.fromkeys(_NAMED.findall(hint)):
            if option.startswith("--") and option not in own and (other := _command_with(option, ctx)):
                yield f"{option} is an option of `{other}`."


def _name_of(parameter: Any) -> str:
    """Return an option as it is typed in full, or which argument is meant."""
    if parameter.param_type_name == "option":
        return max(map(str, parameter.opts), key=len)
    return f"The argument {parameter.metavar or parameter.name.upper()}"


def _command_with(option: str, ctx: Any) -> str | None:
    """Return the first command that has an option."""
    for name, command in ctx.find_root().command.commands.items():
        if any(option in parameter.opts for parameter in command.params):
            return f"omnishot {name}"
    return None
