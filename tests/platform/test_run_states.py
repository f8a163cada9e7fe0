"""The life of a run: every pair of states, allowed or not, and the database as the judge."""

from __future__ import annotations

import pytest
from runs import states
from runs.models import Run, TransitionError
from runs.states import BOOTING, FAILED, PASSED, READY, REQUESTED, STATES, STOPPED

ALLOWED = {
    (REQUESTED, BOOTING), (REQUESTED, STOPPED), (REQUESTED, FAILED),
    (BOOTING, READY), (BOOTING, REQUESTED), (BOOTING, STOPPED), (BOOTING, FAILED),
    (READY, PASSED), (READY, REQUESTED), (READY, STOPPED), (READY, FAILED),
    (PASSED, REQUESTED), (PASSED, STOPPED), (PASSED, FAILED),
    (FAILED, REQUESTED),
}  # fmt: skip
PAIRS = [(old, new) for old in STATES for new in STATES]


@pytest.mark.parametrize(("old", "new"), PAIRS, ids=[f"{old}-{new}" for old, new in PAIRS])
def test_move(run: Run, old: str, new: str) -> None:
    Run.objects.filter(pk=run.pk).update(state=old)
    run.refresh_from_db()
    if (old, new) in ALLOWED:
        run.move(new, "why")
        run.refresh_from_db()
        assert (run.state, run.message) == (new, "why")
        assert (run.finished is not None) == (new not in states.LIVE)
    else:
        with pytest.raises(TransitionError):
            run.move(new)
        run.refresh_from_db()
        assert run.state == old


def test_the_second_mover_loses(run: Run) -> None:
    twin = Run.objects.get(pk=run.pk)
    run.move(STOPPED)
    with pytest.raises(TransitionError, match="it is stopped by now"):
        twin.move(PASSED)
    assert twin.state == STOPPED


def test_every_state_has_a_row() -> None:
    assert set(states.TRANSITIONS) == set(STATES)
    assert set(states.LIVE) < set(STATES)
