"""Leader election: of several processes of one name the one that holds the lease acts, the others wait for its end.

A leader renews its lease every two seconds; the store does that by itself (`etcd/renewals.py`), so a quiet cluster pays
nothing for it. Who waits is told when that ends, and tries as soon as the lease has run out before its eyes. A leader
that could not renew for ten seconds gives up: its process ends, and another one begins.

Models k8s.io/client-go/tools/leaderelection, and how cmd/kube-scheduler and cmd/kube-controller-manager use it.
"""

from __future__ import annotations

from typing import Any

from cluster_engine.apimachinery.cow import JSON, get, key_of
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.client_go import Change
from cluster_engine.component import ADMISSION_POLICIES, ELECTED, Component, Context
from cluster_engine.sim import SECOND, parse_rfc3339

LEASE_DURATION, RENEW_DEADLINE, RETRY_PERIOD = 15, 10.0, 2.0
"""Seconds: a lease counts so long, its holder tries so long to renew it, and each try comes so long after the last."""
JITTER = 1.2
"""Who waits tries again after its period and up to that much of it more."""
_LEASES, _NAMESPACE = "leases.coordination.k8s.io", "kube-system"
_SOURCES = {"kube-controller-manager": "kube-controller-manager", "kube-scheduler": "default-scheduler"}
"""As whom each tells its events."""


