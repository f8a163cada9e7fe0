"""One engine host with many labs. Run as a process of its own: one line of JSON.

The host lives in this process, with a database and a Redis of its own in a temporary folder; who asks it things is
another process (`client`), so that neither waits for the other's interpreter.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MAPS = "/api/v1/namespaces/default/configmaps"
MENDED = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
"""
THINK = 10.0
"""Seconds from a learner's command to the next."""
WARM = 15.0
"""Seconds that active labs have before they are measured."""
SPIN = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "spin"},
    "spec": {
        "replicas": 20, "selector": {"matchLabels": {"app": "spin"}},
        "template": {
            "metadata": {"labels": {"app": "spin"}},
            "spec": {"containers": [
                {"name": "c", "image": "busybox", "command": ["sh", "-c", "while true; do echo $((1+1)) > /f; done"]}
            ]},
        },
    },
}  # fmt: skip


@contextmanager
def platform() -> Iterator[None]:
    """Django with an empty database and an empty Redis."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        socket = Path(folder, "redis.sock")
        program = Path(sys.executable).parent / "redis-server"
        command = [str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        os.environ |= {
            "DRYDOCK_EMBEDDED": "1", "DRYDOCK_VAR": folder, "DRYDOCK_REDIS_URL": f"unix://{socket}?db=0",
            "DRYDOCK_LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "config.settings",
            "DRYDOCK_RUN_IDLE_SECONDS": "86400",
        }  # fmt: skip
        os.environ.pop("DRYDOCK_DATABASE_URL", None)
        try:
            while not socket.exists():
                time.sleep(0.01)
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield
        finally:
            redis.kill()
            redis.wait()


@contextmanager
def host() -> Iterator[Any]:
    """An engine host as a worker has it."""
    from runs.host.host import EngineHost

    from cluster_engine.memory import relax_collector

    relax_collector()
    made = EngineHost()
    made.start()
    try:
        yield made
    finally:
        made.writer.stop()


def start(made: Any, count: int) -> list[uuid.UUID]:
    """So many labs, each of its own guest."""
    from accounts.models import User
    from runs.models import Run

    from labs.kit import catalog

    labs = catalog.load().labs
    runs = []
    for number in range(count):
        user = User.objects.create_guest()
        lab = labs[number % len(labs)]
        run = Run.objects.create(user=user, lab_slug=lab.slug, seed=number, start="2026-01-01T00:00:00Z")
        made.acquire(run.pk)
        runs.append(run.pk)
    return runs


def resident() -> int:
    """Bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ordered(values: list[float]) -> dict[str, float]:
    values = sorted(values)
    return {
        "p50_ms": statistics.median(values) * 1000,
        "p95_ms": values[int(len(values) * 0.95)] * 1000,
        "p99_ms": values[int(len(values) * 0.99)] * 1000,
        "max_ms": values[-1] * 1000,
    }


async def _stalls(seconds: float) -> float:
    """The longest time for which the loop did not come round."""
    longest, last, end = 0.0, time.monotonic(), time.monotonic() + seconds
    while last < end:
        await asyncio.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last - 0.005), now
    return longest


def idle(count: int, seconds: float) -> dict[str, Any]:
    """Labs that nobody looks at: what they cost while they are resident."""
    with platform(), host() as made:
        start(made, 10)
        before, began = resident(), time.monotonic()
        start(made, count - 10)
        booted = time.monotonic() - began
        # A cluster's probes are steady after two minutes: with all of them at once, that takes a while.
        made.call(_older(made, 600))
        made.call(asyncio.sleep(5))
        cpu, wall, looks = time.process_time(), time.monotonic(), made.pacer.looks
        made.call(asyncio.sleep(seconds))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        looks = made.pacer.looks - looks
        stall = made.call(_stalls(seconds / 2))
        return {
            "labs": count,
            "start_ms": booted / (count - 10) * 1000,
            "core_share": cpu / wall,
            "looks_per_second": looks / wall,
            "megabytes_per_lab": (resident() - before) / (count - 10) / 1e6,
            "longest_stall_ms": stall * 1000,
        }


async def _older(made: Any, seconds: int) -> None:
    """Let all clusters have lived for a while."""
    for hosted in made.runs.values():
        hosted.cluster.clock.run_until(hosted.cluster.clock.now + seconds * 1_000_000)
        hosted.driver.stop()
        hosted.driver.start()
        await asyncio.sleep(0)


