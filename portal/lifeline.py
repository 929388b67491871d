"""Processes from beginning to end: settled once loaded, and ended with the one that started them, kill -9 included."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform == "linux" else None


def settle() -> None:
    """Leave what is loaded out of garbage collection: it stays as long as the process, and is much to look through.

    Then collect every 20,000 new objects instead of 700: a page or a month's lines make thousands that are no garbage.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def tied_to(parent: int, ending: signal.Signals) -> Callable[[], None]:
    """Return what a new process must do to receive `ending` when its parent ends.

    Linux only; elsewhere a killed parent's children stay until they are told. The signal follows the thread that
    started the process, so start processes from the main thread.
    """

    def tie() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, ending)
            if os.getppid() != parent:  # it ended meanwhile
                os._exit(1)

    return tie
