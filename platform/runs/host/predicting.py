"""What may come next, to choose from before a step: what comes, what comes later or came before, who else could do it.

Which of them is true a fork finds out. Each choice has an id that follows from what it says: whoever steps later names
the one that was chosen, and nothing has to be remembered here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, TypedDict

from cluster_engine.cluster import Cluster
from cluster_engine.serving import Driver
from cluster_engine.sim import SECOND, Link
from runs.clock import LEAP_LIMIT
from runs.host.happening import EVENTS, matters, one

NOTHING = "nothing"
"""The id of the choice that nothing comes."""
AHEAD = 24
"""Steps that are looked ahead for what comes later, after the one that is asked about."""
BEFORE = 64
"""Writes that are looked at for what came before."""
OTHERS = 2
"""Choices that come later, or came before."""

RIVALS = {
    "deployment-controller": "replicaset-controller",
    "replicaset-controller": "deployment-controller",
    "statefulset-controller": "replicaset-controller",
    "daemon-set-controller": "kube-scheduler",
    "job-controller": "kube-scheduler",
    "cronjob-controller": "job-controller",
    "kube-scheduler": "kubelet",
    "kubelet": "kube-scheduler",
    "endpointslice-controller": "kubelet",
    "endpoint-controller": "endpointslice-controller",
    "generic-garbage-collector": "deployment-controller",
    "node-controller": "kubelet",
    "taint-eviction-controller": "kube-scheduler",
    "persistent-volume-binder": "kube-scheduler",
}
"""Component → whom a learner may take for it. Of what others do nobody else is offered."""


class Choice(TypedDict):
    """Something that may come; `runs.happenings.expectation` makes a sentence of it."""

    id: str
    component: str
    verb: str
    """create, update or delete; "report" of an Event; "" when nothing comes."""
    kind: str
    name: str
    """Empty of what is yet to be created: nobody could know it."""
    fields: list[str]
    """Of an update: the fields that say most."""
    text: str
    """Of an Event: its message."""


def choice_of(cluster: Cluster, found: list[Link]) -> Choice:
    """What was written at a step, as one could have foretold it; `found` as `Driver.step` gives it."""
    if not found:
        return _choice("", "", "", "", [], "")
    # A controller's Event tells in other words what it wrote beside it.
    link = next((link for link in found if link.resource != EVENTS), found[0])
    happening = one(cluster, link)
    verb = "report" if link.resource == EVENTS else link.verb
    name = "" if verb == "create" else happening["name"]
    fields = [each["path"] for each in happening.get("changed", [])]
    return _choice(happening["component"], verb, happening["kind"], name, fields, happening["text"])


async def choices(cluster: Cluster) -> list[Choice]:
    """What may come next in a cluster that is looked at by nobody else: it is moved on.

    In an order that says nothing, and the same whenever it is asked for the same moment.
    """
    asked = cluster.clock.now
    until, driver = asked + round(LEAP_LIMIT * SECOND), Driver(cluster)
    past = list(_past(cluster))
    found = await driver.step(until, matters)
    offered = [choice_of(cluster, found)]
    for _step in range(AHEAD):
        if not found or len(offered) > OTHERS:
            break
        found = await driver.step(until, matters)
        if found:
            _offer(offered, choice_of(cluster, found))
    for each in past:
        if len(offered) > OTHERS:
            break
        _offer(offered, each)
    if (rival := _rival(offered[0])) is not None:
        _offer(offered, rival)
    _offer(offered, choice_of(cluster, []))
    return sorted(offered, key=lambda each: hashlib.sha256(f"{asked} {each['id']}".encode()).digest())


def _past(cluster: Cluster) -> Iterator[Choice]:
    """What was done lately, the last first."""
    for link in reversed(cluster.clock.causes.since(0)[-BEFORE:]):
        # What somebody asked for does not come by itself.
        asked_for = all(number < 0 for number in link.causes)
        if matters(link) and not asked_for:
            yield choice_of(cluster, [link])


def _rival(true: Choice) -> Choice | None:
    component = RIVALS.get(true["component"])
    if component is None or true["verb"] == "report":
        return None
    return _choice(component, true["verb"], true["kind"], true["name"], true["fields"], true["text"])


def _offer(offered: list[Choice], choice: Choice) -> None:
    """Beside the others, unless it says the same of another object: nobody can know which Pod of two is the first."""
    if _gist(choice) not in map(_gist, offered):
        offered.append(choice)


def _gist(choice: Choice) -> tuple[Any, ...]:
    said = choice["text"].partition(" ")[0]
    return choice["component"], choice["verb"], choice["kind"], tuple(choice["fields"]), said


def _choice(component: str, verb: str, kind: str, name: str, fields: list[str], text: str) -> Choice:
    says = json.dumps([component, verb, kind, name, fields, text])
    digest = hashlib.sha256(says.encode()).hexdigest()[:16] if verb else NOTHING
    return Choice(id=digest, component=component, verb=verb, kind=kind, name=name, fields=fields, text=text)
