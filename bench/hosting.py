"""One engine host with many labs. Run as a process of its own: one line of JSON.

The host lives in this process, with a database and a Redis of its own in a temporary folder; who asks it things is
another process (`bench.visitors`), so that neither waits for the other's interpreter.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import uvloop

from bench.stalls import Stalls
from bench.steps import Steps
from bench.visitors import MAPS, ordered
from cluster_engine.memory import die_with_parent, one_arena, relax_collector

ROOT = Path(__file__).resolve().parent.parent
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
POINTED = 0.5
"""Seconds from pointing at a block's button to the click."""
OLD = 600
"""Virtual seconds after which a cluster's probes are steady, and what it remembers has its size."""
TABS_REST = 6.0
"""Seconds in which no more labs begin to doze, after which those with a tab are taken to have come to rest."""
CHECKED = (
    "explore-the-components",
    "journey-of-a-pod",
    "log-agent-everywhere",
    "nobody-answers",
    "declare-a-deployment",
)
"""The labs whose checks are measured: two that look, three that act on copies."""


@contextmanager
def platform() -> Iterator[None]:
    """Django with an empty database and an empty Redis."""
    with tempfile.TemporaryDirectory(prefix="drydock-bench-") as folder:
        socket = Path(folder, "redis.sock")
        program = Path(sys.executable).parent / "redis-server"
        command = [str(program), "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=die_with_parent)
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

    one_arena()
    relax_collector(whole=False)
    made = EngineHost()
    made.start()
    try:
        yield made
    finally:
        made.writer.stop()


def start(made: Any, count: int, slugs: tuple[str, ...] = ()) -> list[uuid.UUID]:
    """So many labs, each of its own guest: of these, or of the course in its order."""
    from accounts.models import User
    from runs.models import Run

    from labs.kit import catalog

    course = catalog.load()
    labs = [course.lab(slug) for slug in slugs] or course.labs
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


@contextmanager
def booted_once() -> Iterator[None]:
    """A lab is booted once and lives for ten minutes; each run begins as a copy of that, without its first keyframe:
    thousands at once keep the packers busy for minutes."""
    from runs.host import building
    from runs.host.framing import Framing

    boot, frame, known = building.runner.boot, Framing.start, dict[str, Any]()

    def copied(lab: Any, **how: Any) -> Any:
        if lab.slug not in known:
            known[lab.slug] = boot(lab, **how)
            known[lab.slug].advance(OLD)
        return known[lab.slug].fork()

    building.runner.boot, Framing.start = copied, lambda _framing: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        building.runner.boot, Framing.start = boot, frame  # type: ignore[method-assign]


def idle(count: int, seconds: float, each: bool = False) -> dict[str, Any]:
    """Labs that nobody looks at: what they cost while they are resident.

    `each`: all are booted and live for ten minutes by themselves, which takes 0.15 s of the processor's time a lab, and
    shows what a lab takes of memory. Else most are copies of one that did (`booted_once`): 2,000 take a minute, and
    share what no minute of life changes.
    """
    with platform(), host() as made, nullcontext() if each else booted_once():
        from runs.host import resting
        from runs.host.resting import DOZE_SECONDS

        from cluster_engine.memory import give_back

        resting.HOLD_SECONDS = math.inf
        start(made, 10)
        before, began = resident(), time.monotonic()
        start(made, count - 10)
        booted = time.monotonic() - began
        # A cluster's probes are steady after two minutes: with all of them at once, that takes a while.
        made.call(_older(made, OLD if each else OLD // 10))
        made.call(
            asyncio.sleep(DOZE_SECONDS + 5)
        )  # and its time is worked out until nobody has looked for a while
        cpu, wall, looks = time.process_time(), time.monotonic(), made.pacer.looks
        made.call(asyncio.sleep(seconds))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        looks = made.pacer.looks - looks
        give_back()  # as the host does once in ten minutes while nobody is connected
        stalls = made.call(Stalls().watch(seconds / 2))
        return {
            "labs": count,
            "booted": "each" if each else "once a lab",
            "start_ms": booted / (count - 10) * 1000,
            "core_share": cpu / wall,
            "looks_per_second": looks / wall,
            "megabytes_per_lab": (resident() - before) / (count - 10) / 1e6,
            **stalls,
        }


def dozing(count: int) -> dict[str, Any]:
    """Labs that nobody has used for a while, as they come over a day: the last ten doze when ten more come.

    What they take of memory, and how long it takes to wake one.
    """
    with platform(), host() as made:
        from runs.host import hosted, resting, upkeep

        resting.HOLD_SECONDS, resting.DOZE_SECONDS, hosted.RELEASE_SECONDS = 1.0, 0.5, 0.1
        upkeep.JANITOR_SECONDS = 0.2
        runs: list[uuid.UUID] = []
        before = 0
        while len(runs) < count:
            runs += start(made, 10)
            made.call(_older(made, 600))
            while made.runs:
                made.call(asyncio.sleep(0.1))
            if len(runs) == 20:
                before = resident()
        held = (resident() - before) / (count - 20) / 1e6
        took = []
        for run in runs:
            began = time.monotonic()
            assert made.call(made.awake(run)) is not None
            took.append(time.monotonic() - began)
        return {
            "labs": count,
            "megabytes_per_lab": held,
            **{f"wake_{k}": v for k, v in ordered(took).items()},
        }


def tabs(count: int, seconds: float) -> dict[str, Any]:
    """Idle labs, each with an open tab that follows all that it can, and a terminal at its prompt.

    As they come over a day: nobody acts in the last ten any more when ten more come. What they take of
    memory and of the processor, that of their checks included, and what their tabs are told.
    """
    with platform(), host() as made:
        from runs.host import hosted, resting, upkeep

        resting.HOLD_SECONDS, resting.DOZE_SECONDS, hosted.RELEASE_SECONDS = 2.0, 0.5, 0.1
        upkeep.JANITOR_SECONDS = 0.2
        clients: list[subprocess.Popen[bytes]] = []
        before = 0
        while len(clients) < count // 10:
            runs = start(made, 10)
            made.call(_older(made, OLD))
            browsers = _client("browsers", made, seconds, *runs)
            assert browsers.stdout is not None
            browsers.stdout.readline()  # all are open
            clients.append(browsers)
            made.call(_until_few_are_awake(made))
            if len(clients) == 2:
                before = resident()
        held = (resident() - before) / (count - 20) / 1e6
        awake, cpu, wall = 0, _spent(), time.monotonic()
        for _ in range(10):
            made.call(asyncio.sleep(seconds / 10))
            awake += len(made.runs)
        share = (_spent() - cpu) / (time.monotonic() - wall)
        told: Counter[str] = Counter()
        for client in clients:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.close()
            told.update(json.loads(client.stdout.readline()))
        return {
            "labs": count, "megabytes_per_lab": held, "core_share": share, "awake": awake / 10, **told
        }  # fmt: skip


async def _until_few_are_awake(made: Any) -> None:
    """Until those doze that do, TABS_REST seconds at most: some have something due all the time."""
    end = time.monotonic() + TABS_REST
    awake = len(made.runs) + 1
    while made.runs and time.monotonic() < end:
        if len(made.runs) < awake:
            awake, end = len(made.runs), time.monotonic() + TABS_REST
        await asyncio.sleep(0.2)


async def _older(made: Any, seconds: int) -> None:
    """Let all clusters have lived for a while."""
    for hosted in list(made.runs.values()):
        if hosted.closed:
            continue  # it dozes by now
        hosted.cluster.clock.run_until(hosted.cluster.clock.now + seconds * 1_000_000)
        hosted.driver.stop()
        hosted.driver.start()
        await asyncio.sleep(0)


def active(count: int, seconds: float, hostile: bool = False, by_step: bool = False) -> dict[str, Any]:
    """Labs in use: a command every ten seconds in each. `hostile`: beside one that spins, floods and watches.

    `by_step`: it is told what the loop's longest steps were about, on Python's own loop.
    """
    if by_step:
        uvloop.new_event_loop = asyncio.new_event_loop
    with platform(), host() as made:
        runs = start(made, count)
        made.call(_older(made, 300))
        extra = start(made, 1) if hostile else []
        rude = [_client("flood", made, seconds, run) for run in extra]
        good = _client("client", made, seconds, *runs)
        assert good.stdout is not None
        good.stdout.readline()  # it has warmed up
        cpu, wall = time.process_time(), time.monotonic()
        if by_step:
            with Steps(made.call(_thread())) as steps:
                made.call(asyncio.sleep(seconds))
            stalls = steps.report()
        else:
            stalls = made.call(Stalls().watch(seconds))
        share = (time.process_time() - cpu) / (time.monotonic() - wall)
        answer = json.loads(good.stdout.readline())
        for process in (good, *rude):
            process.wait()
        return {"labs": count, **answer, "core_share": share, **stalls}


async def _thread() -> int:
    return threading.get_ident()


def _client(name: str, made: Any, seconds: float, *runs: uuid.UUID) -> subprocess.Popen[bytes]:
    """A process that asks the host things: `client` (learners) or `flood`."""
    command = [sys.executable, "-m", "bench.visitors", name, made.url, made.name, str(seconds)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, preexec_fn=die_with_parent, **pipes)
    assert process.stdin is not None
    process.stdin.write(json.dumps([str(run) for run in runs]).encode() + b"\n")
    process.stdin.flush()
    return process


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
    """Until the cluster is up: of a run whose host died after its last keyframe, and of one that sleeps."""
    with platform(), host() as made:
        from runs.models import Run

        run = start(made, 1)[0]
        hosted = made.runs[run]
        made.call(_lived(hosted, entries, hours))
        died: list[float] = []
        for _ in range(repeats):
            made.call(made.drop(made.runs[run]))
            began = time.monotonic()
            made.acquire(run)
            died.append(time.monotonic() - began)
        asleep: list[float] = []
        for _ in range(repeats):
            if (held := made.runs.get(run)) is not None:
                made.call(made.passivate(held))
            began = time.monotonic()
            made.acquire(run)
            asleep.append(time.monotonic() - began)
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
        runs = start(made, len(CHECKED), CHECKED)
        made.call(_older(made, 300))
        took = []
        for number in range(repeats):
            hosted = made.runs[runs[number % len(runs)]]
            began = time.monotonic()
            made.call(hosted.grade())
            if number >= repeats // 5:
                took.append(time.monotonic() - began)
        return {"checks": len(took), **ordered(took)}


def lessons(repeats: int) -> dict[str, Any]:
    """The first block of each lesson, from the click on: its cluster is started, the block runs in a terminal.

    `p50_ms` … are until its first line; `end` until its last; `ready` as the first, where the reader had pointed at the
    button before. `cpu_ms` is the median of the processor's time for all of it, the programs' included.
    """
    with platform(), host() as made:
        from accounts.models import User
        from runs.models import Run

        from labs.kit import blocks, catalog

        opened, ended, spent = list[float](), list[float](), list[float]()
        answered: dict[bool, list[float]] = {False: [], True: []}

        def one(lesson: Any, pointed: bool, counts: bool) -> None:
            slug, first = blocks.PREFIX + lesson.slug, next(b for b in blocks.of(lesson) if b.script)
            run = Run.objects.create(
                user=User.objects.create_guest(), lab_slug=slug, seed=1, start="2026-01-01T00:00:00Z"
            )
            lines: list[float] = []
            if pointed:
                made.acquire(run.pk)
                made.call(made.runs[run.pk].be_ready())
                time.sleep(POINTED)
            began, cpu = time.monotonic(), _spent()
            made.acquire(run.pk)
            there = time.monotonic()
            told = made.call(
                made.runs[run.pk].run_block(
                    {"block": first.number}, lambda _line: lines.append(time.monotonic() - began)
                )
            )
            assert told["ran"][-1]["status"] == 0, told
            if counts:
                answered[pointed].append(lines[0] if lines else time.monotonic() - began)
            if counts and not pointed:
                opened.append(there - began)
                ended.append(time.monotonic() - began)
                spent.append(_spent() - cpu)
            made.call(made.drop(made.runs[run.pk]))

        for number in range(-1, repeats):
            for lesson in catalog.load().lessons:
                for pointed in (False, True):
                    one(lesson, pointed, counts=number >= 0)  # the first round warms what is made once
        return {
            "lessons": len(ended), "open_p50": statistics.median(opened), **ordered(answered[False]),
            "end": ordered(ended), "ready": ordered(answered[True]),
            "cpu_ms": statistics.median(spent) * 1000,
        }  # fmt: skip


def _spent() -> float:
    """Seconds of the processor's time that this process and its children have had."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


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

    from labs.kit.lab import DEFAULT_SEED

    services._booted("declare-a-deployment", DEFAULT_SEED).fork()
    relax_collector()
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    while (submission := queue.claim()) is not None:
        services.grade(submission)
    print(time.process_time() - began, flush=True)


MEASURES = {
    "idle": lambda arguments: idle(int(arguments[0]), float(arguments[1]), "each" in arguments),
    "dozing": lambda arguments: dozing(int(arguments[0])),
    "tabs": lambda arguments: tabs(int(arguments[0]), float(arguments[1])),
    "active": lambda arguments: active(
        int(arguments[0]), float(arguments[1]), "hostile" in arguments, "steps" in arguments
    ),
    "resume": lambda arguments: resume(int(arguments[0]), int(arguments[1]), int(arguments[2])),
    "checks": lambda arguments: checks(int(arguments[0])),
    "lessons": lambda arguments: lessons(int(arguments[0])),
    "grading": lambda arguments: grading(int(arguments[0]), int(arguments[1])),
}


def main() -> None:
    name, *arguments = sys.argv[1:]
    if name == "worker":
        worker()
    else:
        print(json.dumps(MEASURES[name](arguments)), flush=True)
        # The host's threads have nothing to say any more.
        os._exit(0)


if __name__ == "__main__":
    main()
