"""The turn of threads that compute beside a host's loop: of two the loop would have a third of the interpreter."""

from __future__ import annotations

import threading

COMPUTING = threading.Lock()
"""Held by whoever computes for more than some milliseconds, and can wait."""
