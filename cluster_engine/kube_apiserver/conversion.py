"""Custom resources whose versions a webhook converts into each other: what it is asked, what counts of its answer.

Objects are stored in whatever was the storage version when they were written, and nothing of what a webhook has said is
kept: who reads an object in another version has it converted then, in the instant of the reading. A write asks the
webhook's Pod itself, as admission does; who only reads asks a copy of it, for a reading changes nothing
(``network.Instant``).

Models k8s.io/apiextensions-apiserver/pkg/apiserver/conversion (converter.go, webhook_converter.go).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from cluster_engine.apimachinery import errors
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.apimachinery.errors import ApiError
from cluster_engine.apimachinery.scheme import Kind
from cluster_engine.apimachinery.validation import validate_annotations, validate_labels
from cluster_engine.etcd import Store

from . import webhook_client
from .identities import Identities
from .node_api import NodeProxy
from .selection import Readable

BATCH, BATCH_BYTES = 500, 512 * 1024
"""Objects that one question holds, and bytes of them; a larger object goes alone."""
TIMEOUT = 30
"""Seconds that a webhook has (the default of pkg/util/webhook's clients)."""
GROUP = "apiextensions.k8s.io"
_KIND = "ConversionReview"


class _Invalid(Exception):
    """An answer that is none; str() says why."""


class Conversions:
    """Of one cluster. All methods raise ApiError 500 with upstream's words where a webhook does not do its work, and
    501 where it stands outside of the cluster.
    """

    def __init__(self, nodes: NodeProxy, store: Store, identities: Identities) -> None:
        self._nodes = nodes
        self._store = store
        self._identities = identities

    def asks(self, kind: Kind) -> bool:
        """Whether a webhook converts the objects of this kind."""
        return kind.custom is not None and kind.custom.webhook is not None

    def shown(self, kind: Kind, obj: JSON, *, lasting: bool = False) -> JSON:
        """A stored object as the kind's version has it. ``lasting``: the webhook's Pod remembers the question."""
        if not self.asks(kind):
            return kind.shown(obj)
        return self.all_shown(kind, [obj], lasting=lasting)[0]

    def all_shown(self, kind: Kind, objects: Sequence[JSON], *, lasting: bool = False) -> list[JSON]:
        """The same of several."""
        custom = kind.custom
        if custom is None or custom.webhook is None:
            return [kind.shown(obj) for obj in objects]
        return self._all(kind, custom.webhook, [custom.as_read(obj) for obj in objects], lasting)

    def seen(self, kind: Kind, objects: list[JSON]) -> tuple[Kind, list[JSON]]:
        """The objects as the kind's version has them where a webhook says so, and the kind that shows them then."""
        if not self.asks(kind):
            return kind, objects
        return kind.as_it_is, self.all_shown(kind, objects)

    def view(self, kind: Kind, store: Readable) -> Readable:
        """The store, where all objects of the kind are in its version if a webhook says how."""
        return _View(store, lambda objects: self.all_shown(kind, objects)) if self.asks(kind) else store

    def converted(self, kind: Kind, obj: JSON, *, lasting: bool = False) -> JSON:
        """An object of a write, of any version, in the kind's version."""
        custom = kind.custom
        if custom is None:
            return obj
        if custom.webhook is None:
            return custom.converted(obj, kind.api_version)
        return self._all(kind, custom.webhook, [obj], lasting)[0]

    def forms(self, kind: Kind, *, lasting: bool = False) -> Forms | None:
        """The versions of a custom kind, as the owners of fields need them; None when there is but one."""
        stored = kind.stored or kind
        return Forms(self, stored, lasting) if stored.versions else None

    # ---- the webhook -------------------------------------------------------------------------------------

    def _all(self, kind: Kind, webhook: JSON, objects: list[JSON], lasting: bool) -> list[JSON]:
        made = list(objects)
        wanted = [at for at, obj in enumerate(objects) if obj["apiVersion"] != kind.api_version]
        for places in _portions(wanted, objects):
            asked = [objects[at] for at in places]
            for at, obj in zip(places, self._asked(kind, webhook, asked, lasting), strict=True):
                made[at] = obj
        return made

    def _asked(self, kind: Kind, webhook: JSON, objects: list[JSON], lasting: bool) -> list[JSON]:
        """The objects as the webhook converts them, checked."""
        meta, target, many = objects[0]["metadata"], kind.api_version, len(objects) > 1
        about = f"conversion webhook for {_gvk(objects[0])}"
        uid = self._identities.review(
            "conversion",
            webhook["name"],
            target,
            str(meta.get("uid", "")),
            str(meta.get("resourceVersion", "")),
        )
        version = next((v for v in webhook["conversionReviewVersions"] if v in ("v1", "v1beta1")), "")
        if not version:
            raise _failure("no supported conversion review versions")
        try:
            review = webhook_client.post(
                self._nodes,
                self._store,
                webhook["clientConfig"],
                TIMEOUT,
                _question(version, uid, target, objects),
                lasting=lasting,
            )
            found = _answer(version, uid, review)
        except webhook_client.OutOfReach as error:
            raise errors.not_simulated(
                f'a call of the conversion webhook of "{webhook["name"]}" ({error}), which a real cluster makes'
            ) from None
        except (webhook_client.CallFailed, _Invalid) as error:
            raise _failure(f"{about} failed: {error}") from None
        if len(found) != len(objects):
            raise _failure(f"{about} returned {len(found)} objects, expected {len(objects)}")
        return [
            _checked(kind, old, new, about, at if many else None)
            for at, (old, new) in enumerate(zip(objects, found, strict=True))
        ]


class Forms:
    """``managed_fields.Forms`` of a custom kind."""

    def __init__(self, conversions: Conversions, stored: Kind, lasting: bool) -> None:
        self._conversions = conversions
        self._stored = stored
        self._lasting = lasting

    def in_version(self, api_version: str) -> Kind | None:
        """The kind in that version, when it is one of its."""
        return self._stored.in_version(api_version)

    def converted(self, obj: JSON, api_version: str) -> JSON | None:
        """The object in that version; None when it is none."""
        form = self._stored.in_version(api_version)
        return None if form is None else self._conversions.converted(form, obj, lasting=self._lasting)


class _View:
    """``Readable`` whose objects are converted when they are read."""

    def __init__(self, store: Readable, shown: Callable[[Sequence[JSON]], list[JSON]]) -> None:
        self._store = store
        self._shown = shown

    @property
    def revision(self) -> int:
        return self._store.revision

    def get(self, resource: str, key: str) -> JSON | None:
        return self._one(self._store.get(resource, key))

    def get_at(self, resource: str, key: str, revision: int) -> JSON | None:
        return self._one(self._store.get_at(resource, key, revision))

    def range(self, resource: str, namespace: str | None = None) -> list[JSON]:
        return self._shown(self._store.range(resource, namespace))

    def range_at(self, resource: str, revision: int, namespace: str | None = None) -> list[JSON]:
        return self._shown(self._store.range_at(resource, revision, namespace))

    def _one(self, found: JSON | None) -> JSON | None:
        return None if found is None else self._shown([found])[0]


def _failure(text: str) -> ApiError:
    return ApiError(errors.status_failure(500, "", text))


def _portions(wanted: list[int], objects: Sequence[JSON]) -> Iterator[list[int]]:
    """The places in portions that one question may hold."""
    portion: list[int] = []
    size = 0
    for at in wanted:
        length = len(orjson.dumps(objects[at]))
        if portion and (len(portion) >= BATCH or size + length > BATCH_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(at)
        size += length
    if portion:
        yield portion


def _gvk(obj: JSON) -> str:
    return f"{obj.get('apiVersion', '')}, Kind={obj.get('kind', '')}"


def _question(version: str, uid: str, target: str, objects: list[JSON]) -> JSON:
    return {
        "kind": _KIND,
        "apiVersion": f"{GROUP}/{version}",
        "request": {"uid": uid, "desiredAPIVersion": target, "objects": objects},
        "response": {"uid": "", "convertedObjects": None, "result": {"metadata": {}}},
    }


def _answer(version: str, uid: str, review: JSON) -> list[Any]:
    """The converted objects (getConvertedObjectsFromResponse). Raises _Invalid."""
    wanted = {"apiVersion": f"{GROUP}/{version}", "kind": _KIND}
    if version == "v1" and _gvk(review) != _gvk(wanted):
        got = _gvk(review) if "/" in str(review.get("apiVersion", "")) else f"/{_gvk(review)}"
        raise _Invalid(f"expected webhook response of {_gvk(wanted)}, got {got}")
    response = review.get("response")
    if not isinstance(response, dict):
        raise _Invalid("no response provided")
    if version == "v1" and response.get("uid") != uid:
        raise _Invalid(f'expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    result = response.get("result")
    result = result if isinstance(result, dict) else {}
    if result.get("status") != "Success":
        message = result.get("message")
        raise _Invalid(
            str(message or f"response.result.status was '{result.get('status') or ''}', not 'Success'")
        )
    found = response.get("convertedObjects")
    return found if isinstance(found, list) else []


def _checked(kind: Kind, old: JSON, new: Any, about: str, at: int | None) -> JSON:
    """A converted object with the metadata that it had, but for labels and annotations. ``at``: its place in a list."""
    if not isinstance(new, dict) or not new.get("kind"):
        why = f"Object 'Kind' is missing in '{orjson.dumps(new).decode()}'"
        raise _failure(
            why if at is None else f"{about} returned invalid converted object at index {at}: {why}"
        )
    # Upstream counts before it tells: what a list's object is said to be the first of is its second.
    listed = "" if at is None else f" converted object at index {at + 1}"
    form = f"{about} returned invalid{listed or ' object at index 0'}"
    version = str(new.get("apiVersion", ""))
    if version != kind.api_version:
        raise _failure(f"{form}: invalid groupVersion (expected {kind.api_version}, received {version})")
    if new["kind"] != old["kind"]:
        raise _failure(f"{form}: invalid kind (expected {old['kind']}, received {new['kind']})")
    meta = new.get("metadata")
    told = meta if isinstance(meta, dict) else {}
    for name, shown in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        was, now = old["metadata"].get(name) or "", told.get(name) or ""
        if was != now:
            what = f"must have the same {shown}: {was} != {now}"
            raise _failure(f"{about} returned invalid{listed or ' object'}: {what}")
    try:
        restored = _restored(old["metadata"], new)
    except _Invalid as error:
        where = "" if at is None else f" in object at index {at + 1}"
        raise _failure(f"{about} returned invalid metadata{where}: {error}") from None
    assert kind.custom is not None
    return kind.custom.pruned({**new, "metadata": restored})


def _restored(old: JSON, new: JSON) -> JSON:
    """The metadata of the original with the labels and annotations of the converted (restoreObjectMeta)."""
    if "metadata" not in new:
        raise _Invalid("missing metadata in converted object")
    given = new["metadata"]
    if not isinstance(given, dict):
        raise _Invalid(f"invalid metadata of type {_go_type(given)} in converted object")
    made = {name: value for name, value in old.items() if name not in ("labels", "annotations")}
    for name, check in (("labels", validate_labels), ("annotations", validate_annotations)):
        found = given.get(name)
        if found is None:
            continue
        if not isinstance(found, dict):
            raise _Invalid(f"invalid metadata.{name} of type {_go_type(found)} in converted object")
        for key, value in found.items():
            if not isinstance(value, str):
                shown = _go_type(value)
                raise _Invalid(f"metadata.{name}[{key}] must be a string, but is {shown} in converted object")
        if found != (old.get(name) or {}):
            # Upstream's path lacks the last letter here.
            problems = check(found, "metadata.labels" if name == "labels" else "metadata.annotation")
            if problems:
                texts = [str(problem) for problem in problems]
                raise _Invalid(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")
        made[name] = found
    return made


def _go_type(value: Any) -> str:
    names: tuple[tuple[type, str], ...] = (
        (bool, "bool"),
        (str, "string"),
        (int, "int64"),
        (float, "float64"),
        (list, "[]interface {}"),
        (dict, "map[string]interface {}"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "<nil>")
