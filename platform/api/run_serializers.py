"""What the API says of lab runs, and what it takes for them."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from rest_framework import serializers
from runs import states, whatif
from runs.branches import NAME_LIMIT
from runs.clock import ACTIONS, LEAP_LIMIT, numbers
from runs.models import Run


class RunSerializer(serializers.ModelSerializer[Run]):
    """A lab run."""

    lab = serializers.CharField(source="lab_slug")
    user = serializers.CharField(source="user.username")
    state = serializers.ChoiceField(choices=states.STATES)
    cluster = serializers.SerializerMethodField(help_text="Address of the run's Kubernetes API")
    report = serializers.SerializerMethodField(
        help_text="Why the cluster of a failed run could not be built; told to instructors only"
    )

    class Meta:
        model = Run
        fields = (
            "id", "lab", "user", "state", "message", "report", "builds", "language", "seed", "engine_version",
            "cluster", "created", "started", "finished",
        )  # fmt: skip

    def get_cluster(self, run: Run) -> str:
        """Absolute where the request is known."""
        path = f"/clusters/{run.pk}"
        request = self.context.get("request")
        return str(request.build_absolute_uri(path)) if request else path

    def get_report(self, run: Run) -> str:
        """It may name what a learner need not know: files of checks, the engine's inside."""
        user = getattr(self.context.get("request"), "user", None)
        return run.report if isinstance(user, User) and user.is_instructor else ""


class RunRequestSerializer(serializers.Serializer[Any]):
    """A run as asked for."""

    lab = serializers.SlugField()


class RunTokenSerializer(serializers.Serializer[Run]):
    """What opens one run's Kubernetes API, as a bearer token."""

    token = serializers.CharField()


class RunClockRequestSerializer(serializers.Serializer[Any]):
    """What to do with a cluster's clock."""

    action = serializers.ChoiceField(choices=ACTIONS)
    speed = serializers.FloatField(
        required=False, help_text=f"of `speed`: virtual seconds a second; one of {', '.join(numbers())}"
    )
    seconds = serializers.FloatField(
        required=False, help_text=f"of `advance`: virtual seconds, at most {LEAP_LIMIT:g}"
    )
    until = serializers.CharField(
        required=False,
        max_length=2_000,
        help_text="of `until`: `pod/web Ready`, `deploy/web self.status.readyReplicas == 3`, `event Scheduled`",
    )
    at = serializers.CharField(
        required=False,
        max_length=60,
        help_text="of `back`: what the terminals look at: `2026-01-01T10:03:20Z`, `10:03:20`, or `5m` ago",
    )
    guess = serializers.CharField(
        required=False,
        max_length=60,
        help_text="of `step`: the id of what is expected, as `predict` gives it",
    )


class RunClockChoiceSerializer(serializers.Serializer[Any]):
    """Something that may come next."""

    id = serializers.CharField()
    text = serializers.CharField(help_text="in the caller's language")


class RunClockSerializer(serializers.Serializer[Any]):
    """A cluster's clock."""

    now = serializers.CharField(help_text="the cluster's time, RFC 3339")
    speed = serializers.FloatField(help_text="virtual seconds a second; 0: time stands still")
    resume = serializers.FloatField(help_text="the speed at which `resume` goes on")
    looking = serializers.CharField(help_text="the time that the terminals look back at; empty: they do not")
    sentence = serializers.CharField(help_text="of a step: what happened, and why; empty when nothing did")
    choices = RunClockChoiceSerializer(
        many=True, required=False, help_text="of `predict`: what may come next; one of them does"
    )
    came = serializers.CharField(required=False, help_text="of a step with a `guess`: the id of what came")


class RunWhyRequestSerializer(serializers.Serializer[Any]):
    """Which object is asked about."""

    resource = serializers.CharField(
        max_length=253, help_text="as kubectl takes it: pods, deploy, pods.metrics.k8s.io …"
    )
    name = serializers.CharField(max_length=253)
    namespace = serializers.CharField(max_length=253, required=False, default="default")


class RunWhyLinkSerializer(serializers.Serializer[Any]):
    """One thing that led to the next."""

    at = serializers.CharField(help_text="the cluster's time, RFC 3339")
    text = serializers.CharField(help_text="who did what, in the caller's language")


class RunWhyRemedySerializer(serializers.Serializer[Any]):
    """What would change a refusal."""

    plugin = serializers.CharField()
    text = serializers.CharField()