class LeaderElection(Component):
    """All candidates: those processes of ELECTED that run. A candidate is known by its host."""

    name = "leader-election"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.clients = {process: ctx.client(f"system:{process}", process) for process in ELECTED}
        self.recorders = {
            process: ctx.recorder(source, self.clients[process]) for process, source in _SOURCES.items()
        }
        self.leases = ctx.informers.of(_LEASES)
        self.leases.on(update=self._updated, delete=lambda lease: self._changed(lease, lease))
        for policies in ADMISSION_POLICIES:
            refusals = self._refusals_changed
            ctx.informers.of(policies).on(refusals, refusals, refusals)
        self.leaders: dict[str, str] = {}
        """Process -> the identity under which it leads."""
        ctx.processes.turned = self._turned
        ctx.processes.outage_changed.append(self._outage_changed)
        self.clock.register("leader/try", self._try)
        self.clock.register("leader/renew", self._renew)

    # ---- candidates ------------------------------------------------------------------------------------

    def _turned(self, process: str, host: str, runs: bool) -> None:
        """A candidate has come, or is gone; the lease of a leader that is gone stays until it has run out."""
        if runs:
            self._begin(process, host)
        elif host_of(self.leaders.get(process, f"{host}_")) == host:
            self.leaders.pop(process, None)
            self.ctx.processes.stop(process)
            self.clients[process].stop_renewing(_LEASES, process, _NAMESPACE)
            renewed = self._renewed(process)
            for other in self.ctx.control_planes:
                if other != host:
                    self._wait(process, other, renewed)

    def _begin(self, process: str, host: str) -> None:
        """A candidate looks at the lease. One that is held counts for its whole time from now on."""
        if not self._may(process, host):
            return
        lease = self.leases.get(f"{_NAMESPACE}/{process}")
        if lease is None or not get(lease, "spec", "holderIdentity"):
            self._acquire(process, host)
        else:
            self._wait(process, host, self.clock.now)

    def _wait(self, process: str, host: str, since: int) -> None:
        """It will have seen the lease unchanged for its duration, at one of its tries."""
        if not self._may(process, host):
            return
        lease = self.leases.get(f"{_NAMESPACE}/{process}")
        seconds = get(lease, "spec", "leaseDurationSeconds", default=LEASE_DURATION) if lease else 0
        late = self.ctx.chance.of("leader", process, host, since).uniform(0.0, RETRY_PERIOD * (1 + JITTER))
        due = since + seconds * SECOND + round(late * SECOND)
        self.clock.call_at(due, "leader/try", process, host, self._renewed(process))

    def _try(self, process: str, host: str, seen: int) -> None:
        """Clock event: takes the lease, if nobody has renewed it since."""
        if not self._may(process, host):
            return
        if self._renewed(process) == seen:
            self._acquire(process, host)
        else:
            self._begin(process, host)

    def _may(self, process: str, host: str) -> bool:
        """Whether it is a candidate that waits, and reaches the API."""
        processes = self.ctx.processes
        return process not in self.leaders and processes.runs_on(process, host) and not processes.outage

    def _outage_changed(self) -> None:
        """Without the API nobody renews; when it is there again, who waits looks at the lease anew."""
        for process in ELECTED:
            if self.ctx.processes.outage:
                self.clients[process].stop_renewing(_LEASES, process, _NAMESPACE)
            else:
                for host in self.ctx.control_planes:
                    self._begin(process, host)

    def _renewed(self, process: str) -> int:
        """When the lease was renewed last; 0 without one."""
        lease = self.leases.get(f"{_NAMESPACE}/{process}")
        stamp = get(lease, "spec", "renewTime") if lease is not None else None
        return parse_rfc3339(stamp) if stamp else 0

    def _acquire(self, process: str, host: str) -> None:
        identity = f"{host}_{self.ctx.chance.uid('leader', process, host, self.clock.now)}"
        stored = self._write(process, identity)
        if stored is None:
            again = ("leader/try", process, host, self._renewed(process))
            self.clock.call_later(RETRY_PERIOD, *again, background=True)
            return
        self.leaders[process] = identity
        self.ctx.processes.start(process)
        self._log(process, "I", 'leaderelection.go:271] "Successfully acquired lease"')
        self.recorders[process].event(stored, "Normal", "LeaderElection", f"{identity} became leader")

    # ---- a leader --------------------------------------------------------------------------------------

    def _updated(self, change: Change) -> None:
        self._changed(change.old, change.new)

    def _changed(self, old: JSON, new: JSON) -> None:
        """A lease is not renewed by itself any more: at the next renewal its leader writes it."""
        process, namespace = new["metadata"]["name"], new["metadata"]["namespace"]
        if namespace != _NAMESPACE or process not in self.leaders or self.leases.is_renewed(key_of(new)):
            return
        stamp = get(old, "spec", "renewTime")
        last = parse_rfc3339(stamp) if stamp else self.clock.now
        due = last + round(RETRY_PERIOD * SECOND)
        deadline = due + round(RENEW_DEADLINE * SECOND)
        identity = self.leaders[process]
        self.clock.call_at(due, "leader/renew", process, identity, deadline, background=True)

    def _refusals_changed(self, policy: object) -> None:
        """What may refuse a renewal is another now: the next one is written, and may be refused."""
        for process in self.leaders:
            self.clients[process].stop_renewing(_LEASES, process, _NAMESPACE)

    def _renew(self, process: str, identity: str, deadline: int) -> None:
        """Clock event: the leader writes its lease itself; when it could not until the deadline, its process ends."""
        if self.leaders.get(process) != identity or self.leases.is_renewed(f"{_NAMESPACE}/{process}"):
            return
        if self._write(process, identity) is not None:
            return
        if self.clock.now < deadline:
            due = min(self.clock.now + round(RETRY_PERIOD * SECOND), deadline)
            self.clock.call_at(due, "leader/renew", process, identity, deadline, background=True)
            return
        self._log(process, "I", 'leaderelection.go:301] "Failed to renew lease"', "context deadline exceeded")
        lease = self.leases.get(f"{_NAMESPACE}/{process}")
        if lease is not None and not self.ctx.processes.outage:
            self.recorders[process].event(lease, "Normal", "LeaderElection", f"{identity} stopped leading")
        self.ctx.processes.give_up(process, host_of(identity))

    # ---- the lease -------------------------------------------------------------------------------------

    def _write(self, process: str, identity: str) -> JSON | None:
        """The lease as it is held from now on; None when it cannot be had: it is tried again."""
        if self.ctx.processes.outage:
            return None
        client, lease = self.clients[process], self.leases.get(f"{_NAMESPACE}/{process}")
        try:
            spec = held(
                lease["spec"] if lease else {},
                identity,
                self.clock.timestamp_micro(),
                process in self.leaders,
            )
            if spec is None:
                return None
            if lease is not None:
                stored = client.update(_LEASES, {**lease, "spec": spec})
            else:
                meta = {"name": process, "namespace": _NAMESPACE}
                kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
                stored = client.create(_LEASES, {**kind, "metadata": meta, "spec": spec})
            client.keep_renewed(_LEASES, process, _NAMESPACE, RETRY_PERIOD)
        except ApiError as error:
            self._log(process, "E", 'leaderelection.go:441] "Failed to update lease"', error.message)
            return None
        return stored

    def _log(self, process: str, severity: str, text: str, error: str = "") -> None:
        quoted = error.replace('"', '\\"')
        more = f' err="{quoted}"' if error else ""
        self.clock.logs.write(
            process, self.clock.now, severity, f'{text} lock="{_NAMESPACE}/{process}"{more}'
        )

    # ---- saving: with it, where the processes run ------------------------------------------------------

    def state(self) -> dict[str, Any]:
        away = {process: hosts.copy() for process, hosts in self.ctx.processes.away.items()}
        return {"leaders": dict(self.leaders), **({"away": away} if away else {})}

    def load(self, state: dict[str, Any]) -> None:
        self.leaders = dict(state.get("leaders", {}))
        self.ctx.processes.away = {process: list(hosts) for process, hosts in state.get("away", {}).items()}


def host_of(identity: str) -> str:
    """The host of a candidate's identity."""
    return identity.rpartition("_")[0]


def held(spec: JSON, identity: str, now: str, leads: bool) -> JSON | None:
    """What the lease says when that candidate takes it, or as its leader writes it again.

    None when it leads no longer: somebody else holds it.
    """
    holder = spec.get("holderIdentity") or ""
    if leads and holder not in ("", identity):
        return None
    transitions = spec.get("leaseTransitions") or 0
    same = holder == identity
    return {
        **spec,
        "holderIdentity": identity,
        "leaseDurationSeconds": LEASE_DURATION,
        "acquireTime": spec.get("acquireTime") or now if same else now,
        "renewTime": now,
        "leaseTransitions": transitions if same or not spec else transitions + 1,
    }
