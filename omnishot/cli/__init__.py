"""The command line: where a run begins, and the one place where errors and signals become exit codes."""

import re
import sys
from typing import NoReturn

from omnishot.cli.process import choose_threads, quiet_libraries
from omnishot.cli.signals import Stopped, ignore_signals, received, stop_on_signals
from omnishot.cli.streams import open_streams, say, say_error
from omnishot.errors import OmnishotError, UnavailableError, is_short_of_memory
from omnishot.wording import visible

BUG = 1
_UNREADABLE_NAME = 4


def main() -> NoReturn:
    """Run the command line and exit with the code that the outcome has."""
    open_streams()
    stop_on_signals()
    choose_threads()
    quiet_libraries()
    try:
        code = _outcome(sys.argv[1:])
        ignore_signals()
    except Stopped as stopped:
        ignore_signals()
        say(f"omnishot: {stopped.sentence}")
        code = int(str(stopped.code))
    sys.exit(code)


def _outcome(arguments: list[str]) -> int:
    """Run a command and return its exit code, with anything that went wrong said on stderr.

    Raises:
        Stopped: A signal came.
    """
    # The command line goes into manifests, and YAML has no way to hold bytes that are no UTF-8.
    sys.argv = [visible(argument, one_line=True) for argument in sys.argv]
    try:
        from omnishot.cli.app import app  # Deferred: a signal during these imports is a signal like any other.

        try:
            app(arguments, prog_name="omnishot")
        finally:
            sys.stdout.flush()
    except Stopped:
        raise
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except OmnishotError as error:
        say_error(error)
        return error.exit_code
    except Exception as error:
        if stopped := received():  # A library that is interrupted as it is imported may raise anything.
            raise stopped from None
        if is_short_of_memory(error):
            say("omnishot: the memory is too small for this\nEnd other programs, or use less data or smaller settings.")
            return UnavailableError.exit_code
        return _report(error)
    return 0


def _report(error: Exception) -> int:
    if isinstance(error, UnicodeEncodeError) and error.reason == "surrogates not allowed":
        name = next(part for part in re.split("[\0\n]", error.object) if not _is_utf8(part))
        say(f"omnishot: the name '{visible(name, one_line=True)}' holds bytes that are no UTF-8\nRename it.")
        return _UNREADABLE_NAME
    import shlex
    import traceback
    from importlib.metadata import version

    say("".join(traceback.format_exception(error)).rstrip())
    say(f"omnishot: this is a bug. Please report the lines above, omnishot {version('omnishot')}, and the command:")
    say(shlex.join(["omnishot", *sys.argv[1:]]))
    return BUG


def _is_utf8(text: str) -> bool:
    return text.encode("utf-8", "replace").decode("utf-8") == text
