"""What is remembered of proofs, what the report says, and the command around it."""

import itertools
from io import StringIO

import orjson
import pytest
from course.management.commands import lab as command
from django.core.management import CommandError, call_command

from labs.kit import catalog, proof_report, watching
from labs.kit.proofs import Proof, Proofs, key_of

LAB = catalog.load().lab("two-containers-one-pod")
NUMBERS = {"checks": 5, "solutions": 1}
ALONE = {
    "two-ready": "wrong/one-<container>.sh",
    "task-succeeded": "It follows from another one.",
    "greeter": "",
}


def proof(problems=(), seeds=2, lab=LAB):
    return Proof(lab.slug, key_of(lab, seeds), 1.5, NUMBERS, list(problems), ALONE)


@pytest.mark.parametrize(
    ("kept", "seeds", "holds"),
    [
        pytest.param(proof(), 2, True, id="unchanged"),
        pytest.param(proof(), 3, False, id="more variants"),
        pytest.param(proof(["bad"]), 2, False, id="not proved"),
        pytest.param(None, 2, False, id="never"),
    ],
)
def test_a_proof_holds_while_nothing_changes(tmp_path, kept, seeds, holds):
    if kept is not None:
        Proofs(tmp_path / "a/proofs.json").keep(kept)
    found = Proofs(tmp_path / "a/proofs.json").of(LAB, seeds)
    assert (found is not None) is holds
    if found is not None:
        assert found.line == "ok     two-containers-one-pod (5 checks, 1 solutions; unchanged)"


@pytest.mark.parametrize("text", ["", "[]", '{"a": {"b": 1}}', '{"a": 3}'])
def test_a_file_that_cannot_be_read_counts_as_empty(tmp_path, text):
    (tmp_path / "proofs.json").write_text(text)
    assert Proofs(tmp_path / "proofs.json").of(LAB, 2) is None


def test_the_report_is_for_people_and_machines(tmp_path):
    bad = Proof("other", "k", 2.0, NUMBERS, ["<wrong>"])
    proof_report.write(tmp_path / "r", [proof(), bad])
    told = orjson.loads((tmp_path / "r/labs.json").read_bytes())
    assert (told["failed"], told["checks"], told["alone"], told["never_alone"]) == (1, 3, 1, 1)
    assert told["labs"][0]["alone"] == ALONE
    page = (tmp_path / "r/labs.html").read_text()
    assert "1 proved, 1 not" in page
    assert "&lt;wrong&gt;" in page
    assert "<li><b>two-ready</b>: wrong/one-&lt;container&gt;.sh" in page
    assert "3 checks: 1 are failed by a wrong answer that fails no other, 1 say why none can." in page


@pytest.fixture
def run(monkeypatch, settings, tmp_path, course_copy):
    """The command on a copy of the course, with proofs that cost nothing: its output, what was proved."""
    settings.VAR = tmp_path
    proved = []

    def fake(lab, plays=None, seeds=2):
        proved.append(lab.slug)
        return proof(["a problem"] if "broken" in lab.setup else [], seeds, lab)

    monkeypatch.setattr(command.sweep, "proof", fake)

    def call(*words):
        out = StringIO()
        proved.clear()
        try:
            call_command("lab", f"--course={course_copy}", *words, stdout=out)
        except CommandError as error:
            out.write(f"error: {error}")
        return out.getvalue(), list(proved)

    call.course = course_copy
    return call


def test_only_what_changed_is_proved_again(run, tmp_path):
    everything = [lab.slug for lab in catalog.load().labs]
    assert run("test", "--all", "--jobs=1")[1] == everything
    said, proved = run("test", "--all", "--jobs=1", f"--report={tmp_path / 'report'}")
    assert proved == []
    assert f"checks: {3 * len(everything)}, {len(everything)} failed alone by a wrong answer" in said
    assert said.endswith(f"labs: {len(everything)} ok, 0 failed\n")
    assert (tmp_path / "report/labs.html").is_file()
    assert run("test", "--all", "--jobs=1", "--again")[1] == everything
    (run.course / LAB.folder / "setup.yaml").write_text("# broken")
    said, proved = run("test", "--all", "--jobs=1")
    assert proved == [LAB.slug]
    assert "       - a problem" in said
    assert said.endswith(f"error: 1 of {len(everything)} labs are not proved")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("test", "nothing-such"), "error: there is no lab 'nothing-such'; there are explore-the-components"),
        (("test",), "error: name labs, or use --all"),
        (("new", "no-lesson", "x"), "error: there is no lesson 'no-lesson'; there are cluster-components"),
        (("new", "pods", "X"), "error: slug: expected lower-case words with dashes, found 'X'"),
        (("preview", "nothing-such"), "error: there is no lab 'nothing-such'"),
    ],
)
def test_what_cannot_be_done_is_said(run, words, said):
    assert run(*words)[0].startswith(said)


def test_a_lab_that_no_lesson_lists_is_told_apart_from_none(run):
    run("new", "pods", "say-ahoy")
    assert run("lint", "say-ahoy")[0].startswith(
        "error: no lesson lists 'say-ahoy'; add `  - say-ahoy` under labs: in "
    )


def test_watching_proves_again_what_changes_and_bears_mistakes(run, monkeypatch):
    lab = run.course / LAB.folder / "lab.yaml"
    text = lab.read_text()

    def changes(root):
        yield
        yield
        lab.write_text(text.replace("minutes:", "minuts:"))
        yield
        lab.write_text(text.replace("minutes: 25", "minutes: 26"))
        yield

    monkeypatch.setattr(watching, "changes", changes)
    said, proved = run("test", LAB.slug, "--watch")
    assert proved == [LAB.slug, LAB.slug]
    assert "minuts: expected `minutes`" in said


def test_a_change_of_a_file_is_seen(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("1")
    sleeps = itertools.count()

    def sleep(seconds):
        if next(sleeps) == 1:
            (tmp_path / "a").write_text("12")

    monkeypatch.setattr(watching.time, "sleep", sleep)
    seen = watching.changes(tmp_path)
    next(seen)
    next(seen)
    assert next(sleeps) == 2


def test_the_schema_is_written(run):
    (run.course / "lab.schema.json").write_text("")
    run("schema")
    assert (run.course / "lab.schema.json").read_text() == (catalog.ROOT / "lab.schema.json").read_text()
