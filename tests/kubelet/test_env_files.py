"""Variables from files of emptyDirs: what a file may say, and what becomes of a container that reads one."""

from __future__ import annotations

from typing import Any

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.kubelet.env_files import EnvFileError, value_of

TEXTS: dict[str, tuple[str, str | None]] = {
    "plain": ("A='one'\n", "one"),
    "without an end of line": ("A='one'", "one"),
    "spaces around": ("  A \t=  'one'  \n", "one"),
    "a comment before": ("# A='no'\n\n  # no\nA='one'\n", "one"),
    "several lines": ("A='one\ntwo'\nB='b'\n", "one\ntwo"),
    "a hash inside": ("A='o#ne'\n", "o#ne"),
    "nothing is expanded": ("A='$B ${B} \\n'\n", "$B ${B} \\n"),
    "an equals sign inside": ("A='x=y'\n", "x=y"),
    "after another": ("B='b'\nA='one'\n", "one"),
    "the first of two": ("A='one'\nA='two'\n", "one"),
    "another alone": ("B='b'\n", None),
    "an empty file": ("", None),
    "blanks alone": (" \n\t", None),
    "what comes later does not count": ("A='one'\nnonsense\n", "one"),
    "Windows' ends of lines": ("B='b'\r\nA='one'\r\n", "one"),
}
WRONG = {
    "no quotes": ("A=one\n", 1),
    "double quotes": ('A="one"\n', 1),
    "two strings": ("A='one''two'\n", 1),
    "something behind": ("A='one'$B\n", 1),
    "no end": ("\nA='one\n", 2),
    "no name": ("='one'\n", 1),
    "no declaration": ("B='x\ny'\nnonsense\nA='one'\n", 3),
}


@pytest.mark.parametrize(("text", "value"), TEXTS.values(), ids=TEXTS)
def test_a_file_gives_a_value(text: str, value: str | None) -> None:
    assert value_of(text, "A") == value


@pytest.mark.parametrize(("text", "line"), WRONG.values(), ids=WRONG)
def test_a_line_of_another_form_is_named(text: str, line: int) -> None:
    with pytest.raises(EnvFileError, match=f"invalid environment variable format at line {line}$"):
        value_of(text, "A")


def test_a_large_file_is_read_once() -> None:
    assert value_of("B='b'\n" * 200_000 + "A='one'\n", "A") == "one"


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, seed=5, freezing=True)
    cluster.settle()
    return cluster


def reads(text: str, **reference: Any) -> dict[str, Any]:
    """A Pod whose init container writes a file, which its container has a variable from, without mounting it."""
    place = {"volumeName": "config", "path": "app/config.env", "key": "A", **reference}
    write = f"mkdir -p /data/app; printf '%s' \"{text}\" > /data/app/config.env"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p"},
        "spec": {
            "restartPolicy": "Never",
            "initContainers": [
                {
                    "name": "write",
                    "image": "busybox",
                    "command": ["sh", "-c", write],
                    "volumeMounts": [{"name": "config", "mountPath": "/data"}],
                }
            ],
            "containers": [
                {
                    "name": "c",
                    "image": "busybox",
                    "command": ["sh", "-c", "echo A=$A"],
                    "env": [{"name": "A", "valueFrom": {"fileKeyRef": place}}],
                }
            ],
            "volumes": [{"name": "config", "emptyDir": {}}],
        },
    }


LONG = "k" * 129
LIVES: dict[str, tuple[dict[str, Any], str]] = {
    "a value": (reads("A='größer als\n1'"), "A=größer als 1"),
    "an optional key that is not there": (reads("B='b'", optional=True), "A="),
    "an optional file that is not there": (reads("A='x'", path="no.env", optional=True), "A="),
    "a key that is not there": (
        reads("B='b'"), 'environment variable key "A" not found in file "app/config.env"',
    ),
    "a file that is not there": (reads("A='x'", path="no.env"), "couldn't parse env file"),
    "a line of another form": (reads("A=x"), "couldn't parse env file"),
    "a key that is too long": (
        reads(f"{LONG}='x'", key=LONG),
        f'environment variable key "{LONG}" exceeds maximum length of 128 characters',
    ),
    "a value that is too long": (
        reads("A='$(head -c 40000 /dev/zero | tr '\\0' x)'"),
        'environment variable value for key "A" exceeds maximum length of 32KB',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("pod", "told"), LIVES.values(), ids=LIVES)
def test_a_container_has_the_variable_or_says_why_not(base: Cluster, pod: dict[str, Any], told: str) -> None:
    cluster = base.fork()
    cluster.apply(pod)
    cluster.advance(12)
    found = cluster.get("pods", "p")
    assert found is not None
    state = found["status"]["containerStatuses"][0]["state"]
    if told.startswith("A="):
        lines = cluster.server.node_proxy.find(found["spec"]["nodeName"]).logs("default", "p", "c", False)
        assert [text for _, _, text in lines] == [f"{told}\n"]
    else:
        assert state == {"waiting": {"reason": "CreateContainerConfigError", "message": told}}


WHERE = "spec.containers[0].env[0].valueFrom.fileKeyRef"
LABEL = "a lowercase RFC 1123 label must consist of"
REFUSED = {
    "no key": ({"key": ""}, f"{WHERE}.key: Required value"),
    "a key that is no name": ({"key": "a=b"}, f'{WHERE}.key: Invalid value: "a=b": '),
    "no volume": ({"volumeName": ""}, f"{WHERE}.volumeName: Required value"),
    "a volume that is no name": ({"volumeName": "A"}, f'{WHERE}.volumeName: Invalid value: "A": {LABEL}'),
    "a volume that is not there": ({"volumeName": "other"}, f'{WHERE}.volumeName: Not found: "other"'),
    "no path": ({"path": ""}, f"{WHERE}.path: Required value"),
    "a path from the root": ({"path": "/a"}, f'{WHERE}.path: Invalid value: "/a": must be a relative path'),
    "a path out of it": ({"path": "a/../.."}, f"{WHERE}.path: Invalid value: \"a/../..\": must not contain '..'"),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "problem"), REFUSED.values(), ids=REFUSED)
def test_a_reference_is_checked(base: Cluster, reference: dict[str, Any], problem: str) -> None:
    with pytest.raises(ApiError) as refused:
        base.fork().apply(reads("", **reference))
    assert problem in str(refused.value)


def test_other_volumes_are_refused(base: Cluster) -> None:
    pod = reads("")
    pod["spec"]["volumes"] = [{"name": "config", "configMap": {"name": "c"}}]
    with pytest.raises(ApiError, match="referenced volume must be of type emptyDir"):
        base.fork().apply(pod)


def test_optional_is_false_unless_it_is_said(base: Cluster) -> None:
    cluster = base.fork()
    (stored,) = cluster.apply(reads(""))
    assert stored["spec"]["containers"][0]["env"][0]["valueFrom"]["fileKeyRef"]["optional"] is False
