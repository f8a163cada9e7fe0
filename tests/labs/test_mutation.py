"""Solutions changed field by field, and labs as plain manifests."""

import asyncio
import os

import orjson
import pytest

from cluster_engine.apimachinery import yaml
from cluster_engine.sim import Entry
from cluster_engine.sim.journal import pack_bytes
from labs.kit import catalog, mutation, runner, takehome
from labs.kit.plays import Plays


def entry(body, method="POST", content="application/json", path="/api/v1/things"):
    payload = {
        "method": method,
        "path": path,
        "headers": {"content-type": content},
        "body": pack_bytes(body if isinstance(body, bytes) else orjson.dumps(body)),
    }
    return Entry(7, 0, "request", payload)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        pytest.param(
            {
                "apiVersion": "v1",
                "kind": "Thing",
                "metadata": {"name": "a", "uid": "b", "creationTimestamp": None},
            },
            ["metadata.name left out", 'metadata.name "ax" in place of "a"'],
            id="a word, and what the server writes",
        ),
        pytest.param(
            {"spec": {"count": 2, "on": True, "cpu": "500m"}, "status": {"count": 1}},
            [
                "spec.count left out",
                "spec.count 3 in place of 2",
                "spec.on left out",
                "spec.on false in place of true",
                "spec.cpu left out",
                'spec.cpu "501m" in place of "500m"',
            ],
            id="a number, a truth, a quantity",
        ),
        pytest.param(
            {"spec": {"parts": [{"name": "web", "args": ["-v"]}], "a.b": 1}},
            [
                "spec.parts[name=web].name left out",
                'spec.parts[name=web].name "webx" in place of "web"',
                "spec.parts[name=web].args[0] left out",
                'spec.parts[name=web].args[0] "-vx" in place of "-v"',
                "spec[a.b] left out",
                "spec[a.b] 2 in place of 1",
            ],
            id="items of lists by their names",
        ),
        pytest.param(
            [{"op": "add", "path": "/spec/on", "value": True}],
            ["[0].value left out", "[0].value false in place of true"],
            id="a JSON patch",
        ),
        pytest.param(
            b"spec: {lit: true}", ["spec.lit left out", "spec.lit false in place of true"], id="YAML"
        ),
        pytest.param(b"\x00\xff", [], id="no text"),
    ],
)
def test_each_field_of_a_write_is_left_out_and_changed(body, told):
    found = list(mutation.mutants([entry(body)]))
    assert [mutant.what.removeprefix("POST /api/v1/things ") for mutant in found] == told
    assert {mutant.seq for mutant in found} <= {7}
    assert list(mutation.mutants([entry(body, "DELETE"), entry(body, "GET")])) == []


def test_what_somebody_reports_in_a_status_is_the_authors():
    path = "/api/v1/things/a/status?fieldManager=kubectl"
    found = list(mutation.mutants([entry({"status": {"level": 1}}, "PATCH", path=path)]))
    assert [mutant.what for mutant in found] == [
        f"PATCH {path} status.level left out",
        f"PATCH {path} status.level 2 in place of 1",
    ]
    assert all(mutant.reports for mutant in found)


def test_a_mutant_differs_in_one_place():
    body = {"spec": {"a": [{"name": "x", "n": 1}, {"name": "y", "n": 2}]}}
    bodies = [orjson.loads(mutant.body) for mutant in mutation.mutants([entry(body)])]
    assert {"spec": {"a": [{"name": "x", "n": 1}, {"name": "y"}]}} in bodies
    assert {"spec": {"a": [{"name": "x", "n": 2}, {"name": "y", "n": 2}]}} in bodies
    assert body not in bodies


FULL = os.environ.get("DRYDOCK_SOAK") == "1"
SLICE = ("night-round", "the-private-shelf")
"""Labs that are tried in every run of the tests; all are in `make soak`."""
LABS = [lab for lab in catalog.load().labs if FULL or lab.slug in SLICE]


@pytest.mark.soak
@pytest.mark.kubectl
@pytest.mark.parametrize("slug", [lab.slug for lab in LABS])
def test_no_mutant_of_a_solution_is_left_unexplained(slug):
    (found,) = mutation.mutate(catalog.load().lab(slug))
    assert (found.survivors, found.stale) == ([], [])


@pytest.mark.kubectl
def test_a_check_that_is_missing_is_found(course_copy):
    """Where nobody asks for the overhead, a class without it survives; a sentence that explains nothing is stale."""
    path = next(course_copy.rglob("sealed-rooms/lab.yaml"))
    asked = '{field: spec.overhead.cpu, is: "{{cpu}}"}'
    text = path.read_text()
    assert asked in text
    nonsense = "mutants: [{field: spec.nonsense, why: Nobody knows.}]\n"
    path.write_text(
        text.replace(asked, "{field: metadata.name, exists: true}").partition("mutants:")[0] + nonsense
    )
    (found,) = mutation.mutate(catalog.read(course_copy).lab("sealed-rooms"))
    assert any("overhead.podFixed.cpu left out" in what for what in found.survivors)
    assert found.stale == ["Nobody knows."]


@pytest.mark.kubectl
@pytest.mark.parametrize("slug", ["sealed-rooms", "the-private-shelf"])
def test_a_lab_taken_home_leads_to_its_goal(slug):
    """The goal's manifests, applied to the start, pass the checks that ask for objects alone."""
    lab = catalog.load().lab(slug)
    files = takehome.pages(lab, "en")
    assert {"README.md", "start.yaml", "goal.yaml"} <= set(files)
    assert "uid" not in files["goal.yaml"]
    assert "status" not in files["goal.yaml"]
    cluster = runner.boot(lab, lab.seed_for(None))
    for obj in yaml.load_all(files["goal.yaml"]):
        cluster.apply(obj)
    for pod in cluster.list("pods"):
        if pod["metadata"]["namespace"] != "kube-system":
            cluster.delete("pods", pod["metadata"]["name"], pod["metadata"]["namespace"])
    cluster.settle(300)
    assert runner.grade(lab, cluster).passed


@pytest.mark.kubectl
def test_a_lab_that_is_not_proved_is_not_taken_home(course_copy):
    path = next(course_copy.rglob("the-private-shelf/solutions"))
    for solution in path.iterdir():
        solution.write_text("true\n")
    lab = catalog.read(course_copy).lab("the-private-shelf")
    with pytest.raises(ValueError, match="its model solution does not pass"):
        takehome.pages(lab, "en")
    with pytest.raises(ValueError, match="does not pass: prove the lab first"):
        mutation.mutate(lab)


@pytest.mark.soak
@pytest.mark.kubectl
@pytest.mark.parametrize("slug", [lab.slug for lab in LABS if lab.values])
def test_ten_variants_of_a_lab_are_solved(slug):
    lab = catalog.load().lab(slug)
    plays = Plays()
    for seed in range(1, 11 if FULL else 4):
        this = lab.variant(seed)
        for name, script in this.solutions.items():
            play = asyncio.run(plays.play(this, seed, script))
            assert play.status == 0, f"seed {seed}, {name}: {play.output[-1500:]}"
            report = runner.grade(this, play.cluster)
            assert report.passed, f"seed {seed}, {name}: {report.as_dict('en')}"
