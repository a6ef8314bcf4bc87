"""One-shot image recognition: fit a Siamese network on pairs, recognise new classes from one example each.

    import omnishot

    recognizer = omnishot.load("quick")
    recognizer.identify({"alpha": "alpha.png", "beta": "beta.png"}, ["unknown.png"])

What is named here is imported when it is first used, as torch takes seconds.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from omnishot.errors import OmnishotError as OmnishotError
    from omnishot.recognition.loading import load as load
    from omnishot.recognition.recognizer import Match as Match
    from omnishot.recognition.recognizer import Recognizer as Recognizer
    from omnishot.store.store import Store as Store

    __version__: str

__all__ = ["Match", "OmnishotError", "Recognizer", "Store", "__version__", "load"]

_HOMES = {
    "Match": "omnishot.recognition.recognizer",
    "OmnishotError": "omnishot.errors",
    "Recognizer": "omnishot.recognition.recognizer",
    "Store": "omnishot.store.store",
    "load": "omnishot.recognition.loading",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("omnishot")
    if name not in _HOMES:
        raise AttributeError(f"module 'omnishot' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, imported or not."""
    return sorted({*globals(), *__all__})
