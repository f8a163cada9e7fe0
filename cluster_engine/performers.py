"""What each kind of journal entry does to a cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster_engine.kube_apiserver import Request, Response, UserInfo
from cluster_engine.kubelet import Kubelets
from cluster_engine.network import Wire
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import unpack_bytes
from cluster_engine.wiring import Wiring


def _request(cluster: Wiring, entry: Entry) -> Response | None:
    with _Cause(cluster, entry, entry.payload["method"], entry.payload["path"]):
        return cluster.server.handle(_request_of(entry.payload), entry.seq)


def _open_session(cluster: Wiring, entry: Entry) -> Response | None:
    with _Cause(cluster, entry, entry.payload["method"], entry.payload["path"]):
        return cluster.server.open_session(_request_of(entry.payload), entry.seq)


class _Cause:
    """What happens inside was caused by the entry."""

    __slots__ = ("_causes",)

    def __init__(self, cluster: Wiring, entry: Entry, verb: str, path: str) -> None:
        self._causes = causes = cluster.clock.causes
        user = entry.payload.get("user") or {}
        causes.entry(entry.seq, entry.at, verb, path, user.get("username", ""))

    def __enter__(self) -> None: ...

    def __exit__(self, *_error: object) -> None:
        self._causes.end()


def _session(name: str) -> Performer:
    def perform(cluster: Wiring, entry: Entry) -> None:
        sessions, session = cluster.server.sessions, entry.payload["session"]
        with _Cause(cluster, entry, entry.kind, session):
            try:
                getattr(sessions, name)(entry.payload)
            except Exception as error:
                if not cluster.clock.failed("journal", f"{entry.seq} {entry.kind}", error):
                    raise
                sessions.give_up(session)

    return perform


def _wire(cluster: Wiring, entry: Entry) -> None:
    payload = entry.payload
    wire = Wire(payload["latency"], payload["loss"], payload["partition"])
    cluster.network.wires.set(payload["source"], payload["destination"], wire)
    kubelets = cluster.components[Kubelets.name]
    assert isinstance(kubelets, Kubelets)
    kubelets.network_changed()


def _fault(cluster: Wiring, entry: Entry) -> None:
    kubelets = cluster.components[Kubelets.name]
    assert isinstance(kubelets, Kubelets)
    payload = entry.payload
    about = (payload.get(name) for name in ("node", "pod", "host", "component", "service"))
    with _Cause(cluster, entry, entry.kind, str(next(filter(None, about), None))):
        kubelets.faults.perform(entry.kind, payload)


def _login(cluster: Wiring, entry: Entry) -> None:
    kubelets = cluster.components[Kubelets.name]
    assert isinstance(kubelets, Kubelets)
    payload = entry.payload
    with _Cause(cluster, entry, entry.kind, payload["node"]):
        try:
            kubelets.logins.open(session_of(entry), payload["node"], payload["argv"], payload["tty"])
        except Exception as error:
            if not cluster.clock.failed("journal", f"{entry.seq} {entry.kind}", error):
                raise
            cluster.server.sessions.give_up(session_of(entry))


def session_of(entry: Entry) -> str:
    """The name of the session that a ``session/open`` or ``session/login`` entry opens."""
    return f"s{entry.seq}"


def _noted(cluster: Wiring, entry: Entry) -> None:
    """Time was moved, or a file of the learner's saved: the journal has it so that a rebuilt run has it."""


Performer = Callable[[Wiring, Entry], Response | None]


def _refused(cluster: Wiring, entry: Entry) -> None:
    """A request that was refused and changed nothing; its body is not kept."""
    with _Cause(cluster, entry, entry.payload["method"], entry.payload["path"]):
        pass


def _open_link(cluster: Wiring, entry: Entry) -> None:
    with _Cause(cluster, entry, entry.kind, f"{entry.payload['ip']}:{entry.payload['port']}"):
        cluster.outside.open(entry.payload, link_of(entry))


def link_of(entry: Entry) -> str:
    """The name of the link that a ``link/open`` entry opens."""
    return f"l{entry.seq}"


def _link(name: str) -> Performer:
    def perform(cluster: Wiring, entry: Entry) -> None:
        with _Cause(cluster, entry, entry.kind, entry.payload["link"]):
            getattr(cluster.outside, name)(entry.payload)

    return perform


PERFORMERS: dict[str, Performer] = {
    "request": _request,
    "refused": _refused,
    "clock": _noted,
    "file": _noted,
    "wire": _wire,
    "node/power": _fault,
    "node/shutdown": _fault,
    "node/kubelet": _fault,
    "node/fill": _fault,
    "node/partition": _fault,
    "node/slow": _fault,
    "container/kill": _fault,
    "container/throttle": _fault,
    "component/stop": _fault,
    "registry/fail": _fault,
    "cloud/machine": _fault,
    "cloud/group": _fault,
    "cloud/api": _fault,
    "cloud/quota": _fault,
    "session/open": _open_session,
    "session/login": _login,
    "session/input": _session("input"),
    "session/resize": _session("resize"),
    "session/connect": _session("connect"),
    "session/send": _session("send"),
    "session/close": _session("close"),
    "link/open": _open_link,
    "link/input": _link("input"),
    "link/close": _link("close"),
}
"""Every kind of journal entry, and what carries it out."""


def _request_of(payload: dict[str, Any]) -> Request:
    return Request(
        payload["method"],
        payload["path"],
        [(name, value) for name, value in payload["query"]],
        dict(payload["headers"]),
        unpack_bytes(payload["body"]),
        UserInfo.from_dict(payload["user"]),
        UserInfo.from_dict(payload["impersonator"]) if "impersonator" in payload else None,
    )
