"""Taking a cluster apart when nobody uses it any more, so that its memory is free at once.

The parts of a cluster know one another, in circles. A process that hosts thousands cannot wait for the collector, which
would look at all of them to find one: `release` cuts the circles, and counting references does the rest. What a fork
may share (tables, objects, sandboxes, machines) is only let go, never emptied.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

from cluster_engine.apimachinery.scheme import Scheme
from cluster_engine.client_go.client import Client
from cluster_engine.client_go.informer import Informer, SharedInformer, SharedInformerFactory
from cluster_engine.client_go.workqueue import WorkQueue
from cluster_engine.component import Component, Context
from cluster_engine.container_runtime.sandboxes import Sandboxes
from cluster_engine.etcd import Store
from cluster_engine.kube_apiserver import APIServer
from cluster_engine.kube_apiserver.authorization.chain import AuthorizerChain
from cluster_engine.kube_apiserver.authorization.node import NodeAuthorizer
from cluster_engine.kube_apiserver.handlers import Handlers
from cluster_engine.kube_apiserver.registry import Registry
from cluster_engine.kube_scheduler.framework.handle import Handle
from cluster_engine.kube_scheduler.framework.interface import Plugin
from cluster_engine.kube_scheduler.framework.runtime import Framework
from cluster_engine.kubelet.faults import Faults
from cluster_engine.kubelet.prober import Prober
from cluster_engine.kubelet.runtime import Runtime
from cluster_engine.network import Network
from cluster_engine.sim import Clock
from cluster_engine.wiring import Wiring

HUBS = (
    Wiring, Context, Component, Clock, Store, Scheme, APIServer, Registry, Handlers, AuthorizerChain, NodeAuthorizer,
    SharedInformerFactory, SharedInformer, Informer, Client, WorkQueue, Network, Framework, Handle, Plugin, Faults,
    Prober, Runtime, Sandboxes,
)  # fmt: skip
"""What holds a cluster together; each belongs to one cluster alone."""


STEP = 64
"""Hubs from pause to pause."""


def release(cluster: Wiring, pause: Callable[[], None] = lambda: None) -> None:
    """Empty every hub of the cluster. Nothing of it can be used afterwards. ``pause`` is called each some of them."""
    seen: set[int] = set()
    waiting: deque[Any] = deque([cluster])
    hubs = []
    while waiting:
        hub = waiting.popleft()
        if id(hub) in seen:
            continue
        seen.add(id(hub))
        hubs.append(hub)
        if not len(hubs) % STEP:
            pause()
        waiting.extend(_hubs_in(list(_values(hub))))
    for number, hub in enumerate(hubs):
        if not number % STEP:
            pause()
        _empty(hub)


def _values(hub: Any) -> Iterator[Any]:
    yield from getattr(hub, "__dict__", {}).values()
    for name in _slots(hub.__class__):
        yield getattr(hub, name, None)


@cache
def _slots(kind: type) -> tuple[str, ...]:
    names = (name for base in kind.__mro__ for name in base.__dict__.get("__slots__", ()))
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


@cache
def _is_hub(kind: type) -> bool:
    return issubclass(kind, HUBS)


def _hubs_in(values: list[Any], depth: int = 2) -> Iterator[Any]:
    for value in values:
        owner = getattr(value.func if isinstance(value, partial) else value, "__self__", value)
        if _is_hub(owner.__class__):
            yield owner
        elif depth and isinstance(value, dict):
            yield from _hubs_in(list(value.values()), depth - 1)
        elif depth and isinstance(value, (list, tuple, set)):
            yield from _hubs_in(list(value), depth - 1)


def _empty(hub: Any) -> None:
    getattr(hub, "__dict__", {}).clear()
    for name in _slots(hub.__class__):
        if hasattr(hub, name):
            object.__delattr__(hub, name)
