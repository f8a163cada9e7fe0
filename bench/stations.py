"""Where the time of a put goes, from the request's last byte to the watch's event and to the answer.

The server of ``apiserver.py`` without sockets: the ASGI application is called in place, and what it says to the watch
goes to a function that looks at the clock. Run as a process of its own: one line of JSON, in µs, each the middle of
PUTS puts, or of as many as its argument says. ``told_us`` and ``answered_us`` are of a cluster whose calls are not
marked; the stations are those of one whose calls are, which costs some µs more. "application" is
`serving/application.py`: locks, turns, the clock.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
from collections.abc import Callable
from functools import wraps
from time import perf_counter_ns
from typing import Any

PUTS = 1_000
WARM = 100
Spent = dict[str, int]


class Marks:
    """Who is at work, by a stack of names: each is charged what its callees are not."""

    def __init__(self) -> None:
        self.spent: Spent = {}
        self._stack: list[str] = []
        self._since = 0

    def begin(self) -> int:
        """The application is at work from now on: the clock, in ns."""
        self.spent, self._stack, self._since = {}, ["application"], perf_counter_ns()
        return self._since

    def end(self) -> Spent:
        """Nobody is; what was spent since the beginning, in ns."""
        self._stack = []
        return self.spent

    def charge(self) -> None:
        """The time since the last mark goes to who is at work, if anybody is."""
        if not self._stack:
            return
        now = perf_counter_ns()
        name = self._stack[-1]
        self.spent[name] = self.spent.get(name, 0) + now - self._since
        self._since = now

    def station(self, name: str, owner: Any, attribute: str) -> None:
        """Has a function charged under that name, for as long as the process lives."""
        inner = getattr(owner, attribute)

        @wraps(inner)
        def outer(*args: Any, **more: Any) -> Any:
            if not self._stack:
                return inner(*args, **more)
            self.charge()
            self._stack.append(name)
            try:
                return inner(*args, **more)
            finally:
                self.charge()
                self._stack.pop()

        setattr(owner, attribute, outer)


def _mark(marks: Marks) -> None:
    """Marks every station of clusters that are made from now on."""
    from cluster_engine.client_go.informer import SharedInformer
    from cluster_engine.cluster import Cluster
    from cluster_engine.etcd import Store
    from cluster_engine.kube_apiserver import APIServer, meta, registry, verbs
    from cluster_engine.kube_apiserver.handlers import Handlers
    from cluster_engine.kube_apiserver.registry import Registry
    from cluster_engine.kube_apiserver.replies import Replies
    from cluster_engine.kube_apiserver.trail import Trail
    from cluster_engine.serving import ClusterApp
    from cluster_engine.serving.telling import Telling

    places: list[tuple[str, Any, str]] = [
        ("request read", ClusterApp, "request_of"),
        ("who asks", APIServer, "admit"),
        ("journal entry", Cluster, "prepare"),
        ("performing", Cluster, "perform"),
        ("authorization", Handlers, "_authorize"),
        ("body decoded", verbs, "body_object"),
        ("defaults", Registry, "_defaulted"),
        ("preconditions", meta, "check_preconditions"),
        ("preconditions", meta, "carried_over"),
        ("admission", registry, "admit"),
        ("admission", registry, "validate"),
        ("update", Registry, "_update"),
        ("field ownership", Registry, "_own"),
        ("validation", Registry, "_update_problems"),
        ("write", Registry, "_write"),
        ("store", Store, "put"),
        ("watch told", Telling, "_happened"),
        ("informers", SharedInformer, "_event"),
        ("reply", Replies, "show"),
        ("trail", Trail, "keep"),
    ]
    for place in places:
        marks.station(*place)


def _scope(method: str, path: str, query: bytes = b"") -> dict[str, Any]:
    headers = [(b"host", b"bench"), (b"accept", b"application/json"), (b"content-type", b"application/json")]
    return {
        "type": "http", "method": method, "path": path, "query_string": query, "headers": headers,
        "drydock.at_once": lambda: None,
    }  # fmt: skip


class Watched:
    """A cluster's application with one watch of one object, which is put again and again."""

    def __init__(self, path: str, body_of: Callable[[int], bytes], marks: Marks) -> None:
        from cluster_engine.cluster import Cluster
        from cluster_engine.serving import ClusterApp, Driver

        cluster = Cluster(nodes=3, seed=1)
        self._app = ClusterApp(cluster, driver=Driver(cluster, 0), admin=True)
        self._path, self._body_of, self._marks = path, body_of, marks
        self._told: list[tuple[int, Spent]] = []

    async def open(self) -> None:
        """Makes the object and watches it."""
        collection = self._path.rpartition("/")[0]
        await self._app(_scope("POST", collection), _receiving(self._body_of(-1)), _ignored)
        asked = iter([{"type": "http.request", "body": b""}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await asyncio.Event().wait()  # it never hangs up
            return {}

        self._watch = asyncio.ensure_future(
            self._app(_scope("GET", collection, b"watch=1"), receive, self._heard)
        )
        await asyncio.sleep(0.05)  # until it waits for more

    async def _heard(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            self._marks.charge()
            self._told.append((perf_counter_ns(), dict(self._marks.spent)))

    async def put(self, number: int) -> tuple[int, int, Spent, Spent]:
        """(ns until told, ns until answered, who spent them until told, who spent them in all)."""
        from cluster_engine.serving import eager

        body, marks = self._body_of(number), self._marks
        self._told.clear()
        answers: list[int] = []

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                marks.charge()
                answers.append(perf_counter_ns())

        began = marks.begin()
        rest = eager.begin(self._app(_scope("PUT", self._path), _receiving(body), send))
        spent = marks.end()
        if len(answers) != 1 or len(self._told) != 1:
            raise SystemExit("a put was not told of in place")
        answered = answers[0]
        if rest is not None:  # its turn of the loop after the answer
            await rest
        await asyncio.sleep(0)
        return self._told[0][0] - began, answered - began, self._told[0][1], spent


def _receiving(body: bytes) -> Callable[[], Any]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    return receive


async def _ignored(_message: Any) -> None: ...


def _middle(values: list[int]) -> float:
    return round(statistics.median(values) / 1e3, 1)


async def measured(path: str, body_of: Callable[[int], bytes], puts: int = PUTS) -> dict[str, Any]:
    """The whole account; the stations are those of a second cluster, whose calls are marked."""
    rounds = []
    for marked in (False, True):
        marks = Marks()
        if marked:
            _mark(marks)
        watched = Watched(path, body_of, marks)
        await watched.open()
        for number in range(WARM):
            await watched.put(number)
        rounds.append([await watched.put(number) for number in range(puts)])
    plain, told = rounds
    names = list(dict.fromkeys(name for each in told for name in each[3]))
    until = {name: _middle([each[2].get(name, 0) for each in told]) for name in names}
    after = {name: _middle([each[3][name] - each[2].get(name, 0) for each in told]) for name in names}
    return {
        "told_us": _middle([each[0] for each in plain]),
        "answered_us": _middle([each[1] for each in plain]),
        "told_with_marks_us": _middle([each[0] for each in told]),
        "until_told_us": {name: us for name, us in until.items() if us},
        "after_told_us": {name: us for name, us in after.items() if us >= 0.5},
    }


def main() -> None:
    import uvloop

    from bench.apiserver import MAPS, config_map
    from cluster_engine.memory import relax_collector

    relax_collector()
    puts = int(sys.argv[1]) if len(sys.argv) > 1 else PUTS
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measured(f"{MAPS}/bench", config_map, puts))))


if __name__ == "__main__":
    main()
