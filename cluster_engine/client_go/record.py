"""The event recorder: what components tell about their objects, with repeats counted instead of repeated.

Models k8s.io/client-go/tools/record (EventCorrelator: spam filter, aggregation, counting).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.sim import SECOND, Clock

if TYPE_CHECKING:
    from cluster_engine.client_go.client import Client

CACHE_LIMIT = 4096
SPAM_BURST = 25
SPAM_REFILL = 300 * SECOND  # one token back per five minutes
AGGREGATE_AFTER = 10
AGGREGATE_WINDOW = 600 * SECOND


def object_reference(obj: JSON, field_path: str = "") -> JSON:
    """The ObjectReference that an event's ``involvedObject`` holds."""
    meta = obj["metadata"]
    reference: JSON = {"kind": obj["kind"]}
    if namespace := meta.get("namespace"):
        reference["namespace"] = namespace
    reference["name"] = meta["name"]
    if uid := meta.get("uid"):
        reference["uid"] = uid
    reference["apiVersion"] = obj["apiVersion"]
    if version := meta.get("resourceVersion"):
        reference["resourceVersion"] = version
    if field_path:
        reference["fieldPath"] = field_path
    return reference


_Memory = dict[str, tuple[Any, ...]]
"""The longest untouched first. The entries are replaced and never changed: forks share them, and texts and numbers in a
tuple cost the garbage collector nothing."""


def _remember(cache: _Memory, key: str, value: tuple[Any, ...]) -> None:
    """The last one from now on."""
    cache.pop(key, None)
    cache[key] = value
    if len(cache) > CACHE_LIMIT:
        del cache[next(iter(cache))]


class EventRecorder:
    """Writes Events for one component (and host). Everything it remembers is in ``state``."""

    def __init__(
        self, client: Client, clock: Clock, component: str, host: str = "", nanoseconds: int = 0
    ) -> None:
        """``nanoseconds``: this recorder's place within a microsecond, 0 … 899, for the names of its Events."""
        self._client = client
        self._clock = clock
        self._component = component
        self._host = host
        self._source = {"component": component, "host": host} if host else {"component": component}
        self._nanoseconds = nanoseconds
        self._named_at = 0
        self._named: dict[str, int] = {}  # Events named in this very microsecond, by their object
        self._seen: _Memory = {}  # exact event -> (namespace, name, count)
        self._groups: _Memory = {}  # alike but for the message -> (last µs, messages…)
        self._tokens: _Memory = {}  # object -> (tokens left, last refill µs)

    def event(self, obj: JSON, type: str, reason: str, message: str, field_path: str = "") -> None:
        """Tells ``message`` about ``obj``. ``type`` is Normal or Warning. Never raises ApiError."""
        reference = object_reference(obj, field_path)
        get = reference.get
        about = f"{get('namespace', '')}/{reference['kind']}/{reference['name']}/{get('uid', '')}"
        if not self._allowed(about):
            return
        group = f"{about}/{field_path}/{type}/{reason}"
        message, aggregated = self._aggregate(group, message)
        exact = group if aggregated else f"{group}/{message}"
        try:
            self._write(exact, reference, type, reason, message)
        except ApiError:
            # As upstream: an event that cannot be written (a namespace going away) is dropped.
            return

    def _allowed(self, about: str) -> bool:
        now = self._clock.now
        tokens, refilled = self._tokens.get(about, (SPAM_BURST, now))
        if back := (now - refilled) // SPAM_REFILL:
            tokens, refilled = min(SPAM_BURST, tokens + back), refilled + back * SPAM_REFILL
        allowed: bool = tokens > 0
        _remember(self._tokens, about, (tokens - allowed, refilled))
        return allowed

    def _aggregate(self, group: str, message: str) -> tuple[str, bool]:
        now = self._clock.now
        known = self._groups.get(group)
        if known is None or now - known[0] > AGGREGATE_WINDOW:
            messages: tuple[str, ...] = (message,)
        else:
            messages = known[1:]
            if message not in messages and len(messages) < AGGREGATE_AFTER:
                messages = (*messages, message)
        _remember(self._groups, group, (now, *messages))
        if len(messages) >= AGGREGATE_AFTER:
            return f"(combined from similar events): {message}", True
        return message, False

    def _write(self, exact: str, reference: JSON, type: str, reason: str, message: str) -> None:
        stamp = self._clock.timestamp()
        seen = self._seen.get(exact)
        if seen is not None:
            namespace, name, count = seen
            patch = {"count": count + 1, "lastTimestamp": stamp, "message": message}
            try:
                self._client.patch("events", name, namespace, patch)
            except ApiError as error:
                if error.code != 404:
                    raise
            else:
                _remember(self._seen, exact, (namespace, name, count + 1))
                return
        namespace = reference.get("namespace") or "default"
        event: JSON = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": self._name(namespace, reference["name"]), "namespace": namespace},
            "involvedObject": reference,
            "reason": reason,
            "message": message,
            "source": self._source,
            "firstTimestamp": stamp,
            "lastTimestamp": stamp,
            "count": 1,
            "type": type,
            "eventTime": None,
            "reportingComponent": self._component,
            "reportingInstance": self._host,
        }
        shape = (tuple(reference), bool(self._host), bool(reason), bool(message))
        self._client.create("events", event, shape)
        _remember(self._seen, exact, (namespace, event["metadata"]["name"], 1))

    def _name(self, namespace: str, name: str) -> str:
        """Events are named after the nanosecond; several about one object in a microsecond count on."""
        now = self._clock.now
        if self._named_at != now:
            self._named, self._named_at = {}, now
        about = f"{namespace}/{name}"
        number = self._named[about] = self._named.get(about, -1) + 1
        return f"{name}.{now * 1000 + self._nanoseconds + number:x}"

    def share(self, other: EventRecorder) -> None:
        """Takes over what ``other`` remembers; entries are replaced, never changed."""
        if not (self.used or other.used):
            return  # most have told nothing, here and there
        self._named_at, self._named = other._named_at, other._named.copy()
        self._seen, self._groups = other._seen.copy(), other._groups.copy()
        self._tokens = other._tokens.copy()

    @property
    def used(self) -> bool:
        """Whether it has told anything yet; what has not need not be kept."""
        return bool(self._tokens)

    def state(self) -> dict[str, Any]:
        return {
            "named": [self._named_at, list(self._named.items())],
            "seen": [[key, list(value)] for key, value in self._seen.items()],
            "groups": [[key, list(value)] for key, value in self._groups.items()],
            "tokens": [[key, list(value)] for key, value in self._tokens.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        # Lists of pairs, not objects: the order is the caches' order of eviction and must survive JSON sorting.
        self._named_at = state["named"][0]
        self._named = {about: number for about, number in state["named"][1]}  # noqa: C416  (JSON has lists)
        self._seen = {key: tuple(value) for key, value in state["seen"]}
        self._groups = {key: tuple(value) for key, value in state["groups"]}
        self._tokens = {key: tuple(value) for key, value in state["tokens"]}
