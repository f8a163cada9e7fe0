"""What components are written with: a client, shared informers, work queues, an event recorder.

In-process and zero-copy: the same admission, validation and strategies as over HTTP, without the bytes.
"""

from cluster_engine.client_go.change import Change
from cluster_engine.client_go.client import Client
from cluster_engine.client_go.informer import ORPHAN, Informer, SharedInformerFactory
from cluster_engine.client_go.reader import Reader
from cluster_engine.client_go.record import EventRecorder, object_reference
from cluster_engine.client_go.workqueue import WorkQueue

__all__ = [
    "ORPHAN",
    "Change",
    "Client",
    "EventRecorder",
    "Informer",
    "Reader",
    "SharedInformerFactory",
    "WorkQueue",
    "object_reference",
]
