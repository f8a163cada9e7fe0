"""The tables of one machine: who owns which record, what is ready, what is due.

All of it is JSON: dicts with string keys, lists, strings, integers. A snapshot gives the tables out and forgets
what it *owned*; the first touch of a record afterwards copies it (one level deep), and then it is changed in place.
Whatever lies deeper in a record is replaced, never changed.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from hashlib import blake2b
from typing import Any, Protocol

from cluster_engine.linux import bandwidth
from cluster_engine.linux.files import Credentials, Files, Storage
from cluster_engine.linux.limits import (
    CODES,
    FIRST_PERIOD,
    LAST_PERIOD,
    RECOVERY,
    SLICE,
    Limits,
)
from cluster_engine.linux.program import Program

Record = dict[str, Any]
Code = list[list[Any]]

VERSION = 1
"""Of the shape of a machine's state."""

REMEMBERED = 64
"""Programs whose places a machine remembers."""
TABLES = ("procs", "io", "ttys", "sessions", "roots", "namespaces", "codes", "ports", "calls", "bandwidth")


class MachineHost(Protocol):
    """What lies outside the machine. Its methods only note what is asked: nothing comes back inside a call."""

    def faulted(self, program: str, error: Exception) -> bool:
        """A program has a bug: its process dies, the others go on. False: let the exception through instead."""

    def out_of_memory(self, root: str) -> None:
        """A container has more memory than it may: all its processes are killed."""

    def others(self, namespace: str) -> list[dict[str, Any]]:
        """Processes of other machines that this pid namespace sees beside its own, as ``Sys.processes`` has them."""

    def wake(self, due: int | None) -> None:
        """The machine wants to run at this time (µs), None: not before something happens."""

    def exited(self, process: int, status: int) -> None:
        """A process that the host spawned has ended (128 + n: by signal n)."""

    def log(self, tag: str, stream: str, text: str) -> None: ...

    def output(self, session: str, fd: int, text: str) -> None: ...

    def ended(self, session: str, status: int) -> None: ...

    def call(self, call: str, name: str, args: Any) -> None: ...

    def tell(self, call: str, data: Any) -> None:
        """More for a call that is not answered yet."""

    def drop(self, call: str) -> None:
        """Who made this call has ended: nobody waits for its answer."""

    def resolve(self, call: str, root: str, name: str) -> None: ...

    def connect(self, sock: str, ip: str, port: int) -> None: ...

    def send(self, sock: str, text: str) -> None: ...

    def shutdown(self, sock: str) -> None: ...

    def close(self, sock: str) -> None:
        """Nothing more is written or read."""

    def took(self, sock: str, count: int) -> None: ...

    def datagram(self, port: int, ip: str, to_port: int, data: str) -> None: ...


