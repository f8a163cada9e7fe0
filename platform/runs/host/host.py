"""The engine host: many clusters on one event loop, in a thread of a Celery worker.

Celery's task threads bring runs here (`acquire`); the web tier finds them through the registry and talks to
the internal port. What it does by itself is in `upkeep.py`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
import uvloop
from config.logs import request_id
from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import get_language
from redis.exceptions import RedisError

from cluster_engine.cluster import Cluster
from cluster_engine.serving import Pacer
from runs import journal, registry, services, states
from runs.host import building, scratch
from runs.host.claims import Claims
from runs.host.computing import COMPUTING
from runs.host.copies import Copy
from runs.host.doze import Doze
from runs.host.edge import Edge
from runs.host.graders import Graders
from runs.host.hosted import HostedRun
from runs.host.packers import Packers
from runs.host.pasts import Pasts
from runs.host.slumber import Slumber
from runs.host.upkeep import Upkeep
from runs.host.writer import JournalUnavailableError, JournalWriter
from runs.models import Run, TransitionError
from runs.registry import Location

logger = logging.getLogger(__name__)

START_SECONDS = 10.0
STOP_SECONDS = 15.0
SWITCH_SECONDS = 0.0002


class EngineHost(Slumber):
    """See the module. `start` and `stop` are called by the bootstep, `acquire` by tasks."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(3)}"
        self.runs: dict[uuid.UUID, HostedRun] = {}
        self.dozing: dict[uuid.UUID, Doze] = {}
        #: What is under way, by user.
        self.in_use: Counter[int] = Counter()
        #: The terminals' own way in: token → run.
        self.tokens: dict[str, HostedRun | Copy] = {}
        #: Runs that are graded by themselves take turns.
        self.ticks = asyncio.Semaphore(1)
        self._spawned: set[asyncio.Task[Any]] = set()
        self.writer = JournalWriter()
        self.claims = Claims(self.name)
        self.pacer = Pacer()
        self.pasts = Pasts(self.in_thread)
        self.graders = Graders(os.cpu_count() or 1)
        self.packers = Packers(os.cpu_count() or 1)
        self.pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="host")
        self.url = ""
        self.scratch = settings.SCRATCH / self.name
        self.loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, name="engine-host", daemon=True)
        self._ready = threading.Event()
        self._server: uvicorn.Server | None = None
        self._closing = False
        self.upkeep = Upkeep(self)
        self._locks: dict[uuid.UUID, threading.Lock] = {}
        self._locks_lock = threading.Lock()
        self._error: BaseException | None = None

    # -- life -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Returns once the port is open. Raises OSError when it cannot be."""
        # The event loop must not wait for long when a thread computes (packs a keyframe, builds a run).
        sys.setswitchinterval(SWITCH_SECONDS)
        self.scratch = scratch.claim(settings.SCRATCH, self.name)
        self.writer.start()
        self.claims.start()
        COMPUTING.disturbs = self._is_waited_for
        self._thread.start()
        if not self._ready.wait(START_SECONDS) or self._error is not None:
            raise OSError(f"the engine host did not start: {self._error or 'no answer'}")
        logger.info("engine host is up", extra={"host": f"{self.name} {self.url}"})

    def stop(self) -> None:
        """Put every run to sleep, close the port, end the threads."""
        self._closing = True
        if self.loop is not None and self._thread.is_alive():
            try:
                self.call(self._shutdown(), STOP_SECONDS)
            except TimeoutError:
                logger.error("the engine host did not shut down in time")
        self._thread.join(timeout=5)
        self.writer.stop()
        self.claims.stop()
        COMPUTING.forget(self._is_waited_for)
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.graders.stop()
        self.packers.stop()
        try:
            registry.end(self.name)
        except (RedisError, OSError) as error:
            logger.info("the registry was not told that this host ends: %s", error)
        scratch.release(self.scratch)
        logger.info("engine host is down", extra={"host": self.name})

    @property
    def hung(self) -> bool:
        """Whether what it holds may be another host's by now."""
        return self.upkeep.hung

    def _is_waited_for(self) -> bool:
        return self.pacer.waits

    def call(self, coroutine: Coroutine[Any, Any, Any], seconds: float | None = None) -> Any:
        """Run a coroutine in the host's loop from another thread."""
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(seconds)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._main())
        except BaseException as error:
            # The edge of the thread: whoever waits for the start must learn why there is none.
            self._error = error
            self._ready.set()
            raise

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        listener = socket.create_server((settings.HOST_BIND, settings.HOST_PORT), backlog=1024)
        port = listener.getsockname()[1]
        self.url = settings.HOST_ADVERTISE or f"http://{settings.HOST_BIND}:{port}"
        config = uvicorn.Config(
            Edge(self),
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=2,
            ws="websockets-sansio",
            ws_max_size=1024 * 1024,
            server_header=False,
            date_header=False,
        )
        self._server = uvicorn.Server(config)
        tasks = self.upkeep.begin()
        self._ready.set()
        try:
            await self._server.serve(sockets=[listener])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _shutdown(self) -> None:
        await asyncio.gather(*(self.passivate(resident) for resident in self.residents))
        if self._server is not None:
            self._server.should_exit = True

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on its own in the loop."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)

    async def in_thread(self, fn: Any, *args: Any) -> Any:
        """Blocking work (database, Redis, grading) beside the loop, in the language of who asked for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.pool, _speaking, get_language(), fn, *args)

    async def grade(self, lab: Any, fork: Cluster) -> dict[str, Any]:
        """The report of the lab's checks on the fork. Raises GradingError."""
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + settings.CHECK_SECONDS
        report: dict[str, Any] = await loop.run_in_executor(
            self.graders.pool, self.graders.grade, lab.slug, fork, lab.keeps_history, deadline
        )
        return report

    async def written(self, lab: Any, fork: Cluster) -> str:
        """What people wrote of the fork's objects since the lab began, as YAML. Raises GradingError."""
        loop = asyncio.get_running_loop()
        deadline = time.monotonic() + settings.CHECK_SECONDS
        text: str = await loop.run_in_executor(
            self.graders.pool, self.graders.written, lab.slug, fork, deadline
        )
        return text

    async def pack(self, fork: Cluster) -> bytes:
        """The fork's keyframe, packed beside the loop."""
        loop = asyncio.get_running_loop()
        data: bytes = await loop.run_in_executor(self.packers.pool, self.packers.pack, fork)
        return data

    # -- taking runs in ---------------------------------------------------------------------------------

    def _lock(self, run_id: uuid.UUID) -> threading.Lock:
        with self._locks_lock:
            return self._locks.setdefault(run_id, threading.Lock())

    def acquire(self, run_id: uuid.UUID) -> None:
        """Own the run: keep it if it is here, else boot it or rebuild it. Called from a task's thread."""
        if self._closing:
            return
        with self._lock(run_id):
            hosted = self.resident(run_id)
            if hosted is not None and self._still_owns(hosted):
                self._announce(hosted)
                return
            if hosted is not None:
                self.call(self.drop(hosted))
            with self.claims.building(run_id) as mine:
                if not mine:
                    # Two that build it would take turns in fencing each other.
                    logger.info("not taken: another host builds it", extra={"run": run_id})
                    return
                try:
                    self._bring_up(run_id)
                except journal.FencedError as error:
                    logger.info("not taken: %s", error, extra={"run": run_id})

    def _still_owns(self, hosted: HostedRun | Doze) -> bool:
        return Run.objects.live().filter(pk=hosted.run_id, epoch=hosted.epoch).exists()

    def _bring_up(self, run_id: uuid.UUID) -> None:
        began = time.perf_counter()
        run = journal.take_over(run_id)
        try:
            if run.state == states.REQUESTED:
                run.move(states.BOOTING)
            built = building.build(run)
        except building.BuildError as error:
            logger.error("the run cannot be built: %s", error, extra={"run": run_id})
            self._fail(run, error)
            return
        except TransitionError as error:
            raise journal.FencedError(str(error)) from error
        hosted = self.call(self._install(run, built), START_SECONDS)
        # READY before the registry: whoever finds the run there finds it ready.
        if run.state == states.BOOTING:
            try:
                run.move(states.READY, started=timezone.now(), engine_version=building.ENGINE_VERSION)
            except TransitionError:
                self.call(self.drop(hosted))
                return
        services.built(run)
        self._announce(hosted)
        took = round((time.perf_counter() - began) * 1000)
        logger.info("run is up", extra={"run": run_id, "epoch": run.epoch, "duration_ms": took})

    @staticmethod
    def _fail(run: Run, error: building.BuildError) -> None:
        try:
            services.fail(run, str(error), error.report)
        except TransitionError:
            logger.info("the run ended while it was being built", extra={"run": run.pk})

    def _announce(self, hosted: HostedRun | Doze) -> None:
        location = Location(self.url, hosted.epoch, self.name)
        if not registry.register(hosted.run_id, location, settings.HOST_LEASE_SECONDS):
            self.call(self.drop(hosted))

    async def _install(self, run: Run, built: building.Built) -> HostedRun:
        hosted = HostedRun(self, run, built)
        await self._make_room(hosted)
        # Of this task and of the clock's, which it starts: their lines in the log say whose they are.
        request_id.set(f"run-{run.pk}")
        self.runs[run.pk] = hosted
        hosted.start()
        return hosted

    async def _make_room(self, coming: HostedRun) -> None:
        """Put to sleep what was used least recently: of all runs, and of this user's."""
        everybody = self.residents
        theirs = [hosted for hosted in everybody if hosted.user_id == coming.user_id]
        for awake, limit in ((everybody, settings.HOST_MAX_RUNS), (theirs, coming.awake_limit)):
            # Those that somebody looks at come last.
            awake.sort(key=lambda hosted: (hosted.watched, hosted.last_active))
            for hosted in awake[: max(0, len(awake) + 1 - limit)]:
                logger.info("put to sleep to make room", extra={"run": hosted.run_id})
                await self.passivate(hosted)

    # -- letting runs go --------------------------------------------------------------------------------

    async def drop(self, hosted: HostedRun | Doze) -> None:
        """Forget an engine as it is: it was fenced off, or its run is over."""
        if isinstance(hosted, Doze):
            if self.dozing.get(hosted.run_id) is not hosted:
                return  # it has been woken
            del self.dozing[hosted.run_id]
        elif self.runs.get(hosted.run_id) is hosted:
            del self.runs[hosted.run_id]
        await hosted.close()
        try:
            await self.in_thread(registry.forget, hosted.run_id, hosted.epoch)
        except (RedisError, OSError) as error:
            logger.info("could not take a run off the registry: %s", error, extra={"run": hosted.run_id})

    async def passivate(self, hosted: HostedRun | Doze) -> None:
        """Put a run to sleep: note its time in the journal, then free its memory."""
        try:
            await hosted.sleep()
        except (journal.FencedError, journal.JournalFullError, JournalUnavailableError) as error:
            logger.info("put to sleep without its last instant: %s", error, extra={"run": hosted.run_id})
        await self.drop(hosted)
        with self._locks_lock:
            self._locks.pop(hosted.run_id, None)


def _speaking(language: str | None, fn: Callable[..., Any], *args: Any) -> Any:
    """What ``fn(*args)`` returns, in that language: a thread has one of its own."""
    with translation.override(language):
        return fn(*args)
