"""Where data sets are on this machine, and whether they may be downloaded, unless a caller says it."""

import os
from pathlib import Path

from omnishot.errors import UsageError
from omnishot.machine import with_home
from omnishot.wording import MAY_BE_EMPTIED


def usual_data_folder() -> Path:
    """Return where data sets are: OMNISHOT_DATA, else the user's cache folder.

    Raises:
        UsageError: OMNISHOT_DATA is empty.
    """
    folder = os.environ.get("OMNISHOT_DATA")
    if folder is not None:
        if not folder.strip():
            raise UsageError(f"OMNISHOT_DATA is empty; {MAY_BE_EMPTIED}", hint="Give it a folder, or unset it.")
        return with_home(Path(folder))
    from platformdirs import user_cache_path  # Deferred: it is needed only where nothing is said.

    return user_cache_path("omnishot")


def is_offline() -> bool:
    """Tell whether OMNISHOT_OFFLINE forbids downloads."""
    return os.environ.get("OMNISHOT_OFFLINE", "") not in {"", "0"}