class Kernel:
    """Tables and their owner; the parts of the machine are functions on it."""

    def __init__(
        self,
        hostname: str,
        host: MachineHost,
        programs: Callable[[str], Program | None],
        limits: Limits,
        storage: Storage,
    ) -> None:
        self.host = host
        self.programs = programs
        self.limits = limits
        self.storage = storage
        self.acts = 0
        """Counts what a process does to its surroundings: a spinner that does nothing can be parked."""
        self.top: Record = {
            "version": VERSION,
            "hostname": hostname,
            "now": 0,
            "next": 1,
            "chance": 0,
            "ready": [],
            "timers": [],
            "totals": {"output": 0, "started": 0, "steps": 0, "held": 0},
            "used": {},
            **{table: {} for table in TABLES},
        }
        self._mine = True
        self._owned: set[str] = set()
        self._owned_io: set[str] = set()
        self._programs: dict[tuple[str, int, str], tuple[Record, Record, Program]] = {}
        self._alias()

    def _alias(self) -> None:
        top = self.top
        self.procs: dict[str, Record] = top["procs"]
        self.io: dict[str, Record] = top["io"]
        self.ready: list[str] = top["ready"]
        self.timers: list[list[Any]] = top["timers"]
        self.codes: dict[str, Code] = top["codes"]
        self.now: int = top["now"]
        self.confined: dict[str, int] = {n: row["memory"] for n, row in top["roots"].items() if row["memory"]}
        """Bytes of memory of the roots that have a limit."""
        self.bandwidth: dict[str, bandwidth.Row] = top["bandwidth"]

    # --- snapshots ------------------------------------------------------------------------------

    def give_out(self) -> Record:
        """The whole state, by reference; from now on nothing in it is changed."""
        self._disown()
        return self.top

    def take_over(self, state: Record) -> None:
        """Go on from a state that was given out, by this or another machine."""
        self.top = state
        self._disown()
        self._alias()

    def _disown(self) -> None:
        self._mine = False
        self._owned, self._owned_io = set(), set()

    @property
    def given_out(self) -> bool:
        """Has nothing been changed since the last snapshot?"""
        return not self._mine

    def touch(self) -> None:
        """Own the tables; call it before anything is changed."""
        if self._mine:
            return
        self.top = {
            key: value.copy() if type(value) in _SHALLOW else value for key, value in self.top.items()
        }
        self._mine = True
        now = self.now
        self._alias()
        self.now = now

    def process(self, key: str) -> Record:
        """A process's record, to be changed."""
        if key in self._owned:
            return self.procs[key]
        record = self.procs[key] = copied_process(self.procs[key])
        self._owned.add(key)
        return record

    def add_process(self, key: str, record: Record) -> None:
        """A new record, which nobody else has."""
        self.procs[key] = record
        self._owned.add(key)

    def forget(self, key: str) -> None:
        """A process is gone for good."""
        self.procs.pop(key, None)
        self._owned.discard(key)

    def drop_stream(self, key: str) -> None:
        """A pipe, socket or buffer is gone for good."""
        self.io.pop(key, None)
        self._owned_io.discard(key)

    def stream(self, key: str) -> Record:
        """A pipe, socket or buffer, to be changed."""
        if key in self._owned_io:
            return self.io[key]
        record = self.io[key] = copied(self.io[key])
        self._owned_io.add(key)
        return record

    def add_stream(self, record: Record) -> str:
        key = self.fresh()
        self.io[key] = record
        self._owned_io.add(key)
        return key

    def entry(self, table: str, key: str) -> Record:
        """A record of one of the small tables, to be changed."""
        mark = f"{table}/{key}"
        records: dict[str, Record] = self.top[table]
        if mark not in self._owned:
            records[key] = copied(records[key])
            self._owned.add(mark)
        return records[key]

    def fresh(self) -> str:
        """A number that nothing else of this machine has."""
        number: int = self.top["next"]
        self.top["next"] = number + 1
        return str(number)

    # --- waiting and waking ---------------------------------------------------------------------

    def wake(self, key: str, *, force: bool = False, outside: bool = False) -> None:
        """A process that waits may look again. One that is held for its processor time stays held (but for ``force``).

        ``outside``: it waited for the clock or for the world, and has saved up processor time meanwhile. Waiting for
        another process saves nothing: a child gives back what it has left when it ends.
        """
        record = self.procs.get(key)
        if record is None or record["state"] != "S" or (record["held"] and not force):
            return
        record = self.process(key)
        record["state"] = "R"
        if record["held"]:
            self.set_held(record, False)
            record["woken"] = "held"
            self.timers[:] = [each for each in self.timers if each[2] != key or each[3] != "held"]
            self.ready.append(key)
            return
        record["woken"] = "outside" if outside else ""
        self.ready.append(key)

    def save_up(self, record: Record) -> None:
        """What a process has saved up while it waited for the clock or the world (or used, while it was held)."""
        waited, why = self.now - record["since"], record["woken"]
        record["woken"] = ""
        if why == "held":
            self._meter(record, waited)
            return
        burst = self.limits.burst if not self.bandwidth else self.burst(record)
        tokens = record["tokens"] + waited // RECOVERY
        record["tokens"] = tokens if tokens < burst else burst
        if tokens > burst // 2:
            record["period"] = 0

    def wake_all(self, keys: list[str], *, outside: bool = False) -> None:
        for key in keys:
            self.wake(key, outside=outside)

    def sleep(self, record: Record) -> None:
        """The process waits (for what, its own fields say)."""
        record["state"] = "S"
        record["since"] = self.now

    def hold(self, record: Record) -> None:
        """A process without savings waits for its share; longer each time."""
        period = min(LAST_PERIOD, record["period"] * 2 or FIRST_PERIOD)
        record["period"] = period
        record["state"] = "S"
        self.set_held(record, True)
        record["since"] = self.now
        self.timer(record["id"], period, "held")

    def grant(self, key: str, steps: int) -> None:
        """A process may work at once for at least so many steps: its user waits."""
        if key not in self.procs or self.procs[key]["tokens"] >= steps:
            return
        record = self.process(key)
        record["tokens"], record["period"] = steps, 0
        if record["held"]:
            self.wake(key, force=True)
            record["woken"] = ""

    def set_held(self, record: Record, held: bool) -> None:
        """Whether a process waits for processor time; how many do is counted."""
        if record["held"] != held:
            record["held"] = held
            self.top["totals"]["held"] += 1 if held else -1

    def timer(self, process: str, after: int, what: str) -> int:
        """Something is due for a process; the timer's number."""
        number: int = self.top["next"]
        self.top["next"] = number + 1
        insort(self.timers, [self.now + after if after > 0 else self.now, number, process, what])
        return number

    def drop_timers(self, process: str) -> None:
        """Forget what was due for a process."""
        self.timers[:] = [each for each in self.timers if each[2] != process]

    def relieve(self, record: Record) -> None:
        """The share that a process without savings waited for has come."""
        row = self.bandwidth.get(record["who"]["root"])
        steps = SLICE if row is None else bandwidth.share(row, SLICE, 1)
        record["tokens"] = max(1, steps // max(1, self.top["totals"]["held"]))
        self._meter(record, self.now - record["since"])
        if record["state"] == "S":
            record["state"] = "R"
            self.ready.append(record["id"])
        self.set_held(record, False)

    # --- limits of processor time ---------------------------------------------------------------

    def burst(self, record: Record) -> int:
        """Steps that a process may have saved up."""
        row = self.bandwidth.get(record["who"]["root"])
        return self.limits.burst if row is None else min(self.limits.burst, row["millis"] * bandwidth.SAVED)

    def admit(self, record: Record) -> bool:
        """May a process begin a turn? One whose container has used up this period waits for the next one."""
        root = record["who"]["root"]
        if root not in self.bandwidth:
            return True
        row = self.entry("bandwidth", root)
        bandwidth.renew(row, self.now)
        if not bandwidth.exhausted(row):
            return True
        if not row["queue"]:
            self.timer(root, bandwidth.stop(row, self.now) - self.now, "period")
        row["queue"].append(record["id"])
        return False

    def charge(self, record: Record, steps: int) -> None:
        """A turn is over that took so many steps of its container's period."""
        root = record["who"]["root"]
        if root in self.bandwidth:
            self.entry("bandwidth", root)["used"] += steps

    def spend(self, record: Record, microseconds: int, over: int) -> None:
        """Processor time that a program says it has used; what it has saved up is not touched."""
        row = self.bandwidth.get(record["who"]["root"])
        if row is not None and over:
            microseconds = min(microseconds, over * int(row["millis"]) // 1_000)
        record["cpu"] += microseconds
        if not over:
            self.charge(record, microseconds)

    def next_period(self, root: str) -> None:
        """A container's next period begins: who waited for it goes on."""
        if root in self.bandwidth:
            row = self.entry("bandwidth", root)
            waiting, row["queue"] = row["queue"], []
            self.ready += [key for key in waiting if key in self.procs and self.procs[key]["state"] == "R"]

    def meter_held(self, root: str) -> None:
        """What the container's processes without savings have used until now is counted."""
        for key in [k for k, each in self.procs.items() if each["held"] and each["who"]["root"] == root]:
            record = self.process(key)
            self._meter(record, self.now - record["since"])
            record["since"] = self.now

    def release(self, root: str) -> None:
        """The container has no limit of processor time any more."""
        if root in self.bandwidth:
            self.next_period(root)
            del self.bandwidth[root]

    def computed(self, record: Record, waited: int) -> int:
        """µs of processor time that a process without savings has used in so many: all that it may."""
        root = record["who"]["root"]
        row = self.bandwidth.get(root)
        if row is None:
            return waited
        rivals = [each for each in self.procs.values() if each["held"] and each["who"]["root"] == root]
        return bandwidth.share(row, waited, max(1, len(rivals)))

    def _meter(self, record: Record, waited: int) -> None:
        record["cpu"] += self.computed(record, waited)
        root = record["who"]["root"]
        if root in self.bandwidth:
            bandwidth.renew(self.entry("bandwidth", root), self.now, busy=True)

    def due(self) -> int | None:
        """When the machine wants to run next."""
        if self.ready:
            return self.now
        return self.timers[0][0] if self.timers else None

    # --- what several parts need ----------------------------------------------------------------

    def files(self, record: Record) -> Files:
        """The files as a process may reach them."""
        who = record["who"]
        return Files(
            self.storage,
            who["root"],
            Credentials(who["uid"], who["gid"], tuple(who["groups"])),
            cwd=record["cwd"],
            umask=record["umask"],
            now=self.now,
        )

    def remember(self, record: Record, path: str, program: Program) -> None:
        """A program was found at an absolute path: look no further until the root's files change.

        A cache, never state.
        """
        view = self.storage.roots[record["who"]["root"]]
        if not path.startswith("/") or any(path.startswith(at) for at in view["mounts"]):
            return
        if len(self._programs) >= REMEMBERED:
            self._programs.clear()
        self._programs[(record["who"]["root"], record["who"]["uid"], path)] = (
            view,
            self.storage.volumes[view["volume"]]["tree"],
            program,
        )

    def remembered(self, record: Record, path: str) -> Program | None:
        """The program that was found there, if nothing has changed since."""
        who = record["who"]
        known = self._programs.get((who["root"], who["uid"], path))
        if known is None:
            return None
        view, tree, program = known
        if (
            self.storage.roots.get(who["root"]) is view
            and self.storage.volumes[view["volume"]]["tree"] is tree
        ):
            return program
        return None

    def chance(self) -> int:
        """32 bits of chance, a sequence of the machine's own (for ``$RANDOM`` and /dev/urandom)."""
        seed = self.top["chance"]
        if not seed:
            seed = int.from_bytes(blake2b(self.top["hostname"].encode(), digest_size=6).digest(), "big")
        self.top["chance"] = (seed * 25214903917 + 11) % (1 << 48)
        return int(self.top["chance"] >> 16)

    def keep_code(self, digest: str, code: Code) -> None:
        """Compiled code, kept by digest for as long as something refers to it."""
        if digest in self.codes:
            return
        if len(self.codes) >= CODES:
            self._sweep_codes()
        self.codes[digest] = code

    def _sweep_codes(self) -> None:
        used: dict[str, None] = {}
        for record in self.procs.values():
            if "code" not in record:
                continue
            used[record["code"]] = None
            for body in record["funcs"].values():
                used[body[0]] = None
            for frame in record["stack"]:
                if isinstance(frame, list) and frame[0] in ("C", "E", "T"):
                    used[frame[1]] = None
        for digest in [each for each in self.codes if each not in used]:
            del self.codes[digest]


_SHALLOW = (dict, list)
_CHANGED = (
    "fds", "children", "dead", "pending", "caught", "out", "fired", "hot", "inputs", "asks", "events", "vars",
    "exported", "readonly", "funcs", "aliases", "stack", "res", "jobs", "ended", "hash",
)  # fmt: skip
"""The fields of a process that are changed in place; all others are replaced."""


def copied(record: Record) -> Record:
    """A copy whose direct lists and dicts are copies too."""
    return {key: value.copy() if type(value) in _SHALLOW else value for key, value in record.items()}


def copied_process(record: Record) -> Record:
    """The same of a process, its program's memory included."""
    fresh = record.copy()
    for key in _CHANGED:
        if key in fresh:
            fresh[key] = fresh[key].copy()
    if "mem" in record:
        fresh["mem"] = copied(record["mem"])
    return fresh
