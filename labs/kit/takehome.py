"""A lab to take home: its start and its goal as plain manifests, for a real cluster.

README.md      the instructions, and what is not in the folder
start.yaml     what stands before anybody begins
scheduler.yaml the configuration of kube-scheduler, where the lab has one
kubelets.yaml  the flags of kubelets, by their nodes, where the lab has some
images.yaml    the images that the lab alone has, as Drydock reads them (`serve --images`)
audit-policy.yaml  what the API server writes to its audit log, where the lab says it
files/         what lies in the learner's home folder
goal.yaml      what the model solution made or changed: what people wrote of it, not what the cluster added
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from cluster_engine.apimachinery import yaml
from cluster_engine.cluster import Cluster
from labs.kit import runner
from labs.kit.lab import Lab
from labs.kit.plays import Plays
from labs.kit.words import of, say

WRITTEN_MAX = 512 * 1024
"""Characters of what people wrote."""
_NOTHING = "# nothing\n"
_PEOPLE = ("kubectl", "drydock")
"""How the names of those managers of fields begin who are no components."""

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

JSON = dict[str, Any]


def write(lab: Lab, folder: Path, language: str, seed: int | None = None) -> list[Path]:
    """The lab's folder; returns what was written. Raises ValueError when the model solution does not pass."""
    files = pages(lab, language, seed)
    for name, text in files.items():
        path = folder / lab.slug / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / lab.slug / name for name in files]


def pages(lab: Lab, language: str, seed: int | None = None) -> dict[str, str]:
    """The files by their names. Raises ValueError when the model solution does not pass."""
    drawn = lab.seed_for(seed)
    this = lab.variant(drawn)
    play = asyncio.run(Plays().play(this, drawn, this.solution_text))
    if play.status != 0 or not runner.grade(this, play.cluster).passed:
        raise ValueError(f"{lab.slug}: its model solution does not pass: prove the lab first")
    return files(this, language, written(this, play.cluster))


def files(lab: Lab, language: str, goal: str) -> dict[str, str]:
    """The files of a variant by their names, with what leads to its goal."""
    return {
        "README.md": _readme(lab, language),
        "start.yaml": lab.setup.strip() + "\n" if lab.setup.strip() else _NOTHING,
        "goal.yaml": goal,
        **({"scheduler.yaml": lab.scheduler} if lab.scheduler else {}),
        **({"kubelets.yaml": lab.kubelets} if lab.kubelets else {}),
        **({"images.yaml": lab.images} if lab.images else {}),
        **({"audit-policy.yaml": lab.audit} if lab.audit else {}),
        **{f"files/{name}": text for name, text in lab.files.items()},
    }


def written(lab: Lab, cluster: Cluster) -> str:
    """What people wrote of the cluster's objects that did not stand so when this variant began, as YAML.

    Raises ValueError when it is more than WRITTEN_MAX.
    """
    before = _objects(runner.boot(lab, cluster.options.seed))
    parts: list[str] = []
    for key, obj in _objects(cluster).items():
        if before.get(key) != obj:
            parts.append(yaml.dump(obj))
            if sum(map(len, parts)) > WRITTEN_MAX:
                raise ValueError(f"it is more than {WRITTEN_MAX >> 10} KiB")
    return "---\n".join(parts) or _NOTHING


def _readme(lab: Lab, language: str) -> str:
    acts = [of(act.text, language) for act in lab.start]
    parts = [
        f"# {of(lab.title, language)}",
        of(lab.summary, language),
        of(say("at_home", nodes=lab.nodes), language),
    ]
    if lab.images:
        parts.append(of(say("at_home_images"), language))
    if acts:
        parts.append(of(say("at_home_acts"), language) + "\n\n" + "\n".join(f"- {act}" for act in acts))
    return "\n\n".join([*parts, of(lab.instructions, language).strip()]) + "\n"


def _objects(cluster: Cluster) -> dict[tuple[str, str, str], JSON]:
    """What people wrote of each object that they wrote to, by kind, namespace and name."""
    found: dict[tuple[str, str, str], JSON] = {}
    for kind in cluster.scheme.kinds:
        for obj in cluster.list(kind.group_resource):
            written = _written(obj)
            if written is not None:
                meta = obj["metadata"]
                found[(kind.group_resource, meta.get("namespace", ""), meta["name"])] = written
    return found


def _written(obj: JSON) -> JSON | None:
    """The part of it that people wrote, as it can be applied; None where they wrote nothing."""
    fields: JSON = {}
    for entry in obj["metadata"].get("managedFields", []):
        if entry["manager"].startswith(_PEOPLE) and entry.get("subresource", "") != "status":
            fields = _merged(fields, entry["fieldsV1"])
    if not fields:
        return None
    part = _owned(obj, fields)
    names = {key: obj["metadata"][key] for key in ("name", "namespace") if key in obj["metadata"]}
    notes = {
        key: text for key, text in part.get("metadata", {}).get("annotations", {}).items() if key != _APPLIED
    }
    meta = {**part.get("metadata", {}), **names}
    meta.pop("annotations", None)
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        **part,
        "metadata": {**meta, **({"annotations": notes} if notes else {})},
    }


def _merged(left: JSON, right: JSON) -> JSON:
    return {**left, **{key: _merged(left.get(key, {}), below) for key, below in right.items()}}


def _owned(value: Any, fields: JSON) -> Any:
    """The part of the value that a set of fields (``fieldsV1``) names."""
    if not fields:
        return value
    if isinstance(value, list):
        return [
            part
            for element, below in fields.items()
            if element != "."
            for part in _items(value, element, below)
        ]
    return {
        element[2:]: _owned(value[element[2:]], below)
        for element, below in fields.items()
        if element.startswith("f:") and element[2:] in value
    }


def _items(value: list[Any], element: str, below: JSON) -> Iterator[Any]:
    """The items of a list that ``k:{…}`` or ``v:…`` means."""
    asked = orjson.loads(element[2:])
    for item in value:
        if element.startswith("v:"):
            if item == asked:
                yield item
        elif all(item.get(key) == wanted for key, wanted in asked.items()):
            yield _owned(item, below)
