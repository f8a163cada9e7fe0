"""What a learner keeps when things die, and what outside clients reach."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import pytest

from cluster_engine.terminal.kubectl import kubectl_path

from .clients import Api, Visitor
from .pages import MENDED, Workspace

pytestmark = [pytest.mark.browser, pytest.mark.stack]


def processes_of(stack, pattern: str) -> list[int]:
    """The process ids of this stack's own processes whose command line matches."""
    listed = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=False)
    found = []
    for pid in map(int, listed.stdout.split()):
        with (
            contextlib.suppress(FileNotFoundError, ProcessLookupError),
            open(f"/proc/{pid}/environ", "rb") as environment,
        ):
            if f"DRYDOCK_VAR={stack.var}".encode() in environment.read().split(b"\0"):
                found.append(pid)
    return found


def labs_worker(stack) -> int:
    """The process id of the stack's own worker for labs."""
    found = processes_of(stack, "celery.*-Q labs")
    assert found, "no labs worker of this stack is running"
    return found[0]


@pytest.fixture
def workspace(stack, browser):
    context = browser.new_context(locale="en-GB", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.goto(f"{stack.url}/labs/explore-the-components/")
    page.click("main form button[type=submit]")
    workspace = Workspace(page)
    workspace.wait_ready()
    yield workspace
    context.close()


def test_a_killed_worker_loses_nothing(stack, workspace):
    workspace.type(
        "kubectl create namespace survey; echo hello > kept.txt; kubectl run pod --image=nginx:1.27"
    )
    workspace.expect("pod/pod created")
    workspace.type("kubectl wait --for=condition=Ready pod/pod --timeout=60s")
    workspace.expect("condition met")
    workspace.type("kubectl get pod pod -o jsonpath='uid={.metadata.uid}' > uid.txt; echo saved-$((1+1))")
    workspace.expect("saved-2")
    # Writes to the cluster and saves in the editor are durable before they are acknowledged; files that a command
    # leaves in the terminal's home follow within a second.
    time.sleep(2)
    before = labs_worker(stack)
    os.kill(before, signal.SIGKILL)
    for _ in range(200):
        time.sleep(0.2)
        try:
            if labs_worker(stack) != before:
                break
        except (AssertionError, subprocess.CalledProcessError, FileNotFoundError, ProcessLookupError):
            continue
    workspace.page.reload()
    workspace.wait_ready()
    workspace.type("clear; cat kept.txt; kubectl get ns survey -o name")
    workspace.expect("namespace/survey")
    assert "hello" in workspace.screen
    # The same Pod, not one like it: the journal was replayed, nothing was made anew.
    workspace.type(
        '[ "$(cat uid.txt)" = "$(kubectl get pod pod -o jsonpath=\'uid={.metadata.uid}\')" ] && echo same-$((2+2))'
    )
    workspace.expect("same-4")


def test_ones_own_kubectl_reaches_the_lab_with_the_downloaded_kubeconfig(stack, workspace, tmp_path):
    answer = workspace.page.request.get(workspace.page.url + "kubeconfig/")
    assert answer.status == 200
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(answer.text())
    environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    def kubectl(*arguments, **options):
        return subprocess.run(
            [kubectl_path(), *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            **options,
        )

    assert kubectl("get", "nodes", "-o", "name").stdout.split() == [
        "node/control-plane",
        "node/worker-1",
        "node/worker-2",
    ]
    manifest = "{apiVersion: v1, kind: ConfigMap, metadata: {name: mine}, data: {a: '1'}}"
    assert kubectl("apply", "-f", "-", input=manifest).stdout == "configmap/mine created\n"
    changed = manifest.replace("'1'", "'2'")
    assert '-  a: "1"' in kubectl("diff", "-f", "-", input=changed).stdout
    workspace.type("kubectl get cm mine -o name")
    workspace.expect("configmap/mine")


FATES = [
    ("Redis, and what it held", "redis-server", signal.SIGKILL),
    ("the grading workers", "celery.*-Q grading", signal.SIGKILL),
]


@pytest.mark.parametrize(("pattern", "number"), [row[1:] for row in FATES], ids=[row[0] for row in FATES])
def test_a_submission_outlives(stack, pattern, number):
    """Sent, then everything that could carry it is killed: it is graded, once, for what it is worth."""
    visitor = Visitor(stack).sign_up()
    api = Api(stack, visitor.make_token())
    path = "/labs/declare-a-deployment/submissions/"
    sent = [api.post(path, {"manifests": MENDED}).json()["id"] for _ in range(4)]
    for pid in processes_of(stack, pattern):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    sent.append(api.post(path, {"manifests": MENDED}).json()["id"])
    deadline = time.monotonic() + 90
    results: list[dict] = []
    while time.monotonic() < deadline:
        results = [api.get(f"/submissions/{identity}/").json() for identity in sent]
        if all(result["state"] == "graded" for result in results):
            break
        time.sleep(0.5)
    visitor.close()
    assert [(result["state"], result["score"]) for result in results] == [("graded", 7)] * 5
