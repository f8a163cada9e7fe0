"""``python -m bench NAME --json``: one line of JSON per result."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.apiserver import compared
from bench.peers import PeerMissing, webernetes

ROOT = Path(__file__).resolve().parent.parent
CORE = 0
NODES = 20

Result = dict[str, Any]


def engine(*arguments: str, module: str = "bench.engine") -> Result:
    """One measurement of the engine in a fresh process on one core."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "random"},
        preexec_fn=lambda: os.sched_setaffinity(0, {CORE}),
    )
    result: Result = json.loads(done.stdout)
    return result


def median(results: list[Result], key: str) -> float:
    return statistics.median(result[key] for result in results)


def rounded(result: Result) -> Result:
    return {key: round(value, 4) if isinstance(value, float) else value for key, value in result.items()}


def boot(options: argparse.Namespace) -> Iterator[Result]:
    """A cluster of three nodes until its system Pods are Ready."""
    ours = [engine("boot") for _ in range(options.runs)]
    result: Result = {"bench": "boot", "nodes": 3, "runs": options.runs, "pods": ours[0]["pods"]}
    for key in ours[0]:
        if key.endswith("seconds"):
            result[key] = median(ours, key)
    if not options.no_peer:
        theirs = [webernetes("boot", core=CORE) for _ in range(options.runs)]
        result["webernetes_cpu_seconds"] = median(theirs, "cpu_seconds")
        result["webernetes_wall_seconds"] = median(theirs, "wall_seconds")
        result["wall_ratio"] = result["webernetes_wall_seconds"] / result["boot_wall_seconds"]
    yield result


def scale(options: argparse.Namespace) -> Iterator[Result]:
    """Deployments until all Pods are Ready, events and all, on one core."""
    for count in options.sizes:
        runs = options.runs if count < 1000 else 1
        extra = ["--profile"] if options.profile else []
        ours = [engine("scale", str(count), str(NODES), *extra) for _ in range(runs)]
        wall = median(ours, "wall_seconds")
        result: Result = {
            "bench": "scale",
            "pods": count,
            "nodes": NODES,
            "runs": runs,
            "wall_seconds": wall,
            "cpu_seconds": median(ours, "cpu_seconds"),
            "pods_per_second": count / wall,
            "microseconds_per_pod": wall / count * 1e6,
            "events": ours[0]["events"],
        }
        if not options.no_peer:
            theirs = [webernetes("scale", str(count), str(NODES), core=CORE) for _ in range(runs)]
            result["webernetes_wall_seconds"] = median(theirs, "wall_seconds")
            result["webernetes_pods_per_second"] = count / result["webernetes_wall_seconds"]
            result["wall_ratio"] = result["webernetes_wall_seconds"] / wall
        yield result


def scheduler(options: argparse.Namespace) -> Iterator[Result]:
    """The scheduler alone: Pods that fit, Pods that do not, and the longest time that it holds the loop."""
    for count in options.sizes:
        ours = [engine("scheduler", str(count), str(NODES)) for _ in range(options.runs)]
        result: Result = {"bench": "scheduler", "pods": count, "nodes": NODES, "runs": options.runs}
        yield result | {key: median(ours, key) for key in ours[0]}


def shell(options: argparse.Namespace) -> Iterator[Result]:
    """The ten scripts of the prototype that the machine was built after, an hour of bombs, saving and forking."""
    yield {"bench": "shell", "runs": options.runs, **engine("shell", str(options.runs))}


def of_state(name: str, *sizes: int) -> Callable[[argparse.Namespace], Iterator[Result]]:
    """What a cluster's state costs (bench/state.py), at these sizes."""
    return lambda _options: ({"bench": name, **engine(name, str(n), module="bench.state")} for n in sizes)


def network(options: argparse.Namespace) -> Iterator[Result]:
    """Requests from machine to machine; and through a whole cluster: to a Pod's address, to a Service by name."""
    yield {"bench": "network", "target": "machine", "clients": 1, "requests": 200, **engine("wire", "200")}
    for target, clients in (("pod", 1), ("pod", 20), ("service", 1), ("service", 20)):
        ours = [engine("network", str(clients), "200", target) for _ in range(options.runs)]
        result: Result = {"bench": "network", "target": target, "clients": clients, "requests": 200}
        yield result | {"runs": options.runs, **{key: median(ours, key) for key in ours[0]}}
    yield {
        "bench": "network",
        "target": "looping",
        "pods": 100,
        "minutes": 60,
        **engine("looping", "100", "60"),
    }


def life(options: argparse.Namespace) -> Iterator[Result]:
    """Looping Pods for a virtual day: a fork costs what it cost at the start."""
    result: Result = {"bench": "life", "pods": 20, "hours": 24, "runs": 1}
    yield result | engine("life", "20", "24")


