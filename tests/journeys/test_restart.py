"""`make up` in an empty folder, Ctrl-C, and again: every run goes on, and every submission that waited is graded."""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest

from .clients import Api, LabRun, Visitor, processes_of
from .conftest import running
from .pages import MENDED

pytestmark = pytest.mark.stack

MAPS = "/api/v1/namespaces/default/configmaps"


def test_a_restart_brings_everything_back(tmp_path_factory: pytest.TempPathFactory) -> None:
    var = tmp_path_factory.mktemp("var")
    with running(var, {}) as stack:
        visitors = [Visitor(stack) for _ in range(3)]
        runs = [visitor.start("declare-a-deployment") for visitor in visitors]
        for number, run in enumerate(runs):
            answer = run.kube("POST", MAPS, json={"metadata": {"name": "mine"}, "data": {"n": str(number)}})
            assert answer.status_code == 201
            assert run.apply("kept.yaml", MENDED).json()["exit_code"] == 0
        uids = [run.kube("GET", f"{MAPS}/mine").json()["metadata"]["uid"] for run in runs]
        learner = Visitor(stack).sign_up()
        token = learner.make_token()
        # Nobody grades any more: what is sent from here on waits.
        for pid, command in processes_of(stack).items():
            if "-Q grading" in command:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
        path = "/labs/declare-a-deployment/submissions/"
        api = Api(stack, token)
        sent = [api.post(path, {"manifests": MENDED}).json()["id"] for _ in range(4)]
        cookies = [visitor.http.cookies for visitor in visitors]
    with running(var, {}, before=stack) as again:
        for number, (run, jar) in enumerate(zip(runs, cookies, strict=True)):
            visitor = Visitor(again)
            visitor.http.cookies = jar
            back = LabRun(visitor, run.id)
            found = back.kube("GET", f"{MAPS}/mine").json()
            assert (found["data"], found["metadata"]["uid"]) == ({"n": str(number)}, uids[number])
            files = visitor.http.get(f"/runs/{run.id}/files/").json()["files"]
            assert {"path": "kept.yaml", "content": MENDED} in files
        api = Api(again, token)
        deadline = time.monotonic() + 60
        results: list[dict] = []
        while time.monotonic() < deadline:
            results = [api.get(f"/submissions/{ident}/").json() for ident in sent]
            if all(result["state"] == "graded" for result in results):
                break
            time.sleep(0.5)
        assert [(result["state"], result["score"]) for result in results] == [("graded", 7)] * 4