def active(count: int, seconds: float, hostile: bool = False) -> dict[str, Any]:
    """Labs in use: a command every ten seconds in each. `hostile`: beside one that spins, floods and watches."""
    with platform(), host() as made:
        runs = start(made, count)
        made.call(_older(made, 300))
        extra = start(made, 1) if hostile else []
        command = [sys.executable, "-m", "bench.hosting", "client", made.url, made.name, str(seconds)]
        command += [str(run) for run in extra]
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert client.stdin is not None
        assert client.stdout is not None
        client.stdin.write(json.dumps([str(run) for run in runs]).encode() + b"\n")
        client.stdin.flush()
        client.stdout.readline()  # it has warmed up
        cpu, wall = time.process_time(), time.monotonic()
        stall = made.call(_stalls(seconds))
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
        answer = json.loads(client.stdout.readline())
        client.wait()
        return {"labs": count, **answer, "core_share": share, "longest_stall_ms": stall * 1000}


def client(url: str, name: str, seconds: float, hostile: str) -> None:
    """Learners, in a process of their own."""
    import django

    django.setup()
    runs = json.loads(sys.stdin.readline())
    asyncio.run(_learners(url, name, runs, seconds, hostile))


async def _learners(url: str, name: str, runs: list[str], seconds: float, hostile: str) -> None:
    from runs.hosting import host_headers
    from runs.upstream import Upstream

    upstream = Upstream()
    took: list[float] = []
    refused = 0
    measuring = asyncio.Event()
    over = asyncio.get_running_loop().time() + WARM + seconds

    async def ask(run: str, method: str, path: str, data: Any = None) -> int:
        target, body = f"/clusters/{run}{path}", json.dumps(data).encode() if data is not None else b""
        headers = [*host_headers(name, method, target, body), (b"content-type", b"application/json")]
        answer = await upstream.request(method, url + target, headers, body)
        async for _ in answer:
            pass
        return answer.status

    async def learner(number: int, run: str) -> None:
        nonlocal refused
        await asyncio.sleep(THINK * random.random())
        count = 0
        while asyncio.get_running_loop().time() < over:
            count += 1
            # What kubectl asks for one command: it reads, then it writes.
            began = time.monotonic()
            pods = await ask(run, "GET", "/api/v1/namespaces/default/pods?limit=500")
            body = {"metadata": {"name": f"m{count}"}, "data": {"a": "b"}}
            made = await ask(run, "POST", MAPS, body)
            if measuring.is_set():
                took.append(time.monotonic() - began)
                refused += (pods, made) != (200, 201)
            await asyncio.sleep(THINK * (0.8 + 0.4 * random.random()))

    async def flood(run: str) -> None:
        await ask(run, "POST", "/apis/apps/v1/namespaces/default/deployments", SPIN)
        large = {"data": {"a": "x" * 200_000}}

        async def one(number: int) -> None:
            while asyncio.get_running_loop().time() < over:
                name = {"metadata": {"name": f"f{number}-{random.randrange(10**9)}"}}
                await ask(run, "POST", MAPS, {**large, **name})
                await ask(run, "GET", "/api/v1/configmaps")

        await asyncio.gather(*(one(number) for number in range(20)))

    tasks = [asyncio.ensure_future(learner(number, run)) for number, run in enumerate(runs)]
    if hostile:
        tasks.append(asyncio.ensure_future(flood(hostile)))
    await asyncio.sleep(WARM)
    measuring.set()
    print("warm", flush=True)
    await asyncio.gather(*tasks)
    print(json.dumps({"commands": len(took), "refused": refused, **ordered(took)}), flush=True)


async def _lived(hosted: Any, entries: int, hours: int) -> None:
    """So many writes over so many virtual hours."""
    from cluster_engine.kube_apiserver import ADMIN, Request

    pause = hours * 3_600_000_000 // entries
    for number in range(entries):
        hosted.cluster.clock.run_until(hosted.cluster.clock.now + pause)
        metadata = {"name": f"m{number % 40}", "labels": {"step": str(number)}}
        body = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}).encode()
        query = [("fieldManager", "bench"), ("force", "true")]
        headers = {"content-type": "application/apply-patch+yaml"}
        path = f"{MAPS}/m{number % 40}"
        answer = await hosted.app.respond(Request("PATCH", path, query, headers, body, ADMIN))
        assert answer.status in (200, 201), answer.body


