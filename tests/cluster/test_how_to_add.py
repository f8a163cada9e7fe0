"""A stranger's walk: what docs/ARCHITECTURE.md shows under "How to add things" is done, in a copy of the engine.

Each example is one file, as it stands there, and one line in a literal table (with the import that the line needs); a
controller has a line with its rights beside it. Then it is used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/ARCHITECTURE.md").read_text().split("\n## How to add things\n")[1]
BLOCKS = dict(re.findall(r"```python\n# (cluster_engine/\S+\.py)\n(.*?)```", GUIDE, re.DOTALL))
RIGHTS = re.findall(r"```python\n    # in CONTROLLERS of (\S+)\n(.*?)```", GUIDE, re.DOTALL)


class Example(NamedTuple):
    """How an example is put in its table, and what shows that it is there."""

    table: str
    """A file of the copy."""
    anchor: str
    """The line of the table after which its own stands."""
    line: str
    imported: str
    use: str
    """A script; what fails in it raises."""


CLUSTER = """
import json
from cluster_engine import Cluster
from cluster_engine.kube_apiserver import ADMIN, Request

def pod(name, image, *command, **metadata):
    container = {"name": "c", "image": image, **({"command": list(command)} if command else {})}
    meta, spec = {"name": name, **metadata}, {"containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}

def same(found, wanted):
    assert found == wanted, found

cluster = Cluster(nodes=3, seed=5, freezing=True, strict=True)
"""

EXAMPLES = {
    "cluster_engine/kube_scheduler/plugins/avoid_node.py": Example(
        "cluster_engine/kube_scheduler/plugins/__init__.py",
        "    NodeName,",
        "    AvoidNode,",
        "from cluster_engine.kube_scheduler.plugins.avoid_node import AvoidNode",
        """
namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
def avoid(nodes):
    cluster.apply({**namespace, "metadata": {"name": "default", "annotations": {"example/avoid": nodes}}})
avoid("worker-1,worker-2")
cluster.apply(pod("p", "nginx"))
cluster.settle()
told = [e["message"] for e in cluster.list("events", "default") if e["reason"] == "FailedScheduling"]
same(told, ["0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were avoided. preemption: "
            "0/3 nodes are available: 3 Preemption is not helpful for scheduling."])
avoid("worker-1")  # its own event wakes the Pod; the flush would come five minutes later
cluster.advance(1)
same(cluster.get("pods", "p")["spec"].get("nodeName"), "worker-2")
""",
    ),
    "cluster_engine/kube_controller_manager/namespace_labeler.py": Example(
        "cluster_engine/kube_controller_manager/__init__.py",
        "    NamespaceController,",
        "    NamespaceLabeler,",
        "from .namespace_labeler import NamespaceLabeler",
        """
cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
assert cluster.settle()
same(cluster.get("namespaces", "n")["metadata"]["labels"]["example/seen"], "yes")
""",
    ),
    "cluster_engine/api/harbour/v1/crane.py": Example(
        "cluster_engine/api/__init__.py",
        "    volumeattachment.KIND,",
        "    crane.KIND,",
        "from .harbour.v1 import crane",
        """
crane = {"apiVersion": "harbour.example.com/v1", "kind": "Crane", "metadata": {"name": "c"}, "spec": {"tons": 40}}
cluster.apply(crane)
same(cluster.get("cranes", "c")["spec"], {"tons": 40})
headers = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
path = "/apis/harbour.example.com/v1/cranes"
table = json.loads(cluster.request(Request("GET", path, headers=headers, user=ADMIN)).body)
same(table["rows"][0]["cells"][0], "c")
""",
    ),
    "cluster_engine/api/harbour/v1/berth.py": Example(
        "cluster_engine/api/__init__.py",
        "    volumeattachment.KIND,",
        "    berth.KIND,",
        "from .harbour.v1 import berth",
        """
path = "/apis/harbour.example.com/{}/namespaces/default/berths"
old = {"apiVersion": "harbour.example.com/v1beta1", "kind": "Berth", "metadata": {"name": "b"}}
old["spec"] = {"length": "12m"}
made = cluster.request(Request("POST", path.format("v1beta1"), headers={"content-type": "application/json"},
                               body=json.dumps(old).encode(), user=ADMIN))
same((made.status, json.loads(made.body)["spec"]), (201, {"length": "12m"}))
same(made.warnings, ("harbour.example.com/v1beta1 Berth is deprecated; use harbour.example.com/v1 Berth",))
def spec(version):
    return json.loads(cluster.request(Request("GET", path.format(version) + "/b", user=ADMIN)).body)["spec"]
same((spec("v1"), spec("v1beta1")), ({"metres": 12}, {"length": "12m"}))
same(cluster.get("berths", "b")["apiVersion"], "harbour.example.com/v1")
""",
    ),
    "cluster_engine/kube_apiserver/admission/tag_required.py": Example(
        "cluster_engine/kube_apiserver/admission/__init__.py",
        "    RuntimeClass,",
        "    TagRequired,",
        "from .tag_required import TagRequired",
        """
from cluster_engine.apimachinery.errors import ApiError
cluster.apply(pod("tagged", "nginx:1.27", annotations={"example/tags": "yes"}))
try:
    cluster.apply(pod("untagged", "nginx", annotations={"example/tags": "yes"}))
except ApiError as error:
    same(error.message, 'pods "untagged" is forbidden: nginx has no tag')
else:
    raise AssertionError("it was let in")
""",
    ),
    "cluster_engine/linux/programs/countdown.py": Example(
        "cluster_engine/linux/programs/__init__.py",
        "    cat.PROGRAM,",
        "    countdown.PROGRAM,",
        "from cluster_engine.linux.programs import countdown",
        """
cluster.apply(pod("p", "busybox", "sh", "-c", "countdown 2; sleep 1d"))
cluster.settle()
began = cluster.clock.now
same(cluster.execute("p", ["countdown", "3"]).stdout, b"3\\n2\\n1\\n")
assert cluster.clock.now - began >= 3_000_000
""",
    ),
    "cluster_engine/linux/programs/shout.py": Example(
        "cluster_engine/linux/programs/__init__.py",
        "    sort.PROGRAM,",
        "    shout.PROGRAM,",
        "from cluster_engine.linux.programs import shout",
        """
cluster.apply(pod("p", "debian", "sleep", "1d"))
cluster.settle()
found = cluster.execute("p", ["sh", "-c", "echo ahoy | shout"])
same((found.stdout, found.stderr), (b"AHOY\\n", b"1 lines\\n"))
""",
    ),
    "cluster_engine/terminal/programs/greet.py": Example(
        "cluster_engine/terminal/programs/__init__.py",
        "    fault.PROGRAM,",
        "    greet.PROGRAM,",
        "from cluster_engine.terminal.programs import greet",
        """
from tests.terminal.desk import Desk
same(Desk({}).line("greet stranger").splitlines()[-1], "Hello, stranger")
assert "say hello" in Desk({}).line("help | grep greet")
""",
    ),
    "cluster_engine/container_runtime/images/counter.py": Example(
        "cluster_engine/container_runtime/images/__init__.py",
        "    nginx.IMAGE,",
        "    counter.IMAGE,",
        "from cluster_engine.container_runtime.images import counter",
        """
cluster.apply(pod("web", "drydock/counter"))
cluster.apply(pod("box", "busybox", "sleep", "1d"))
cluster.settle()
ip = cluster.get("pods", "web")["status"]["podIP"]
for times in (1, 2):
    same(cluster.execute("box", ["wget", "-qO-", f"{ip}:8080"]).stdout.decode(), f"asked {times} times\\n")
""",
    ),
    "cluster_engine/container_runtime/images/upper.py": Example(
        "cluster_engine/container_runtime/images/__init__.py",
        "    nginx.IMAGE,",
        "    upper.IMAGE,",
        "from cluster_engine.container_runtime.images import upper",
        """
cluster.apply(pod("shouter", "drydock/upper", labels={"app": "upper"}))
cluster.apply(pod("box", "busybox", "sleep", "1d"))
spec = {"selector": {"app": "upper"}, "ports": [{"port": 7000}]}
cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "upper"}, "spec": spec})
cluster.settle()
same(cluster.execute("box", ["sh", "-c", "echo hi | nc upper 7000"]).stdout, b"HI\\n")
""",
    ),
}


def put(copy: Path, path: str) -> None:
    """The example's file and its lines."""
    example, file = EXAMPLES[path], copy / path
    for folder in (file.parent.parent, file.parent):
        if not folder.exists():  # a new group
            folder.mkdir()
            (folder / "__init__.py").touch()
    file.write_text(BLOCKS[path])
    table = copy / example.table
    before, anchor, after = table.read_text().partition(f"{example.anchor}\n")
    assert anchor, f"{example.table} has no line {example.anchor!r}"
    begins = re.search(r"^[A-Z]+: tuple\[", before, re.MULTILINE)
    assert begins
    imports, entries = before[: begins.start()], before[begins.start() :]
    table.write_text(f"{imports}{example.imported}\n{entries}{anchor}{example.line}\n{after}")
    for rights, line in RIGHTS:
        if f'"{file.stem.replace("_", "-")}"' in line:
            policy = next(copy.rglob(rights.rpartition("/")[2]))
            head, opening, tail = policy.read_text().partition("CONTROLLERS: dict[str, Rules] = {\n")
            policy.write_text(head + opening + line + tail)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: Path(path).stem)
def test_an_example(path: str, tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "cluster_engine", tmp_path / "cluster_engine", ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    put(tmp_path, path)
    done = subprocess.run(
        [sys.executable, "-c", CLUSTER + EXAMPLES[path].use],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_every_example_is_tried() -> None:
    assert set(BLOCKS) == set(EXAMPLES)