def files(options: argparse.Namespace) -> Iterator[Result]:
    """What a change of a file tree costs."""
    yield {"bench": "files", "runs": options.runs, **engine("files", str(options.runs))}


def hosting(*arguments: object, module: str = "bench.hosting") -> Result:
    """One measurement of an engine host, on all processors; its numbers in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"},
    )
    result: Result = json.loads(done.stdout)
    return result


def labs(options: argparse.Namespace) -> Iterator[Result]:
    """Idle residents (awake, dozing, with tabs), active learners, a hostile one beside fifty, a run that comes back."""
    yield {"bench": "labs", "case": "idle", **hosting("idle", 2000, 30)}
    yield {"bench": "labs", "case": "dozing", **hosting("dozing", 220)}
    yield {"bench": "labs", "case": "tabs", **hosting("tabs", 110, 30)}
    yield {"bench": "labs", "case": "active", **hosting("active", 300, 60)}
    alone = hosting("active", 50, 60)
    beside = hosting("active", 50, 60, "hostile")
    ratio = beside["p99_ms"] / alone["p99_ms"]
    yield {"bench": "labs", "case": "50 alone", **alone}
    yield {"bench": "labs", "case": "50 beside a hostile one", **beside, "p99_ratio": ratio}
    yield {"bench": "labs", "case": "resume", **hosting("resume", 5000, 10, 20)}


def grading(options: argparse.Namespace) -> Iterator[Result]:
    """Submissions over the API, from the queue to the grade."""
    yield {"bench": "grading", **hosting("grading", 400, 2)}


def checks(options: argparse.Namespace) -> Iterator[Result]:
    """The checks of live labs."""
    yield {"bench": "checks", **hosting("checks", 100)}


def lessons(options: argparse.Namespace) -> Iterator[Result]:
    """How long a lesson's first block takes, the start of its cluster included."""
    yield {"bench": "lessons", **hosting("lessons", options.runs)}


def time(options: argparse.Namespace) -> Iterator[Result]:
    """Random moments of a run of 500 entries and ten hours, had again and gone on from; a what-if of a minute."""
    measured = hosting(500, 10, 60, module="bench.rewind")
    cases = ("rewind", "scrub", "whatif", "branch", "step")
    rewind, scrub, whatif, branch, step = (measured.pop(case) for case in cases)
    yield {"bench": "time", "case": "rewind", **measured, **rewind}
    yield {"bench": "time", "case": "scrub", **scrub}
    yield {"bench": "time", "case": "whatif", **whatif}
    yield {"bench": "time", "case": "branch", **branch}
    yield {"bench": "time", "case": "step", **step}


def cel(options: argparse.Namespace) -> Iterator[Result]:
    """Rules in CEL: what compiling one costs, how many evaluations a core makes a second."""
    yield {"bench": "cel", "runs": options.runs, **engine("cel", str(options.runs))}


def smoothness(options: argparse.Namespace) -> Iterator[Result]:
    """How smooth the workspace's map is (bench/picture.py)."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.picture"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    for line in done.stdout.splitlines():
        yield {"bench": "map", **json.loads(line)}


def apiserver(_options: argparse.Namespace) -> Iterator[Result]:
    """Requests over HTTP beside etcd and kmock (bench/apiserver.py)."""
    for figures in compared():
        yield {"bench": "apiserver", **figures}


BENCHES: dict[str, Callable[[argparse.Namespace], Iterator[Result]]] = {
    "boot": boot,
    "apiserver": apiserver,
    "scale": scale,
    "scheduler": scheduler,
    "shell": shell,
    "fork": of_state("fork", 10, 1000),
    "idle": of_state("idle", 20),
    "recovery": of_state("recovery", 200),
    "network": network,
    "life": life,
    "files": files,
    "labs": labs,
    "grading": grading,
    "checks": checks,
    "lessons": lessons,
    "cel": cel,
    "map": smoothness,
    "time": time,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=[*BENCHES, "all"])
    parser.add_argument(
        "--json", action="store_true", help="one line of JSON per result (the only form there is)"
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--sizes", type=lambda text: [int(size) for size in text.split(",")], default=[100, 300, 1000]
    )
    parser.add_argument("--no-peer", action="store_true", help="without webernetes")
    parser.add_argument("--profile", action="store_true", help="the hottest functions, on standard error")
    options = parser.parse_args()
    machine = {"python": platform.python_version(), "cores": os.cpu_count(), "core": CORE}
    for name in BENCHES if options.name == "all" else [options.name]:
        try:
            for result in BENCHES[name](options):
                print(json.dumps(rounded({**result, **machine})), flush=True)
        except PeerMissing as error:
            print(f"bench: {error}; --no-peer measures the engine alone", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