def resume(entries: int, hours: int, repeats: int) -> dict[str, Any]:
    """A run that sleeps, and one whose host died at the worst moment: until its cluster is up again."""
    with platform(), host() as made:
        from runs.models import Run

        run = start(made, 1)[0]
        hosted = made.runs[run]
        made.call(_lived(hosted, entries, hours))
        asleep: list[float] = []
        for _ in range(repeats):
            if (held := made.runs.get(run)) is not None:
                made.call(made.passivate(held))
            began = time.monotonic()
            made.acquire(run)
            asleep.append(time.monotonic() - began)
        died: list[float] = []
        for _ in range(repeats):
            made.call(made.drop(made.runs[run]))
            began = time.monotonic()
            made.acquire(run)
            died.append(time.monotonic() - began)
        kept = Run.objects.get(pk=run).kept_bytes
        return {
            "entries": entries,
            "virtual_hours": hours,
            "kept_bytes": kept,
            **{f"asleep_{key}": value for key, value in ordered(asleep).items()},
            **{f"died_{key}": value for key, value in ordered(died).items()},
        }


def checks(repeats: int) -> dict[str, Any]:
    """A live lab's checks, one after the other, in the host's processes."""
    with platform(), host() as made:
        runs = start(made, 3)
        made.call(_older(made, 300))
        took = []
        for number in range(repeats):
            hosted = made.runs[runs[number % len(runs)]]
            began = time.monotonic()
            made.call(hosted.grade())
            if number >= repeats // 5:
                took.append(time.monotonic() - began)
        return {"checks": len(took), **ordered(took)}


def grading(count: int, processes: int) -> dict[str, Any]:
    """Submissions graded: claimed, applied, settled, checked, kept; by so many workers."""
    with platform():
        from accounts.models import User
        from grading import services

        from labs.kit import catalog

        lab = catalog.load().lab("declare-a-deployment")
        user = User.objects.create_user("bench", password="bench")
        for _ in range(count):
            services.submit(user, lab, MENDED)
        command = [sys.executable, "-m", "bench.hosting", "worker"]
        with ThreadPoolExecutor(processes) as threads:
            pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            workers = [subprocess.Popen(command, cwd=ROOT, **pipes) for _ in range(processes)]
            for worker in workers:
                assert worker.stdout is not None
                worker.stdout.readline()  # it has booted the lab
            began = time.monotonic()
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write(b"go\n")
                worker.stdin.flush()
            used = sum(threads.map(lambda worker: float(worker.stdout.readline()), workers))
            wall = time.monotonic() - began
            for worker in workers:
                worker.wait()
        from grading.models import Submission

        graded = Submission.objects.filter(state="graded").count()
        return {
            "submissions": count,
            "graded": graded,
            "workers": processes,
            "per_second": graded / wall,
            # By the processor's time: what two cores do, when others are at work here too.
            "per_second_of_two_cores": 2 * graded / used,
        }


def worker() -> None:
    """What a grading worker's process does with tickets, without the broker."""
    import django

    django.setup()
    from grading import queue, services

    from cluster_engine.memory import relax_collector

    services._booted("declare-a-deployment").fork()
    relax_collector()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    while (submission := queue.claim()) is not None:
        services.grade(submission)
    print(time.process_time() - began, flush=True)


MEASURES = {
    "idle": lambda arguments: idle(int(arguments[0]), float(arguments[1])),
    "active": lambda arguments: active(int(arguments[0]), float(arguments[1]), "hostile" in arguments),
    "resume": lambda arguments: resume(int(arguments[0]), int(arguments[1]), int(arguments[2])),
    "checks": lambda arguments: checks(int(arguments[0])),
    "grading": lambda arguments: grading(int(arguments[0]), int(arguments[1])),
}


def main() -> None:
    name, *arguments = sys.argv[1:]
    if name == "client":
        client(arguments[0], arguments[1], float(arguments[2]), arguments[3] if len(arguments) > 3 else "")
    elif name == "worker":
        worker()
    else:
        print(json.dumps(MEASURES[name](arguments)), flush=True)
        # The host's threads have nothing to say any more.
        os._exit(0)


if __name__ == "__main__":
    main()
