"""The facade: one simulated cluster, wired from its rooms.

    cluster = Cluster(nodes=3, seed=7)
    cluster.apply(open("deployment.yaml").read())
    cluster.settle()
    cluster.get("deployments", "web")["status"]["readyReplicas"]

Everything that comes from outside passes through the journal here; everything inside runs on the virtual
clock. Hence ``fork``, ``snapshot`` and ``replay``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Self

import orjson

from cluster_engine.api import KINDS
from cluster_engine.apimachinery import yaml
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError, bad_request, status_failure
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.component import ClusterOptions
from cluster_engine.kube_apiserver import (
    ADMIN,
    ExecResult,
    Request,
    RequestContext,
    Response,
)
from cluster_engine.kube_scheduler import Scheduler
from cluster_engine.kubelet import Kubelets
from cluster_engine.network import Wire
from cluster_engine.performers import PERFORMERS
from cluster_engine.sim import (
    SECOND,
    BudgetExceeded,
    Entry,
    Failure,
    Journal,
    Link,
    keyframe,
    rfc3339,
    rfc3339_micro,
)
from cluster_engine.sim.journal import pack_bytes
from cluster_engine.sim.packing import pack
from cluster_engine.version import ENGINE_VERSION
from cluster_engine.wiring import SETTLE_EVENTS, Wiring, installed

_KEPT_HEADERS = ("content-type", "accept", "user-agent", "audit-id")
_MAX_NAME = 253


class Cluster(Wiring):
    """One cluster. All times are virtual; nothing here reads the wall clock."""

    def __init__(
        self,
        nodes: int = 3,
        seed: int = 0,
        start: str = "2026-01-01T00:00:00Z",
        *,
        boot: bool = True,
        bare: bool = False,
        options: ClusterOptions | None = None,
        kinds: Iterable[Kind] = KINDS,
        **more: Any,
    ) -> None:
        """Makes a cluster of ``nodes`` nodes; ``boot`` runs it until its system Pods are Ready.

        One that is ``bare`` is for whoever loads it: nothing is in it, not even its roles. ``kinds`` are served from
        the start; ``scheme`` takes more later. ``more`` are further fields of ClusterOptions. Raises ValueError for a
        start that is not RFC 3339.
        """
        kinds = kinds if kinds is KINDS else tuple(kinds)
        super().__init__(options or ClusterOptions(nodes=nodes, seed=seed, start=start, **more), kinds)
        self.journal = Journal({"engine": ENGINE_VERSION, "options": self.options.as_dict()})
        if bare:
            return
        if boot:
            # What a boot does is worked out once for all clusters of a configuration, and each begins as a copy of it.
            self.share(installed(self.options, kinds))
        else:
            self.begin()

    @property
    def failures(self) -> list[Failure]:
        """What went wrong inside and should not have, by the time of its last occurrence (see sim.failures)."""
        return self.clock.failures.list()

    # ---- time ------------------------------------------------------------------------------------------

    @property
    def now(self) -> str:
        """The virtual time, RFC 3339."""
        return rfc3339(self.clock.now)

    def advance(self, seconds: float) -> None:
        """Runs the cluster for ``seconds`` of virtual time."""
        self.advance_to(self.clock.now + round(seconds * SECOND))

    def advance_to(self, us: int) -> None:
        """Runs the cluster until the virtual time ``us``. Raises BudgetExceeded when it runs away."""
        if not self.clock.run_until(us, SETTLE_EVENTS):
            raise BudgetExceeded(f"more than {SETTLE_EVENTS} events before {rfc3339(us)}")
        self._note_time()

    def settle(self, limit: float = 600.0) -> bool:
        """Runs until only background upkeep is left, at most ``limit`` virtual seconds. True when settled."""
        settled = self.run_settled(limit)
        self._note_time()
        return settled

    def wait(self, predicate: Callable[[Cluster], bool], timeout: float = 300.0) -> bool:
        """Runs until ``predicate(self)`` holds, at most ``timeout`` virtual seconds; whether it held."""
        clock = self.clock
        deadline = clock.now + round(timeout * SECOND)
        for _ in range(SETTLE_EVENTS):
            if predicate(self):
                break
            due = clock.next_due()
            if due is None or due > deadline:
                clock.run_until(deadline)
                break
            clock.run_until(due)
        self._note_time()
        return predicate(self)

    def _note_time(self) -> None:
        """Writes into the journal how far the clock was moved from outside."""
        entries = self.journal.entries
        if entries and entries[-1].kind == "clock":
            entries[-1] = Entry(entries[-1].seq, self.clock.now, "clock")
        else:
            self.journal.append(Entry(self.journal.next_seq, self.clock.now, "clock"))

    # ---- requests --------------------------------------------------------------------------------------

    def request(self, request: Request) -> Response:
        """The whole HTTP behaviour, in process.

        The way of every request, of those from sockets too (`serving/application.py`, which makes the entry durable
        in between): ``server.admit`` answers what changes nothing; the rest is journaled, then performed.
        """
        self.clock.run_until(self.clock.now)
        response = self.server.admit(request) or self.perform(self.prepare(request))
        assert response is not None
        return response

    def prepare(self, request: Request, kind: str = "request") -> Entry:
        """The journal entry of an admitted request (or of a stream's opening), at the present time."""
        assert request.user is not None, "server.admit settles who asks"
        payload = {
            "method": request.method,
            "path": request.path,
            "query": [list(pair) for pair in request.query],
            "headers": {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers},
            "body": pack_bytes(request.body),
            "user": request.user.as_dict(),
        }
        if request.impersonator is not None:
            payload["impersonator"] = request.impersonator.as_dict()
        return Entry(self.journal.next_seq, self.clock.now, kind, payload)

    def perform(self, entry: Entry) -> Response | None:
        """Brings the clock to the entry's time, notes the entry and carries it out.

        The reply of a ``request`` entry, the refusal of a ``session/open``; None for the others. A bug met on the way
        is a failure: the entry stands in the journal, and every replay gets past it too. Raises ValueError for an
        unknown kind.
        """
        performer = PERFORMERS.get(entry.kind)
        if performer is None:
            raise ValueError(f"journal entry {entry.seq} has the unknown kind {entry.kind!r}")
        if not self.clock.run_until(entry.at, SETTLE_EVENTS):
            raise BudgetExceeded(f"more than {SETTLE_EVENTS} events before {rfc3339(entry.at)}")
        self.journal.append(entry)
        try:
            return performer(self, entry)
        except Exception as error:
            if not self.clock.failed("journal", f"{entry.seq} {entry.kind}", error):
                raise
            return None

    def trace(self) -> tuple[Any, ...]:
        """What changes with whatever a request changes."""
        told = self.server.audit.told if self.server.audit is not None else 0
        return (self.store.revision, self.clock.scheduled, self.server.registry.identities.taken, told)

    def withdraw(self, entry: Entry) -> Entry:
        """The last entry was a request that changed nothing: what the journal keeps in its place, without the body."""
        kept = {name: entry.payload[name] for name in ("method", "path", "user")}
        stub = Entry(entry.seq, entry.at, "refused", kept)
        self.journal.entries[-1] = stub
        return stub

    def execute(
        self,
        pod: str,
        argv: Sequence[str],
        namespace: str = "default",
        container: str = "",
        stdin: bytes = b"",
        limit: float = 60.0,
    ) -> ExecResult:
        """Runs a command in a container as ``kubectl exec -i`` does, and the clock until it ends.

        Raises ApiError when it cannot be started, TimeoutError when it runs longer than ``limit`` virtual seconds.
        """
        query = [("command", word) for word in argv] + [("stdin", "true")]
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        request = Request("POST", path, query + ([("container", container)] if container else []), user=ADMIN)
        entry = self.prepare(request, "session/open")
        session, collector = f"s{entry.seq}", _Collector()
        self.server.sessions.listen(session, collector)
        refusal = self.perform(entry)
        if refusal is not None:
            raise ApiError(orjson.loads(refusal.body))
        payload = {"session": session, "data": pack_bytes(stdin), "end": True}
        self.perform(Entry(self.journal.next_seq, self.clock.now, "session/input", payload))
        if not self.wait(lambda _: collector.status is not None, limit):
            closing = Entry(self.journal.next_seq, self.clock.now, "session/close", {"session": session})
            self.perform(closing)
            raise TimeoutError(f"{' '.join(argv)!r:.200} still runs after {limit:g} virtual seconds")
        assert collector.status is not None
        return ExecResult(collector.status, b"".join(collector.parts[1]), b"".join(collector.parts[2]))

    def wire(
        self, source: str, destination: str, latency: float = 0.0, loss: float = 0.0, partition: bool = False
    ) -> None:
        """What lies between two nodes from now on, in that direction: virtual seconds, the share of lost packets.

        Without values it is perfect again. Raises ValueError.
        """
        wire = Wire(round(latency * SECOND), round(loss * 1_000), partition)
        self.network.wires.check(source, destination, wire)
        payload = {"source": source, "destination": destination, **wire._asdict()}
        self.perform(Entry(self.journal.next_seq, self.clock.now, "wire", payload))

    def fault(self, kind: str, **what: Any) -> None:
        """Something fails, or works again: ``fault("node/power", node="worker-1", up=False)``.

        The kinds and their data are `kubelet.FAULTS`. Raises ValueError for what cannot fail so.
        """
        self.perform(self.prepare_fault(kind, what))

    def prepare_fault(self, kind: str, what: dict[str, Any]) -> Entry:
        """The journal entry of a fault, at the present time. Raises ValueError."""
        kubelets = self.components[Kubelets.name]
        assert isinstance(kubelets, Kubelets)
        payload = kubelets.faults.checked(kind, what)
        return Entry(self.journal.next_seq, self.clock.now, kind, payload)

    def prepare_login(self, node: str, argv: Sequence[str], tty: bool) -> Entry:
        """The journal entry of a login to a node's machine, at the present time. Raises LookupError when it is unknown,
        ConnectionError when it has no power."""
        kubelets = self.components[Kubelets.name]
        assert isinstance(kubelets, Kubelets)
        match kubelets.logins.refusal(node):
            case "unknown":
                raise LookupError(node)
            case "unreachable":
                raise ConnectionError(node)
        payload = {"node": node, "argv": list(argv), "tty": tty}
        return Entry(self.journal.next_seq, self.clock.now, "session/login", payload)

    @classmethod
    def replay(cls, journal: Journal, until: int | None = None, kinds: Iterable[Kind] = KINDS) -> Self:
        """The cluster that this journal describes, up to the virtual time ``until`` (µs) when given.

        Raises ValueError when the journal was written by another engine version, or lacks its beginning.
        """
        if journal.entries and journal.entries[0].seq != 1:
            raise ValueError(f"the journal begins at entry {journal.entries[0].seq}: it needs its keyframe")
        if journal.header["engine"] != ENGINE_VERSION:
            raise ValueError(f"the journal is of engine {journal.header['engine']}, this is {ENGINE_VERSION}")
        cluster = cls(options=ClusterOptions(**journal.header["options"]), kinds=kinds)
        for entry in journal:
            if until is not None and entry.at > until:
                break
            cluster._relive(entry)
        if until is not None:
            cluster.clock.run_until(until)
        return cluster

    def _relive(self, entry: Entry) -> None:
        """Performs an entry again. However many events led to it: they were lived before."""
        try:
            self.clock.run_until(entry.at)
            self.perform(entry)
        except Exception as error:
            error.add_note(f"at journal entry {entry.seq} ({entry.kind}), {rfc3339(entry.at)}")
            raise

    # ---- objects ---------------------------------------------------------------------------------------

    def kind_of(self, resource: str) -> Kind:
        """The kind called so: plural, singular, short name or ``plural.group``. Raises KeyError."""
        kind = self.scheme.named(resource)
        if kind is None:
            raise KeyError(f'the server doesn\'t have a resource type "{resource}"')
        return kind

    def apply(self, manifests: str | bytes | JSON | Iterable[JSON], namespace: str = "default") -> list[JSON]:
        """Server-side apply as the cluster's administrator; returns what was stored.

        Takes YAML or JSON text, an object or several. Raises ApiError with the API server's own Status.
        """
        return list(self.applying(manifests, namespace))

    def applying(
        self, manifests: str | bytes | JSON | Iterable[JSON], namespace: str = "default"
    ) -> Iterator[JSON]:
        """As `apply`, an object at each step."""
        if isinstance(manifests, (str, bytes)):
            try:
                objects: list[Any] = yaml.load_all(manifests)
            except yaml.YamlError as error:
                raise bad_request(str(error)) from error
        elif isinstance(manifests, dict):
            objects = [manifests]
        else:
            objects = list(manifests)
        for item in [item for obj in objects for item in _items(obj)]:
            yield self._apply_one(item, namespace)

    def _apply_one(self, obj: Any, namespace: str) -> JSON:
        api_version, kind_name, name, namespace = _identify(obj, namespace)
        kind = self.scheme.of_object(api_version, kind_name)
        if kind is None:
            message = f'no matches for kind "{kind_name}" in version "{api_version}"'
            raise ApiError(status_failure(404, "NotFound", message, {"kind": kind_name}))
        scope = f"/namespaces/{namespace}" if kind.namespaced else ""
        response = self.request(
            Request(
                "PATCH",
                f"{kind.path}{scope}/{kind.resource}/{name}",
                [("fieldManager", "drydock"), ("force", "true"), ("fieldValidation", "Strict")],
                {"content-type": "application/apply-patch+yaml", "accept": "application/json"},
                orjson.dumps(obj),
                ADMIN,
            )
        )
        return _unwrap(response)

    def get(self, resource: str, name: str, namespace: str = "default") -> JSON | None:
        """The stored object (shared: do not mutate), or None. Raises KeyError for an unknown resource."""
        kind = self.kind_of(resource)
        return self.store.get(kind.group_resource, f"{namespace}/{name}" if kind.namespaced else name)

    def list(
        self,
        resource: str,
        namespace: str | None = None,
        label_selector: str = "",
        field_selector: str = "",
    ) -> list[JSON]:
        """Objects in order of namespace and name; of one namespace or of all. Raises ApiError for a bad selector."""
        kind = self.kind_of(resource)
        context = RequestContext(ADMIN, manager="drydock")
        return self.server.registry.list(
            context, kind.group_resource, namespace, label_selector, field_selector
        )

    def delete(self, resource: str, name: str, namespace: str = "default") -> JSON:
        """Deletes as ``kubectl delete`` does (background). Raises ApiError 404."""
        kind = self.kind_of(resource)
        scope = f"/namespaces/{namespace}" if kind.namespaced else ""
        headers = {"content-type": "application/json", "accept": "application/json"}
        body = orjson.dumps({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"})
        path = f"{kind.forms[0].path}{scope}/{kind.resource}/{name}"
        return _unwrap(self.request(Request("DELETE", path, [], headers, body, ADMIN)))

    def why(
        self, kind: str, namespace: str, name: str, resource_version: str | int | None = None
    ) -> Sequence[Link]:
        """What led to an object being as it is (or gone): its write, what that follows from, back to journal entries.

        Newest first; a write may follow from several others. ``resource_version`` asks for an older write of it.
        Raises KeyError for an unknown kind, and for a write that is not remembered (any more).
        """
        found = self.kind_of(kind)
        key = f"{namespace}/{name}" if found.namespaced else name
        revision = int(resource_version) if resource_version is not None else None
        link = self.clock.causes.of(found.group_resource, key, revision)
        if link is None:
            raise KeyError(f"why {found.resource} {key} was written is not known")
        return self.clock.causes.chain(link)

    def requests(
        self,
        limit: int = 50,
        *,
        resource: str = "",
        namespace: str = "",
        name: str = "",
        user: str = "",
        writes: bool = False,
    ) -> Sequence[JSON]:
        """The latest requests from outside, the newest first (``Record.as_data`` of kube_apiserver/trail.py).

        Of that resource, namespace, name, user; with ``writes`` those alone that changed something, or were passed on
        to a node.
        """
        wanted = {"resource": resource, "namespace": namespace, "name": name}
        found = (
            record
            for record in self.server.trail.list()
            if all(not value or getattr(record, part) == value for part, value in wanted.items())
            and (not user or record.user.get("username") == user)
            and (record.revision or record.passed or not writes)
        )
        return [record.as_data() for record in islice(found, limit)]

    def request_trail(self, ident: str) -> JSON:
        """The request of that audit id, and as ``followed`` what components wrote because of it, oldest first.

        Raises KeyError for one that is not remembered (any more).
        """
        record = self.server.trail.find(ident)
        if record is None:
            raise KeyError(f"no request of the audit id {ident!r} is remembered")
        followed = self.clock.causes.followed(-record.entry) if record.entry else []
        own = {write["revision"] for write in record.writes}
        return {
            **record.as_data(),
            "followed": [
                {**link._asdict(), "at": rfc3339_micro(link.at), "causes": list(link.causes)}
                for link in followed
                if link.revision not in own
            ],
        }

    def attempts(self, namespace: str, name: str) -> Sequence[JSON]:
        """The latest attempts to find a node for that Pod, the oldest first (``Attempt.as_data``)."""
        scheduler = self.components[Scheduler.name]
        assert isinstance(scheduler, Scheduler)
        return scheduler.attempts(namespace, name)

    # ---- the whole as data -----------------------------------------------------------------------------

    def fork(self) -> Cluster:
        """An independent cluster in the same state. Objects are shared until one side writes."""
        twin = type(self)(bare=True, options=self.options, kinds=self.scheme.kinds)
        twin.share(self)
        twin.journal = Journal(self.journal.header, list(self.journal.entries))
        return twin

    def keyframe(self, compressed: bool = True) -> bytes:
        """The whole state without the journal: later versions of the engine ``resume`` from it too."""
        return keyframe.write(self._kept(), compressed)

    def draft(self, pause: Callable[[], None] = lambda: None) -> bytes:
        """What a keyframe is made of, for a process that packs it (``sim.keyframe.finish``); see ``keyframe.draft``."""
        return keyframe.draft(self._kept(), pause)

    def past(self) -> bytes:
        """A draft of what is in no keyframe: the changes that the store remembers, and the journal if it is whole."""
        entries = self.journal.entries
        whole = bool(entries) and entries[0].seq == 1
        return keyframe.draft({"changes": self.store.past(), "journal": entries if whole else []})

    def remember(self, past: bytes) -> None:
        """Takes over the ``past`` of a cluster in the same state."""
        remembered = keyframe.drafted(past)
        self.store.remember(remembered["changes"])
        if remembered["journal"]:
            self.journal = Journal(self.journal.header, remembered["journal"])

    def _kept(self) -> dict[str, Any]:
        last = [entry.as_dict() for entry in self.journal.entries[-1:]]
        return {"header": self.journal.header, "last": last, "saved": self.save()}

    @classmethod
    def resume(cls, data: bytes, tail: Iterable[Entry] = (), kinds: Iterable[Kind] = KINDS) -> Self:
        """The cluster of a keyframe, gone on through the journal's ``tail``: its entries after the keyframe.

        The journal of the result begins with the keyframe's last entry. Raises KeyframeError.
        """
        found = keyframe.read(data)
        header = {**found["header"], "engine": ENGINE_VERSION}
        cluster = cls(bare=True, options=ClusterOptions(**header["options"]), kinds=kinds)
        cluster.load(found["saved"])
        cluster.journal = Journal(header, [Entry.from_dict(entry) for entry in found["last"]])
        cluster.go_on(tail)
        return cluster

    def go_on(self, tail: Iterable[Entry]) -> None:
        """Live again what the journal tells of later; entries that this cluster has seen are passed over."""
        for entry in tail:
            if entry.seq >= self.journal.next_seq:
                self._relive(entry)
            elif entry.seq == self.journal.next_seq - 1 and entry.at > self.clock.now:
                # How far the clock was moved: the entry has grown since.
                self.clock.run_until(entry.at)
                self._note_time()

    def snapshot(self) -> bytes:
        """The whole cluster, journal and all; ``restore`` reads it."""
        return keyframe.write({"journal": self.journal.as_dict(), "saved": self.save()})

    @classmethod
    def restore(cls, snapshot: bytes, kinds: Iterable[Kind] = KINDS) -> Self:
        """The cluster that ``snapshot`` wrote. Raises ValueError for another engine version's snapshot."""
        data = keyframe.read(snapshot)
        journal = Journal.from_dict(data["journal"])
        if journal.header["engine"] != ENGINE_VERSION:
            raise ValueError(
                f"the snapshot is of engine {journal.header['engine']}, this is {ENGINE_VERSION}"
            )
        cluster = cls(bare=True, options=ClusterOptions(**journal.header["options"]), kinds=kinds)
        cluster.load(data["saved"])
        cluster.journal = journal
        return cluster

    def state_hash(self) -> str:
        """A fingerprint of the whole state: objects, clock, components."""
        data = pack(self.save(), sort_keys=True)
        return hashlib.blake2b(data, digest_size=16).hexdigest()


class _Collector:
    """Keeps what a session's process writes."""

    def __init__(self) -> None:
        self.parts: dict[int, list[bytes]] = {1: [], 2: []}
        self.status: int | None = None

    def output(self, fd: int, data: bytes) -> None:
        self.parts[fd].append(data)

    def closed(self, stream: int, why: str) -> None:
        """It has no connections."""

    def ended(self, status: int) -> None:
        self.status = status

    def failed(self, status: JSON) -> None:
        raise ApiError(status)


def _items(obj: Any) -> list[Any]:
    """The objects of a List, or the object itself."""
    if isinstance(obj, dict) and obj.get("kind") == "List" and isinstance(obj.get("items"), list):
        return list(obj["items"])
    return [obj]


def _identify(obj: Any, namespace: str) -> tuple[str, str, str, str]:
    """(apiVersion, kind, name, namespace) of a manifest, or an ApiError 400 that says what is missing."""
    if not isinstance(obj, dict):
        raise bad_request(f"a manifest must be a mapping, found {type(obj).__name__}")
    meta = obj.get("metadata")
    meta = meta if isinstance(meta, dict) else {}
    api_version, kind, name = obj.get("apiVersion"), obj.get("kind"), meta.get("name")
    if not isinstance(kind, str) or not kind:
        raise bad_request("Object 'Kind' is missing in the manifest")
    if not isinstance(api_version, str) or not api_version:
        raise bad_request(f"Object 'apiVersion' is missing in the {kind} manifest")
    if not isinstance(name, str) or not name or len(name) > _MAX_NAME or "/" in name:
        raise bad_request(f"the {kind} manifest needs metadata.name, found {name!r:.80}")
    wanted = meta.get("namespace", namespace)
    if not isinstance(wanted, str) or not wanted or "/" in wanted:
        raise bad_request(f"metadata.namespace of {kind} {name!r} must be a name, found {wanted!r:.80}")
    return api_version, kind, name, wanted


def _unwrap(response: Response) -> JSON:
    data: JSON = orjson.loads(response.body)
    if response.status >= 400:
        raise ApiError(data)
    return data
