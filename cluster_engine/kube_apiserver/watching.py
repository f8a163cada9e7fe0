"""Watches: what changed, as frames that a client reads for as long as it likes.

Models k8s.io/apiserver/pkg/endpoints/handlers/watch.go and the watch cache's semantics
(pkg/storage/cacher): initial events, bookmarks, selectors as ADDED/DELETED, too old versions as ERROR events.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from weakref import WeakSet

import orjson

from cluster_engine.apimachinery import errors, table
from cluster_engine.apimachinery.cow import JSON, with_meta
from cluster_engine.apimachinery.scheme import Kind, Scheme
from cluster_engine.etcd import Compacted, Store, Watcher, WatchEvent
from cluster_engine.sim import Clock

from .encoding import ObjectBytes
from .selection import Selection

QUEUE_LIMIT = 10_000
"""Events that may wait for one slow client; past it the watch ends and the client starts over."""
FRAMES_AT_ONCE = 500
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Frame = Callable[[str, JSON], bytes]


class WatchStream:
    """One watch. `take` gives the frames that are ready."""

    content_type = "application/json"

    def __init__(
        self,
        store: Store,
        selection: Selection,
        frame: Frame,
        bookmark: Frame,
        *,
        since: int | None,
        initial: Iterable[JSON],
        end_mark: bool,
        bookmarks: bool,
        timeout: float | None,
        refused: JSON | None = None,
        shown: Callable[[JSON], JSON] | None = None,
    ) -> None:
        """`since`: a revision to go on from, or None for now; `initial`: the objects that come as ADDED first;
        `refused`: the Status that the watch consists of instead; `shown`: what makes of a stored object what the
        selection and the frames are about, or raises ApiError."""
        self.timeout = timeout
        self.closed = False
        self._store = store
        self._selection = selection
        self._shown = shown
        self._frame = frame
        self._bookmark = bookmark
        self._bookmarks = bookmarks
        self._queue: deque[WatchEvent] = deque()
        self._ready: deque[bytes] = deque()
        self._notify: Callable[[], None] | None = None
        self._watcher: Watcher | None = None
        self._revision = store.revision
        self._queued = self._revision if since is None else since  # the last change that was queued
        self.polled = store.has_renewed(selection.kind.group_resource)
        self._initial: deque[JSON] = deque(initial)
        self._end_mark = end_mark
        if refused is not None:
            self._fail(refused)
            return
        try:
            self._watcher = store.watch(selection.kind.group_resource, since, self._sink)
        except Compacted as problem:
            self._fail(errors.expired(str(problem)).status)

    @property
    def kind(self) -> Kind:
        """What is watched, in the version in which it is shown."""
        return self._selection.kind

    def tells(self, event: WatchEvent) -> bool:
        """Whether the reader of an open watch learns of that change of its resource."""
        selection = self._selection
        if self.closed or (
            selection.namespace and event.object["metadata"].get("namespace") != selection.namespace
        ):
            return False
        if selection.everything or selection.selects(event.object):
            return True
        return event.previous is not None and selection.selects(event.previous)

    def withdraw(self) -> None:
        """End the watch after what its reader has not taken yet, and tell it: the kind is not served any more."""
        left: list[bytes] = []
        while data := self.take():
            left.append(data)
        self.cancel()
        self._ready.extend(left)
        if self._notify is not None:
            self._notify()

    def subscribe(self, notify: Callable[[], None]) -> None:
        """Call `notify` whenever something becomes ready."""
        self._notify = notify

    def cancel(self) -> None:
        """End the watch."""
        self.closed = True
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        self._queue.clear()

    def take(self) -> bytes:
        """The frames that are ready, at most FRAMES_AT_ONCE of them."""
        frames: list[bytes] = []
        while self._ready:
            frames.append(self._ready.popleft())
        if self._watcher is None:
            self.closed = True
            return b"".join(frames)
        self._ask()
        while self._initial:
            frames.append(self._frame("ADDED", self._initial.popleft()))
            if len(frames) >= FRAMES_AT_ONCE:
                return b"".join(frames)
        if self._end_mark:
            self._end_mark = False
            frames.append(self._mark(self._revision, end=True))
        while self._queue and len(frames) < FRAMES_AT_ONCE:
            event = self._queue.popleft()
            self._revision = event.revision
            try:
                frame = self._encode(event if self._shown is None else self._converted(event, self._shown))
            except errors.ApiError as problem:
                # parseError of pkg/storage/etcd3/watcher.go
                self.cancel()
                frames.append(plain_frame("ERROR", {**problem.status, "reason": "InternalError"}))
                break
            if frame:
                frames.append(frame)
        return b"".join(frames)

    def tick(self) -> bytes:
        """A bookmark, when the client asked for them and nothing waits."""
        self._ask()
        # Never ahead of anything that was not sent: who goes on from a bookmark would not get it any more.
        if not self._bookmarks or self.closed or self._queue or self._initial or self._end_mark:
            return b""
        return self._mark(self._store.revision, end=False)

    def _ask(self) -> None:
        """Renewals are told to nobody: whoever watches them asks."""
        if self.polled:
            for event in self._store.renewals_after(self._selection.kind.group_resource, self._queued):
                self._sink(event)

    def _sink(self, event: WatchEvent) -> None:
        # Inside a write: only note it down.
        if event.revision <= self._queued:
            return
        self._queued = event.revision
        namespace = self._selection.namespace
        if namespace and event.object["metadata"].get("namespace") != namespace:
            return
        if len(self._queue) >= QUEUE_LIMIT:
            self.cancel()
        else:
            self._queue.append(event)
        if self._notify is not None:
            self._notify()

    def _converted(self, event: WatchEvent, shown: Callable[[JSON], JSON]) -> WatchEvent:
        """The event with its objects as the reader has them. Raises ApiError."""
        before = event.previous
        if before is not None and not self._selection.everything:
            before = shown(before)
        return event._replace(object=shown(event.object), previous=before)

    def _encode(self, event: WatchEvent) -> bytes:
        selection = self._selection
        if selection.everything:
            return self._frame(event.type, event.object)
        now = event.type != "DELETED" and selection.selects(event.object)
        before = event.previous is not None and selection.selects(event.previous)
        if now:
            return self._frame("MODIFIED" if before else "ADDED", event.object)
        if before and event.previous is not None:
            # What the client knew is what it is told of last, under the version of the change.
            gone = event.object
            if event.type != "DELETED":
                gone = with_meta(event.previous, resourceVersion=str(event.revision))
            return self._frame("DELETED", gone)
        return b""

    def _mark(self, revision: int, end: bool) -> bytes:
        kind = self._selection.kind
        meta: JSON = {"resourceVersion": str(revision), "creationTimestamp": None}
        if end:
            meta["annotations"] = {INITIAL_EVENTS_END: "true"}
        return self._bookmark(
            "BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta}
        )

    def _fail(self, status: JSON) -> None:
        self._ready.append(plain_frame("ERROR", status))


class Watches:
    """The open watches of one cluster, for as long as anybody holds them."""

    def __init__(self, store: Store, scheme: Scheme) -> None:
        self._store = store
        self._scheme = scheme
        self._streams: WeakSet[WatchStream] = WeakSet()
        scheme.follow(self._kinds_changed)

    def add(self, stream: WatchStream) -> None:
        """A watch was opened."""
        self._streams.add(stream)

    def told(self, resource: str, revision: int) -> int:
        """How many are told of that change of a resource."""
        event = self._store.change(resource, revision)
        if event is None:
            return 0
        return sum(
            stream.kind.group_resource == resource and stream.tells(event) for stream in list(self._streams)
        )

    def _kinds_changed(self) -> None:
        """Ends the watches of kinds that are not served any more, or are others now. Who watches the objects of a
        definition that only ends hears of their end."""
        for stream in list(self._streams):
            kind = stream.kind.stored or stream.kind
            found = self._scheme.find(kind.group_resource)
            if found is not kind and (
                found is None or found.openapi is None or found.openapi is not kind.openapi
            ):
                stream.withdraw()


def plain_frame(kind: str, obj: JSON) -> bytes:
    """A frame with an object that is not in the cache."""
    return b'{"type":"' + kind.encode() + b'","object":' + orjson.dumps(obj) + b"}\n"


def object_frames(selection: Selection, cache: ObjectBytes) -> Frame:
    """Frames with whole objects."""
    kind = selection.kind

    def frame(event_type: str, obj: JSON) -> bytes:
        return b'{"type":"' + event_type.encode() + b'","object":' + cache.whole(kind, obj) + b"}\n"

    return frame


def table_frames(selection: Selection, clock: Clock, include_object: str, api_version: str) -> Frame:
    """Frames with one-row Tables; only the first carries the column definitions."""
    sent = False

    def frame(event_type: str, obj: JSON) -> bytes:
        nonlocal sent
        rows = [] if event_type == "BOOKMARK" else [obj]
        meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
        annotations = obj["metadata"].get("annotations")
        if event_type == "BOOKMARK" and annotations:
            meta["annotations"] = annotations
        value = table.to_table(
            selection.kind,
            rows,
            clock.now,
            include_object=include_object,
            list_meta=meta,
            no_headers=sent,
            api_version=api_version,
        )
        sent = True
        return plain_frame(event_type, value)

    return frame


def partial_frames(api_version: str) -> Frame:
    """Frames with metadata alone."""

    def frame(event_type: str, obj: JSON) -> bytes:
        return plain_frame(event_type, table.partial_metadata(obj, api_version))

    return frame
