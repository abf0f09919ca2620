"""A child that ends when its parent does: it watches its standard input, a pipe whose other end only the parent holds.

The kernel closes that end however the parent died, so this also covers kill -9.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable


def _leave() -> None:
    os._exit(0)


def watch_stdin(on_end: Callable[[], None] = _leave) -> None:
    """Call `on_end` (default: leave the process at once) when standard input reaches its end. Returns immediately."""

    def wait() -> None:
        descriptor = sys.stdin.fileno()
        while os.read(descriptor, 4096):
            pass
        on_end()

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
