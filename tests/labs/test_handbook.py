"""Every example of docs/authoring/handbook.md is executed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from django.core.management import call_command

from cluster_engine import Cluster
from cluster_engine.component_helpers.shapes import problems
from cluster_engine.container_runtime import declared
from labs.kit import catalog, checks, completions, lessons, located
from labs.kit.checking import Fail, Reader

HANDBOOK = (Path(__file__).parents[2] / "docs/authoring/handbook.md").read_text()
FENCE = re.compile(r"^( *)```(\S+)([^\n]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
BLOCKS = [(m[2], m[3].strip(), re.sub(f"^{m[1]}", "", m[4], flags=re.M)) for m in FENCE.finditer(HANDBOOK)]
CHECKS = [code for _, info, code in BLOCKS if info == "check"]
FILES = {info.removeprefix("file="): code for _, info, code in BLOCKS if info.startswith("file=")}

CLUSTER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: "nginx:1.27"}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: "busybox:1.36", command: [sh, -c, "echo ready; sleep 86400"]}]}
"""


@pytest.fixture(scope="module")
def cluster():
    cluster = Cluster(nodes=3, seed=3, freezing=True)
    cluster.apply(CLUSTER)
    cluster.advance(60)
    return cluster


@pytest.mark.parametrize("code", CHECKS, ids=[next(iter(yaml.safe_load(code))) for code in CHECKS])
def test_each_check_of_the_handbook_passes_and_can_fail(cluster, code):
    data = yaml.safe_load(code)
    rule = {key: value for key, value in data.items() if key != "sticky"}
    assert list(problems(checks.DEFS["rule"], rule, {"$defs": checks.DEFS})) == []
    judge = checks.build(data, {})
    judge.judge(Reader(cluster.fork()))
    if "can-i" in data:  # in an empty cluster, too, somebody without rights has none
        return
    with pytest.raises(Fail):
        judge.judge(Reader(Cluster(nodes=1)))


def test_the_handbook_shows_every_kind_of_check():
    shown = {key for code in CHECKS for key in yaml.safe_load(code)} - {"sticky"}
    assert shown == {kind.key for kind in checks.KINDS} - {"python"}


(IMAGES,) = (code for _, info, code in BLOCKS if info == "images")
PROBE = {"httpGet": {"path": "/ready", "port": 8080}, "periodSeconds": 5, "failureThreshold": 1}
LAMPS = {
    "1.0": ("running", 0, True),
    "1.1": ("running", 0, False),
    "1.2": ("OOMKilled", 137, False),
    "2.0": ("Error", 78, False),
    "2.1": ("Error", 3, False),
    "2.2": ("running", 0, True),
}
"""Tag -> how it is, or ended; with which code; whether it is ready: after two minutes."""


@pytest.fixture(scope="module")
def lamps():
    cluster = Cluster(nodes=1, freezing=True, addons=False, images=IMAGES)
    for tag in LAMPS:
        limits = {"resources": {"limits": {"memory": "64Mi"}}}
        container = {
            "name": "c",
            "image": f"registry.drydock.example/lamp:{tag}",
            "readinessProbe": PROBE,
            **limits,
        }
        spec = {"containers": [container], "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}
        meta = {"name": f"lamp-{tag}"}
        cluster.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    cluster.advance(120)
    return cluster


@pytest.mark.parametrize("tag", LAMPS)
def test_the_handbook_s_images_do_what_it_says(lamps, tag):
    (status,) = lamps.get("pods", f"lamp-{tag}", "default")["status"]["containerStatuses"]
    ended = status["state"].get("terminated", {"reason": "running", "exitCode": 0})
    assert (ended["reason"], ended["exitCode"], status["ready"]) == LAMPS[tag]


def test_the_handbook_s_images_are_those_of_its_example(lamps):
    assert list(yaml.safe_load(IMAGES)["registry.drydock.example/lamp"]["tags"]) == list(LAMPS)
    said = Reader(lamps.fork()).logs("lamp-1.0", "c")
    assert said == ["lamp 1.0 on lamp-1.0", "still red"]


def _keys(schema, path=()):
    for name, inner in schema.get("properties", {}).items():
        if name != "tags":
            yield ".".join((*path, name))
            yield from _keys(inner, (*path, name))
    if name := isinstance(schema.get("additionalProperties"), dict) and "*":
        yield from _keys(schema["additionalProperties"], (*path, name))


def test_the_handbook_names_every_key_of_an_image():
    table = HANDBOOK[HANDBOOK.index("| Key | What it says") : HANDBOOK.index("A lab has 16 of them")]
    named = set(re.findall(r"`([a-z.*]+)`", table))
    keys = set(_keys(declared.SCHEMA["additionalProperties"]))
    told = {key.rpartition(".")[2] for key in keys if key.startswith("http.routes.*.fails.")}
    assert {key for key in keys if "fails." not in key} - named <= {"http", "log", "memory", "exit", "stop"}
    assert told <= named
    assert (declared.shape.MAX_IMAGES, declared.shape.MAX_TAGS, declared.shape.MAX_TEXT) == (
        16,
        10,
        128 << 10,
    )


@pytest.mark.kubectl
def test_what_the_handbook_has_completed_comes_to_what_it_says():
    (code,) = (code for _, info, code in BLOCKS if info == "complete")
    completion = completions.read(code, "complete.yaml", {"type": "object"})
    body = dict.fromkeys(catalog.LANGUAGES, "")
    lesson = replace(catalog.load().lessons[0], body=body, completion=completion)
    assert lessons.prove(lesson).problems == []


def test_the_error_that_the_handbook_shows_is_the_real_one(course_copy):
    shown = next(code for kind, _, code in BLOCKS if kind == "text")
    lab = course_copy / "foundations/pods/labs/two-containers-one-pod/lab.yaml"
    lab.write_text(lab.read_text().replace("minutes:", "minuts:"))
    with pytest.raises(located.CatalogError) as caught:
        catalog.read(course_copy)
    told = str(caught.value).splitlines()
    assert shown.strip() in {line.replace(str(lab), "lab.yaml") for line in told}


@pytest.mark.slow
@pytest.mark.kubectl
def test_the_handbook_s_lab_is_made_and_proved_as_it_says(course_copy, tmp_path, settings):
    settings.VAR = tmp_path
    commands = [
        line for kind, info, code in BLOCKS if kind == "sh" and not info for line in code.splitlines()
    ]
    assert [command.split()[3] for command in commands] == ["new", "lint", "test", "mutate"]
    folder = course_copy / "foundations/pods/labs/harbour-lamp"
    for command in commands:
        if " lint " in command:  # the author has written the files by then
            lesson = course_copy / "foundations/pods/lesson.yaml"
            lesson.write_text(lesson.read_text() + "  - harbour-lamp\n")
            for name in ("solutions", "wrong"):
                for path in (folder / name).iterdir():
                    path.unlink()
            for name, code in FILES.items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(code)
        if " mutate " in command:  # and has said why a mutant is right
            (mutants,) = (code for _, info, code in BLOCKS if info == "mutants")
            (folder / "lab.yaml").write_text(FILES["lab.yaml"] + mutants)
        call_command("lab", f"--course={course_copy}", *command.split()[3:])
    call_command(
        "lab", f"--course={course_copy}", "preview", "harbour-lamp", "--language=zh-hans", "--seed=2"
    )
    assert "港口的灯" in (tmp_path / "preview/harbour-lamp.zh-hans.html").read_text()
