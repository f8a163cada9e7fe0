"""A run goes on from a moment of its past: the old way is kept, and gone back to by its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from django.utils import translation
from runs import branches, journal, keyframes, lineage
from runs.branches import BranchError
from runs.host import branching, steps
from runs.host.errors import HostError
from runs.journal import FencedError, Moment
from runs.keyframes import State
from runs.models import Branch, JournalEntry, Keyframe, Run
from test_pasts import Life, host, life

from cluster_engine.sim import rfc3339_micro
from labs.kit.lab import Step

__all__ = ["host", "life"]  # fixtures

pytestmark = pytest.mark.django_db(transaction=True)


def go(life: Life, **data: Any) -> dict[str, Any]:
    """As the page asks it; the run is up again afterwards."""
    done: dict[str, Any] = life.host.call(life.hosted.branch(data))
    life.host.acquire(life.run.pk)
    life.run.refresh_from_db()
    return done


def maps(life: Life) -> list[str]:
    found = life.hosted.cluster.list("configmaps", "default")
    return [each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith("m")]


def state(life: Life) -> tuple[int, str]:
    cluster = life.hosted.cluster
    return cluster.clock.now, cluster.state_hash()


def files(life: Life) -> dict[str, Any]:
    return journal.with_changes({}, journal.records(lineage.entries(life.run.pk).filter(kind=journal.FILE)))


def kept(life: Life) -> tuple[int, int]:
    """What is counted, and what there is."""
    life.run.refresh_from_db()
    return life.run.kept_bytes, branches._bytes(life.run.pk, None)


def test_going_on_from_a_moment_and_back(life: Life) -> None:
    life.host.call(life.hosted.terminal.save("early.txt", "1"))
    moment, then = next((m, h) for m, h in life.hashes.items() if m.at_us)
    trunk, all_maps = state(life), maps(life)
    done = go(life, action="branch", at=rfc3339_micro(moment.at_us), name="what if")
    assert done == {"number": 1, "name": "what if"}
    assert state(life) == (moment.at_us, then), "the cluster is as it was then"
    assert [each["path"] for each in life.hosted.files() if each["path"] == "early.txt"], (
        "the files came along"
    )
    life.live(1)
    life.host.call(life.hosted.terminal.save("late.txt", "2"))
    assert maps(life) != all_maps
    told = branches.listed(life.run)
    assert [(each["name"], each["present"], each["left"]) for each in told] == [
        ("First way", False, None),
        ("what if", True, 0),
    ]
    aside = state(life)
    go(life, action="switch", number=0)
    assert (maps(life), state(life)) == (all_maps, trunk), "as it was left, to the last byte"
    assert {"early.txt", "late.txt"} <= {each["path"] for each in life.hosted.files()}
    go(life, action="switch", number=1)
    assert state(life) == aside
    go(life, action="switch", number=0)
    branches.delete(life.run, 1)
    life.move()
    assert state(life) == trunk
    assert [each["number"] for each in branches.listed(life.run)] == [0]
    assert not JournalEntry.objects.filter(run=life.run, branch=1).exists()
    assert not Keyframe.objects.filter(run=life.run, branch=1).exists()
    counted, there = kept(life)
    assert counted == there


def test_a_branch_without_a_name_is_named_in_the_language_of_who_asked(life: Life) -> None:
    async def asked() -> None:
        with translation.override("zh-hans"):
            await life.hosted.branch({"action": "undo"})

    life.host.call(asked())
    assert [each["name"][0] for each in branches.listed(life.run)] == ["最", "从"]


def test_what_was_done_last_is_undone_and_done_again(life: Life) -> None:
    all_maps, trunk = maps(life), state(life)
    last = max(all_maps, key=lambda name: int(name[1:]))
    go(life, action="undo")
    assert set(all_maps) - set(maps(life)) == {last}
    go(life, action="undo")
    assert len(all_maps) - len(maps(life)) == 2
    assert [each["number"] for each in branches.listed(life.run)] == [0, 2], (
        "nothing was done on the first one"
    )
    go(life, action="switch", number=0)
    assert state(life) == trunk


def test_what_was_tried_is_kept(life: Life) -> None:
    trunk, before = state(life), maps(life)
    tried = {"action": "delete", "resource": "configmaps", "name": before[0], "seconds": 30}
    told = life.host.call(life.hosted.what_if(tried))
    assert {(each["kind"], each["what"]) for each in told["changes"]} == {("ConfigMap", "deleted")}
    go(life, action="keep", whatif=tried, name="without it")
    assert maps(life) == before[1:]
    assert life.hosted.cluster.clock.now - trunk[0] == 30_000_000
    life.move()
    assert maps(life) == before[1:]
    go(life, action="switch", number=0)
    assert state(life) == trunk


@pytest.mark.slow
def test_the_past_of_a_branch_is_its_own_way(life: Life) -> None:
    moment = next(moment for moment in life.hashes if moment.at_us)
    old = dict(life.hashes)
    go(life, action="branch", at=rfc3339_micro(moment.at_us))
    life.hashes = {}
    life.live(2)
    assert {each: life.past(each).state_hash() for each in life.hashes} == life.hashes
    go(life, action="switch", number=0)
    assert {each: life.past(each).state_hash() for each in old} == old


@pytest.mark.slow
def test_a_branch_that_others_left_gives_back_only_its_own(life: Life) -> None:
    go(life, action="undo", name="a")
    life.live(1)
    shared = maps(life)
    go(life, action="branch", at=rfc3339_micro(life.hosted.cluster.clock.now), name="b")
    life.live(1)
    branches.delete(life.run, 1)
    assert [each["name"] for each in branches.listed(life.run)] == ["First way", "b"]
    life.move()
    assert set(shared) < set(maps(life)), "what b shares with a is still there"
    go(life, action="switch", number=0)
    branches.delete(life.run, 2)
    assert list(Branch.objects.filter(run=life.run).values_list("number", flat=True)) == [0]
    assert set(JournalEntry.objects.filter(run=life.run).values_list("branch", flat=True)) == {0}


@pytest.mark.slow
def test_a_reset_forgets_all_branches(life: Life) -> None:
    go(life, action="undo")
    journal.begin_anew(life.run)
    assert (life.run.branch, Branch.objects.filter(run=life.run).count()) == (0, 0)


@pytest.mark.slow
def test_names_are_the_owners(life: Life) -> None:
    go(life, action="undo", name="  mine ")
    branches.rename(life.run, 1, "better")
    assert [each["name"] for each in branches.listed(life.run)] == ["First way", "better"]
    with pytest.raises(BranchError, match="at most 60 characters"):
        branches.rename(life.run, 1, "x" * 61)


@pytest.mark.slow
def test_the_terminal_lists_and_goes(life: Life) -> None:
    def typed(*words: str) -> str:
        said: str = life.host.call(life.hosted.typed_time(list(words)))
        return said

    assert typed("branches") == "There is one way only, and no branch."
    assert (
        typed("branch", "the", "point")
        == "The run goes on, on the branch 1, the point. The terminals begin anew."
    )
    life.host.acquire(life.run.pk)
    lines = typed("branches").splitlines()
    assert [line[:4] for line in lines] == ["  0 ", "* 1 "]
    assert [line.rpartition("  ")[2] for line in lines] == ["First way", "the point"]
    with pytest.raises(ValueError, match="There is no branch nowhere"):
        typed("switch", "nowhere")
    assert "on the branch 0" in typed("switch", "First", "way")


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"action": "leap"}, 400, "action: one of branch, undo, keep, step, switch, found 'leap'"),
    (
        {"action": "switch", "number": "one"},
        400,
        "action: one of branch, undo, keep, step, switch, found 'switch'",
    ),
    ({"action": "switch", "number": 7}, 409, "There is no branch 7."),
    ({"action": "branch", "at": "soon"}, 400, "at: a time as 2026-01-01T00:00:00Z, found 'soon'"),
    ({"action": "branch", "at": "1999-01-01T00:00:00Z"}, 409, "The run had not begun then."),
    ({"action": "branch", "revision": "-999"}, 409, "The run had not begun then."),
    ({"action": "undo", "name": "x" * 61}, 409, "A branch's name has at most 60 characters."),
]


def test_what_cannot_be_gone_on_from_is_said(life: Life) -> None:
    for asked, status, said in REFUSED:
        with pytest.raises(HostError) as refused:
            life.host.call(life.hosted.branch(asked))
        assert (refused.value.status, str(refused.value)) == (status, said)
    assert branches.listed(life.run) == []


@pytest.fixture
def begun(run: Run) -> Run:
    """A run with a few entries, and no cluster."""
    journal.take_over(run.pk)
    kinds = ("header", "clock", "request", "request")
    journal.write(run.pk, 1, [journal.Record(seq, seq * 10, kind, {}) for seq, kind in enumerate(kinds)])
    keyframes.keep(run.pk, 1, State(1, b"x", at_us=10))
    run.refresh_from_db()
    return run


def test_there_are_not_too_many(begun: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "BRANCHES_KEPT", 3)
    for epoch in (1, 2):
        branches.branch_off(begun.pk, epoch, Moment(20))
    with pytest.raises(BranchError, match="This run has 3 branches, as many as it may: delete one first"):
        branches.branch_off(begun.pk, 3, Moment(20))
    with pytest.raises(BranchError, match="switch to another one first"):
        branches.delete(begun, 2)
    with pytest.raises(BranchError, match="That branch is the present one"):
        branches.switch(begun.pk, 3, 2)


def test_who_lost_the_run_makes_no_branch(begun: Run) -> None:
    makers: list[Callable[[], Branch]] = [
        lambda: branches.branch_off(begun.pk, 0, Moment(20)),
        lambda: branches.undo(begun.pk, 0),
        lambda: branches.switch(begun.pk, 0, 0),
    ]
    for make in makers:
        with pytest.raises(FencedError):
            make()


def test_what_was_tried_is_not_kept_where_the_cluster_went_on(begun: Run) -> None:
    with pytest.raises(BranchError, match="The cluster went on meanwhile"):
        branches.keep(begun.pk, 1, [journal.Record(3, 30, "clock", {})])


def test_nothing_of_the_lab_itself_is_undone(begun: Run) -> None:
    branches.undo(begun.pk, 1)
    branches.undo(begun.pk, 2)
    with pytest.raises(BranchError, match="There is nothing to undo"):
        branches.undo(begun.pk, 3)


def test_the_words_of_the_terminal_are_known_to_its_program() -> None:
    from cluster_engine.terminal.programs import clock

    assert set(branching.WORDS) < set(clock.WORDS)


def passed(*checks: str) -> list[dict[str, Any]]:
    return [{"id": check, "state": "passed"} for check in checks]


STEPS = [
    Step("read", {}, {}, ()),
    Step("do", {}, {}, ("a", "b")),
    Step("see", {}, {}, ()),
    Step("last", {}, {}, ("c",)),
]


@pytest.mark.parametrize(
    ("done", "begun"),
    [
        ((), ["read", "do"]),
        (("a", "c"), ["read", "do"]),
        (("a", "b"), ["read", "do", "see", "last"]),
        (("a", "b", "c"), ["read", "do", "see", "last"]),
    ],
    ids=str,
)
def test_which_steps_have_begun(done: tuple[str, ...], begun: list[str]) -> None:
    assert steps.begun(STEPS, done) == begun


def test_going_back_to_where_a_step_began(life: Life) -> None:
    def hosted() -> Any:
        life.hosted.lab = replace(life.hosted.lab, steps=tuple(STEPS))
        return life.hosted

    def note(*checks: str) -> tuple[int, str]:
        life.host.call(hosted().note_steps(passed(*checks)))
        return state(life)

    def back(step: str) -> dict[str, Any]:
        hosted()
        return go(life, action="step", step=step)

    first = note()
    life.live(1)
    life.host.call(life.hosted.terminal.save("mine.txt", "1"))
    second = note("a", "b")
    life.live(1)
    trunk = note("a", "b")
    assert Keyframe.objects.exclude(steps=[]).count() == 2, "it begins once"
    assert [each["step"] for each in branches.steps(life.run)] == ["read", "do", "see", "last"]
    assert back("last")["name"] == "Step 4 again"
    assert state(life) == second
    life.live(1)
    assert back("read")["name"] == "Step 1 again"
    assert state(life) == first
    assert "mine.txt" in {each["path"] for each in life.hosted.files()}, "the files came along"
    back("last")
    assert state(life) == second, "though it began on another way than the present one"
    go(life, action="switch", number=0)
    assert state(life) == trunk, "what there was is kept"
    for step, problem in (("none", "has not begun"), ("", "has not begun")):
        with pytest.raises(HostError, match=problem):
            back(step)


def test_a_keyframe_that_takes_anothers_place_begins_its_steps(run: Run) -> None:
    for steps_of_it in (["a"], [], ["b"]):
        keyframes.keep(run.pk, run.epoch, State(1, b"x", at_us=1, steps=steps_of_it))
    assert [each["step"] for each in branches.steps(run)] == ["a", "b"]


def test_where_a_step_begins_is_not_thinned_out(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyframes, "KEYFRAMES_KEPT", 4)
    for seq in range(1, 9):
        keyframes.keep(run.pk, run.epoch, State(seq, b"x", at_us=seq, steps=["a"] if seq == 2 else []))
    assert Keyframe.objects.filter(run=run).count() == 4
    assert [each["at"] for each in branches.steps(run)] == ["1970-01-01T00:00:00Z"]
    assert Keyframe.objects.filter(run=run, seq=2).exists()


def test_a_run_s_steps_over_the_api(client_of: Callable[[str], Any], run: Run) -> None:
    keyframes.keep(run.pk, run.epoch, State(1, b"x", at_us=7_000_000, steps=["one", "two"]))
    begun = [{"step": step, "at": "1970-01-01T00:00:07Z"} for step in ("one", "two")]
    assert client_of("owner").get(f"/api/v1/runs/{run.pk}/steps/").json() == begun
    assert client_of("owner").get(f"/runs/{run.pk}/branches/").json()["steps"] == begun
