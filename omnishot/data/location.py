"""Where data sets are on this machine, and whether they may be downloaded, unless a caller says it."""

import os
from pathlib import Path


def usual_data_folder() -> Path:
    """Return where data sets are: OMNISHOT_DATA, else the user's cache folder."""
    if folder := os.environ.get("OMNISHOT_DATA"):
        return Path(folder)
    from platformdirs import user_cache_path  # Deferred: it is needed only where nothing is said.

    return user_cache_path("omnishot")


def is_offline() -> bool:
    """Tell whether OMNISHOT_OFFLINE forbids downloads."""
    return os.environ.get("OMNISHOT_OFFLINE", "") not in {"", "0"}
