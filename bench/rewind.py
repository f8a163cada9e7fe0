"""Random moments of a long run had again and gone on from, the slider moved by little, what-ifs.

A process of its own: one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from bench.hosting import host, ordered, platform, start

WEB = "/apis/apps/v1/namespaces/default/deployments/web"
QUERY = [("fieldManager", "bench"), ("force", "true")]
HEADERS = {"content-type": "application/apply-patch+yaml"}


BRANCHES = 10
"""That are gone on from, one after the other; a run may have twelve."""


SCRUBBED = (20, 45, -7, 90, -30, 15)
"""Seconds by which the slider is moved on, one after the other, from a random moment."""


def _web(number: int) -> bytes:
    """A rollout or a scaling, another one each time."""
    container = {"name": "nginx", "image": "nginx:1.27" if number % 6 < 3 else "nginx:1.28"}
    template = {"metadata": {"labels": {"app": "bench"}}, "spec": {"containers": [container]}}
    spec = {
        "replicas": 2 + number % 5,
        "selector": {"matchLabels": {"app": "bench"}},
        "template": template,
    }
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    return json.dumps(web).encode("ascii")


async def _lived(hosted: Any, entries: int, hours: int) -> None:
    """So many rollouts and scalings over so many virtual hours, with a heartbeat of the host after each."""
    from cluster_engine.kube_apiserver import ADMIN, Request

    pause = hours * 3_600_000_000 // entries
    for number in range(entries):
        answer = await hosted.app.respond(Request("PATCH", WEB, QUERY, HEADERS, _web(number), ADMIN))
        assert answer.status in (200, 201), answer.body
        await hosted.app.step(hosted.cluster.clock.now + pause, lambda link: False)
        hosted.framing.keep_up(float("inf"))  # as far as wall time goes: a real run takes its hours
        await asyncio.sleep(0)


def _measured(repeats: int, act: Callable[[], object]) -> dict[str, float]:
    wall, cpu = [], []
    for _ in range(repeats):
        began, spent = time.monotonic(), time.process_time()
        act()
        wall.append(time.monotonic() - began)
        cpu.append(time.process_time() - spent)
    return {**ordered(wall), "cpu_p95_ms": ordered(cpu)["p95_ms"]}


def measure(entries: int, hours: int, repeats: int) -> dict[str, Any]:
    """A run's random moments after it moved to another host, what-ifs of a minute, and going on from random moments
    and from where a step began."""
    with platform(), host() as made:
        from runs import branches
        from runs.models import Run

        run = start(made, 1)[0]
        began, first = made.runs[run].cluster.clock.now, made.runs[run].lab.steps[0].id
        made.call(made.runs[run].note_steps([]))
        made.call(_lived(made.runs[run], entries, hours))
        made.call(made.passivate(made.runs[run]))
        made.acquire(run)
        hosted = made.runs[run]
        made.call(hosted.clock.act({"action": "pause"}))
        chance, span = random.Random(1), hosted.cluster.clock.now - began

        def moment() -> str:
            from cluster_engine.sim import rfc3339_micro

            return rfc3339_micro(began + chance.randrange(span))

        def scrubbed() -> Iterator[str]:
            from cluster_engine.sim import rfc3339_micro

            while True:
                at = began + chance.randrange(span)
                for seconds in SCRUBBED:
                    at = max(began, at + seconds * 1_000_000)
                    yield rfc3339_micro(at)

        places = scrubbed()

        def branch() -> None:
            """Until the cluster is up on it."""
            made.call(made.runs[run].branch({"action": "branch", "at": moment()}))
            made.acquire(run)

        def step() -> None:
            """Until the cluster is up as it was when the lab's first step began."""
            made.call(made.runs[run].branch({"action": "step", "step": first}))
            made.acquire(run)

        def steps() -> dict[str, float]:
            row = Run.objects.get(pk=run)
            for each in branches.listed(row):  # a run keeps some, and no more
                if not each["present"]:
                    branches.delete(row, each["number"])
            return _measured(BRANCHES, step)

        asked = {"action": "delete", "resource": "deployments", "name": "web", "seconds": 60}
        return {
            "entries": entries,
            "virtual_hours": hours,
            "keyframes": Run.objects.get(pk=run).keyframes.count(),
            "kept_bytes": Run.objects.get(pk=run).kept_bytes,
            "rewind": _measured(repeats, lambda: made.call(hosted.past({"at": moment()}))),
            "scrub": _measured(repeats, lambda: made.call(hosted.past({"at": next(places)}))),
            "whatif": _measured(max(repeats // 5, 1), lambda: made.call(hosted.what_if(asked))),
            "branch": _measured(BRANCHES, branch),
            "step": steps(),
        }


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:]))), flush=True)
    os._exit(0)  # the host's threads have nothing to say any more
