"""What uses the database is tested on PostgreSQL too: the same tests, in a process with another database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import Server

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "test_run_journal.py",
    "test_run_states.py",
    "test_migrations.py",
    "test_purge.py",
    "test_grading_queue.py",
    "test_submissions.py",
    "test_engine_host.py",
    "test_failed_runs.py",
    "test_gradebook.py",
    "test_guests.py",
    "test_workspace_endpoints.py",
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("postgresql"))
    made.start()
    yield made
    made.stop()


@pytest.mark.slow
def test_the_same_tests_pass(server: Server) -> None:
    environment = {**os.environ, "DRYDOCK_DATABASE_URL": server.url}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not kubectl"]
    command += [f"tests/platform/{name}" for name in TESTS]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