class RunWhyNodeSerializer(serializers.Serializer[Any]):
    """What the scheduler found of one node."""

    name = serializers.CharField()
    feasible = serializers.BooleanField()
    plugin = serializers.CharField(help_text="which plugin refused it; empty when none did", allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    scores = serializers.DictField(help_text="plugin → {raw, normalized, weighted}")
    total = serializers.FloatField(allow_null=True)


class RunWhyPlacementSerializer(serializers.Serializer[Any]):
    """The scheduler's last attempt to place the Pod."""

    at = serializers.CharField(help_text="the cluster's time, RFC 3339")
    number = serializers.IntegerField()
    result = serializers.CharField()
    node = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    looked_at = serializers.IntegerField(help_text="nodes; at most 50 of them are told")
    nodes = RunWhyNodeSerializer(many=True)
    plugins = serializers.ListField(child=serializers.CharField(), help_text="those that gave scores")
    remedies = RunWhyRemedySerializer(many=True)


class RunWhySerializer(serializers.Serializer[Any]):
    """Why an object is as it is."""

    kind = serializers.CharField()
    name = serializers.CharField(help_text="namespace/name, or the name alone")
    chain = RunWhyLinkSerializer(many=True, help_text="from the cause to the effect")
    placement = RunWhyPlacementSerializer(allow_null=True)
    unready = serializers.ListField(
        child=serializers.CharField(), help_text="what a Pod lacks to be Ready, in the caller's language"
    )


class RunPastRequestSerializer(serializers.Serializer[Any]):
    """Which moment is asked for; neither: how far one can look back."""

    at = serializers.CharField(
        max_length=40, required=False, default="", help_text="the cluster's time, RFC 3339"
    )
    revision = serializers.CharField(
        max_length=20,
        required=False,
        default="",
        help_text="right after the write of this revision; negative: after the journal's entry of that number",
    )
    against = serializers.CharField(
        max_length=40, required=False, default="", help_text="the moment it is compared with; neither: now"
    )
    against_revision = serializers.CharField(
        max_length=20, required=False, default="", help_text="or that moment as a revision"
    )


class RunTrailRequestSerializer(serializers.Serializer[Any]):
    """Which requests are asked about; `id`: one of them, with its way."""

    id = serializers.CharField(max_length=64, required=False, default="", help_text="an audit id")
    resource = serializers.CharField(max_length=253, required=False, default="")
    namespace = serializers.CharField(max_length=253, required=False, default="")
    name = serializers.CharField(max_length=253, required=False, default="")


class RunAskedSerializer(serializers.Serializer[Any]):
    """A request to the cluster."""

    id = serializers.CharField(help_text="its audit id")
    at = serializers.CharField(help_text="the cluster's time, RFC 3339")
    user = serializers.CharField(allow_blank=True)
    method = serializers.CharField()
    path = serializers.CharField()
    code = serializers.IntegerField(help_text="of the answer")


class RunStationSerializer(serializers.Serializer[Any]):
    """A place of a request's way through the API server."""

    key = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField(help_text="what it met there")
    details = serializers.ListField(child=serializers.CharField())
    lesson = serializers.CharField(allow_blank=True, help_text="the lesson that explains it")


class RunFollowedSerializer(serializers.Serializer[Any]):
    """A write that followed from a request."""

    at = serializers.CharField(help_text="the cluster's time, RFC 3339")
    text = serializers.CharField()


class RunTrailSerializer(serializers.Serializer[Any]):
    """The latest requests (`requests`), or one and its way (the rest)."""

    requests = RunAskedSerializer(many=True, required=False)
    asked = RunAskedSerializer(required=False)
    stations = RunStationSerializer(many=True, required=False)
    followed = RunFollowedSerializer(many=True, required=False)
    untold = serializers.IntegerField(required=False, help_text="writes that followed and are more than 24")


class RunBranchSerializer(serializers.Serializer[Any]):
    """One of the ways that a run went."""

    number = serializers.IntegerField()
    name = serializers.CharField()
    present = serializers.BooleanField(help_text="whether the cluster is on it")
    at = serializers.CharField(help_text="where it left the one it comes from; empty: it is the first")
    left = serializers.IntegerField(allow_null=True, help_text="the number of that one")
    kept_bytes = serializers.IntegerField(help_text="of what it shares with no other before it")


class RunStepSerializer(serializers.Serializer[Any]):
    """A step of a run's lab that has begun."""

    step = serializers.CharField(help_text="its id")
    at = serializers.CharField(help_text="the cluster's time then, RFC 3339")


class RunBranchNameSerializer(serializers.Serializer[Any]):
    """A branch's name."""

    name = serializers.CharField(max_length=NAME_LIMIT)


class RunBranchedSerializer(serializers.Serializer[Any]):
    """The branch that is present now."""

    number = serializers.IntegerField()
    name = serializers.CharField()


class RunPastMarkSerializer(serializers.Serializer[Any]):
    """What came from outside."""

    at = serializers.CharField(help_text="the cluster's time, RFC 3339")
    revision = serializers.IntegerField()
    text = serializers.CharField()


class RunPastFieldSerializer(serializers.Serializer[Any]):
    """A field that was different."""

    path = serializers.CharField()
    before = serializers.CharField(allow_blank=True, help_text="at the earlier moment; empty: there was none")
    after = serializers.CharField(allow_blank=True, help_text="at the later moment; empty: there was none")


class RunPastChangeSerializer(serializers.Serializer[Any]):
    """An object that was different then."""

    kind = serializers.CharField()
    namespace = serializers.CharField(allow_blank=True)
    name = serializers.CharField()
    what = serializers.ChoiceField(choices=("created", "changed", "deleted"), help_text="since then")
    text = serializers.CharField()
    changed = RunPastFieldSerializer(many=True, help_text="24 at most, those that say most first")
    last = serializers.CharField(allow_blank=True, help_text="the last write of it, and its cause")


class RunPastSerializer(serializers.Serializer[Any]):
    """How far one can look back (`begin`, `now`, `marks`), or the cluster at a moment (the rest)."""

    begin = serializers.CharField(required=False)
    now = serializers.CharField(required=False)
    marks = RunPastMarkSerializer(many=True, required=False)
    at = serializers.CharField(required=False)
    objects = serializers.DictField(
        child=serializers.ListField(child=serializers.DictField()), required=False, help_text="by resource"
    )
    hidden = serializers.IntegerField(
        required=False, help_text="objects that are more than 500 of a resource"
    )
    against = serializers.CharField(
        required=False, allow_blank=True, help_text="the moment it is compared with; empty: now"
    )
    since = RunPastChangeSerializer(many=True, required=False, help_text="from the earlier to the later one")
    more = serializers.IntegerField(required=False, help_text="changes that are more than 60")


class RunWhatIfRequestSerializer(serializers.Serializer[Any]):
    """What is tried on a copy of the cluster."""

    action = serializers.ChoiceField(choices=whatif.ACTIONS)
    resource = serializers.CharField(max_length=253, required=False, help_text="of `delete`")
    namespace = serializers.CharField(max_length=253, required=False)
    name = serializers.CharField(max_length=253, required=False, help_text="of the object, or of the node")
    manifest = serializers.CharField(max_length=256 * 1024, required=False, help_text="of `apply`: YAML")
    seconds = serializers.IntegerField(
        min_value=1, max_value=whatif.SECONDS_LIMIT, default=60, help_text="virtual seconds to look ahead"
    )


class RunBranchRequestSerializer(serializers.Serializer[Any]):
    """What the run goes on from."""

    action = serializers.ChoiceField(
        choices=("branch", "undo", "keep", "step", "switch"),
        help_text="from a moment; from before what was done last; by what was tried; from where a step of the lab "
        "began; where another branch was left",
    )
    at = serializers.CharField(max_length=40, required=False, help_text="of `branch`: the moment, RFC 3339")
    revision = serializers.CharField(
        max_length=20, required=False, help_text="of `branch`: right after it, as of the past"
    )
    step = serializers.CharField(max_length=100, required=False, help_text="of `step`: its id")
    number = serializers.IntegerField(required=False, min_value=0, help_text="of `switch`: which branch")
    name = serializers.CharField(max_length=NAME_LIMIT, required=False, help_text="of the new branch")
    whatif = RunWhatIfRequestSerializer(required=False, help_text="of `keep`: what was tried")


class RunWhatIfSerializer(serializers.Serializer[Any]):
    """What would happen, and what would be different."""

    seconds = serializers.IntegerField()
    story = RunWhyLinkSerializer(many=True, help_text="what would be written, from the cause on")
    untold = serializers.IntegerField(help_text="writes that are more than 24")
    changes = serializers.ListField(
        child=serializers.DictField(), help_text="{kind, namespace, name, what, changed, text}"
    )
    more = serializers.IntegerField(help_text="changes that are more than 60")
    maps = serializers.DictField(
        child=serializers.DictField(),
        help_text="{same, other}: nodes and Pods then, left alone and after the action",
    )


class RunTakehomeSerializer(serializers.Serializer[Any]):
    """A lab as plain manifests, for a real cluster."""

    files = serializers.DictField(
        child=serializers.CharField(),
        help_text="by their names: README.md, start.yaml, goal.yaml (what was made so far) and what else there is",
    )
