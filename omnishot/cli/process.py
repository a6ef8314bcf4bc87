"""How this process uses the machine: threads and memory, as they are best for training on a CPU."""

import contextlib
import logging
import os

from omnishot.machine import bound_cores, cores

_SPINS = "1000"
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # As in glibc's malloc.h.
_MOST = 2**31 - 1


def choose_threads() -> None:
    """Choose threads for torch, which has to be imported after this; what the user has chosen stays.

    In a container no more than its share of the cores, for which torch does not look. Threads that wait for work
    spin a thousand times before they sleep, not 300,000 times: no slower on an idle machine, and on a busy one the
    core is free for other processes meanwhile.
    """
    if cores() < bound_cores():
        os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", _SPINS)


def quiet_libraries() -> None:
    """Keep off stderr what libraries say of themselves: matplotlib, of folders that it cannot write."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def keep_freed_memory() -> None:
    """Let the C library keep the memory that a step frees for the next step, which gets it without a page fault."""
    import ctypes  # Deferred: it takes milliseconds.

    with contextlib.suppress(OSError, AttributeError):  # Another C library than glibc has no such thing.
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, _MOST)
