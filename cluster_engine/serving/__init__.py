"""A cluster seen from outside: its ASGI application, what drives its clock, TLS. The rooms within know nothing of it.

The only rooms with an event loop are this one and the learner's terminal.
"""

from .application import ClusterApp, JournalUnavailable
from .driver import Driver
from .pacer import Pacer

__all__ = ["ClusterApp", "Driver", "JournalUnavailable", "Pacer"]
