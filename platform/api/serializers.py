"""What the API says, and what it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from accounts.classes import NAME_LENGTH
from accounts.models import Classroom, User
from drf_spectacular.utils import extend_schema_field
from grading.models import SUBMISSION_STATES, Submission
from grading.reports import localize_checks
from rest_framework import serializers

CHECK_STATES = ("passed", "failed", "pending", "error")


class CheckSerializer(serializers.Serializer[Any]):
    """One check of a lab."""

    id = serializers.CharField()
    title = serializers.CharField()
    points = serializers.IntegerField()


class LabSummarySerializer(serializers.Serializer[Any]):
    """A lab in a list."""

    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    lesson = serializers.CharField()
    minutes = serializers.IntegerField()
    max_score = serializers.IntegerField()


class LabSerializer(LabSummarySerializer):
    """A lab with its text."""

    nodes = serializers.IntegerField()
    seed = serializers.IntegerField(
        help_text="The variant that the rest is told in: names and numbers differ"
    )
    instructions = serializers.CharField(help_text="Markdown")
    files = serializers.DictField(child=serializers.CharField())
    checks = CheckSerializer(many=True)


class LessonSerializer(serializers.Serializer[Any]):
    """A lesson in a list."""

    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    chapter = serializers.CharField()
    minutes = serializers.IntegerField()
    labs = serializers.ListField(child=serializers.CharField())


class CheckResultSerializer(serializers.Serializer[Any]):
    """What one check found."""

    id = serializers.CharField()
    title = serializers.CharField()
    state = serializers.ChoiceField(choices=CHECK_STATES)
    score = serializers.IntegerField()
    max_score = serializers.IntegerField()
    message = serializers.CharField(allow_blank=True)
    hint = serializers.CharField(
        allow_blank=True, help_text="The first hint; of a run, `hint/` gives all, one at a time"
    )
    step = serializers.CharField(allow_blank=True, help_text="The step of the lab that it belongs to")
    look = serializers.CharField(allow_blank=True, help_text="A command that shows what is wrong")


class SubmissionErrorSerializer(serializers.Serializer[Any]):
    """Why a submission failed."""

    reason = serializers.CharField()
    message = serializers.CharField()
    status = serializers.DictField(required=False, help_text="Kubernetes' own Status, where it is the reason")


class SubmissionRequestSerializer(serializers.Serializer[Any]):
    """A submission as sent: JSON, form, multipart, or the raw YAML as the body."""

    manifests = serializers.CharField(help_text="YAML, at most 1 MiB", trim_whitespace=False)


class SubmissionSerializer(serializers.ModelSerializer[Submission]):
    """A submission and its result."""

    lab = serializers.CharField(source="lab_slug")
    user = serializers.CharField(source="user.username")
    state = serializers.ChoiceField(choices=SUBMISSION_STATES)
    checks = serializers.SerializerMethodField()
    error = SubmissionErrorSerializer(allow_null=True)

    class Meta:
        model = Submission
        fields = (
            "id", "lab", "user", "state", "score", "max_score", "passed", "checks", "error",
            "engine_version", "lab_version", "seed", "state_hash", "created", "started", "finished",
        )  # fmt: skip

    @extend_schema_field(CheckResultSerializer(many=True))
    def get_checks(self, submission: Submission) -> list[dict[str, Any]]:
        """The checks in the language of the request."""
        return localize_checks(submission.checks, self.context.get("language", "en"), first_hint=True)


class GradeSerializer(serializers.Serializer[Any]):
    """The best of one user in one lab."""

    user = serializers.CharField()
    lab = serializers.CharField()
    score = serializers.IntegerField()
    max_score = serializers.IntegerField()
    passed = serializers.BooleanField()
    attempts = serializers.IntegerField()
    last_attempt = serializers.DateTimeField()


class ClassSerializer(serializers.ModelSerializer[Classroom]):
    """A class."""

    teaches = serializers.SerializerMethodField(help_text="Whether the caller is its teacher")
    code = serializers.SerializerMethodField(help_text="What lets learners in; told to its teachers only")

    class Meta:
        model = Classroom
        fields: ClassVar[tuple[str, ...]] = ("id", "name", "teaches", "code", "created")

    def get_teaches(self, classroom: Classroom) -> bool:
        """As the view knows."""
        return bool(self.context.get("teaches"))

    def get_code(self, classroom: Classroom) -> str:
        """Empty for members."""
        return classroom.code if self.context.get("teaches") else ""


class ClassMemberSerializer(serializers.ModelSerializer[User]):
    """Somebody in a class, as its teachers see them."""

    class Meta:
        model = User
        fields = ("id", "username", "email")


class ClassDetailSerializer(ClassSerializer):
    """A class with its members."""

    members = ClassMemberSerializer(many=True)

    class Meta(ClassSerializer.Meta):
        fields: ClassVar[tuple[str, ...]] = (*ClassSerializer.Meta.fields, "members")


class ClassRequestSerializer(serializers.Serializer[Any]):
    """A class as asked for."""

    name = serializers.CharField(max_length=NAME_LENGTH)


class ClassCodeSerializer(serializers.Serializer[Any]):
    """What lets into a class."""

    code = serializers.CharField(max_length=16)


class MeSerializer(serializers.ModelSerializer[User]):
    """Who the caller is."""

    class Meta:
        model = User
        fields = ("id", "username", "email", "is_guest", "is_instructor", "language", "date_joined")
