"""A cluster seen from outside: its ASGI application, what drives its clock, TLS. The rooms within know nothing of it.

The only rooms with an event loop are this one and the learner's terminal.
"""

from .application import ClusterApp, JournalUnavailable
from .driver import Driver
from .links import Link, LinkError
from .pacer import Pacer, in_slices

__all__ = ["ClusterApp", "Driver", "JournalUnavailable", "Link", "LinkError", "Pacer", "in_slices"]
