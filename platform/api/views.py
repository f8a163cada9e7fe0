"""The REST API. Each view reaches rows through `for_user`, so what is not yours is not there."""

from __future__ import annotations

import uuid
from typing import Any

from accounts import classes
from accounts.models import Classroom, User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from grading import services as grading
from grading.models import Attempt, Submission
from grading.reports import text_in
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from api.callers import lab_or_404, language, user_of
from api.parsers import SUBMISSION_PARSERS
from api.serializers import (
    ClassCodeSerializer,
    ClassDetailSerializer,
    ClassRequestSerializer,
    ClassSerializer,
    GradeSerializer,
    LabSerializer,
    LabSummarySerializer,
    LessonSerializer,
    MeSerializer,
    SubmissionRequestSerializer,
    SubmissionSerializer,
)
from labs.kit import catalog

WAIT = OpenApiParameter(
    "wait", float, description="Hold the answer until the result is there, at most 60 seconds"
)

SEED = OpenApiParameter(
    "seed",
    int,
    description="The variant, where names and numbers differ; without it the caller's own: that of the latest run",
)
SEEDS = 2**31
"""How many variants can be named."""


def seed_named(request: Request) -> int | None:
    """The seed in the address, if there is one."""
    text = request.query_params.get("seed")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) >= SEEDS:
        raise ValidationError({"seed": [f"expected a whole number from 0 to {SEEDS - 1}"]})
    return int(text)


def lab_summary(lab: Any) -> dict[str, Any]:
    """A lab in a list."""
    return {
        "slug": lab.slug,
        "title": text_in(language(), lab.title),
        "summary": text_in(language(), lab.summary),
        "lesson": lab.lesson_slug,
        "minutes": lab.minutes,
        "max_score": lab.max_score,
    }


class LabListView(APIView):
    """The labs of the course, in its order."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="labs_list", responses=LabSummarySerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them."""
        return Response([lab_summary(lab) for lab in catalog.load().labs])


class LabView(APIView):
    """One lab."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="labs_retrieve", parameters=[SEED], responses=LabSerializer)
    def get(self, request: Request, slug: str) -> Response:
        """With instructions, files and checks, in one variant."""
        lab = lab_or_404(slug)
        seed = grading.seed_of(request.user, lab, seed_named(request))
        lab = lab.variant(seed)
        checks = [
            {"id": check.id, "title": text_in(language(), check.title), "points": check.points}
            for check in lab.checks
        ]
        instructions = text_in(language(), lab.instructions)
        more = {"nodes": lab.nodes, "seed": seed, "instructions": instructions, "files": lab.files}
        return Response({**lab_summary(lab), **more, "checks": checks})


class LessonListView(APIView):
    """The lessons of the course, in its order."""

    permission_classes = [AllowAny]

    @extend_schema(operation_id="lessons_list", responses=LessonSerializer(many=True))
    def get(self, request: Request) -> Response:
        """All of them."""
        return Response(
            [
                {
                    "slug": lesson.slug,
                    "title": text_in(language(), lesson.title),
                    "summary": text_in(language(), lesson.summary),
                    "chapter": lesson.chapter_slug,
                    "minutes": lesson.minutes,
                    "labs": [lab.slug for lab in lesson.labs],
                }
                for lesson in catalog.load().lessons
            ]
        )


class SubmissionThrottle(ScopedRateThrottle):
    """Counts what costs a grading, not the reading of results."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """GET is free of it."""
        return request.method != "POST" or super().allow_request(request, view)


class SubmissionListView(APIView):
    """Submissions to one lab."""

    parser_classes = SUBMISSION_PARSERS
    throttle_scope = "submissions"
    throttle_classes = [SubmissionThrottle]

    @extend_schema(operation_id="labs_submissions_list", responses=SubmissionSerializer(many=True))
    def get(self, request: Request, slug: str) -> Response:
        """The caller's latest 50; an instructor's view of their classes."""
        lab_or_404(slug)
        found = (
            Submission.objects.for_user(user_of(request)).filter(lab_slug=slug).select_related("user")[:50]
        )
        return Response(SubmissionSerializer(found, many=True, context={"language": language()}).data)

    @extend_schema(
        operation_id="labs_submissions_create",
        request=SubmissionRequestSerializer,
        parameters=[WAIT, SEED],
        responses={200: SubmissionSerializer, 202: SubmissionSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Grade manifests in a fresh cluster. 202 while it is queued; with `wait`, 200 and the result."""
        lab = lab_or_404(slug)
        seed = seed_named(request)
        submission = grading.submit(user_of(request), lab, manifests_of(request), seed)
        data = SubmissionSerializer(submission, context={"language": language()}).data
        return Response(data, status=202, headers={"Location": f"/api/v1/submissions/{submission.pk}/"})


def manifests_of(request: Request) -> str:
    """The field `manifests`: text, or uploaded files joined as YAML documents."""
    data = request.data
    files = request.FILES.getlist("manifests") if request.FILES else []
    if files:
        if sum(file.size or 0 for file in files) > grading.MAX_MANIFESTS:
            raise grading.ManifestsError(f"manifests: at most {grading.MAX_MANIFESTS} bytes are taken")
        try:
            return grading.check_manifests("\n---\n".join(file.read().decode("utf-8") for file in files))
        except UnicodeDecodeError:
            raise grading.ManifestsError("manifests: the file is not UTF-8 text") from None
    if not hasattr(data, "get"):
        raise ValidationError({"non_field_errors": ["expected an object with the field manifests"]})
    if data.get("manifests") is None:
        raise ValidationError({"manifests": ["this field is required"]})
    return grading.check_manifests(data.get("manifests"))


class SubmissionView(APIView):
    """One submission."""

    @extend_schema(operation_id="submissions_retrieve", parameters=[WAIT], responses=SubmissionSerializer)
    def get(self, request: Request, submission_id: uuid.UUID) -> Response:
        """Its state, and once it is graded its result."""
        return submission_response(Submission.objects.for_user(user_of(request)), submission_id)


class LabSubmissionView(APIView):
    """One submission, found by its lab too."""

    @extend_schema(
        operation_id="labs_submissions_retrieve", parameters=[WAIT], responses=SubmissionSerializer
    )
    def get(self, request: Request, slug: str, submission_id: uuid.UUID) -> Response:
        """As `/submissions/{id}/`."""
        found = Submission.objects.for_user(user_of(request)).filter(lab_slug=slug)
        return submission_response(found, submission_id)


def submission_response(found: QuerySet[Submission], submission_id: uuid.UUID) -> Response:
    """The submission among those found, or 404."""
    submission = get_object_or_404(found.select_related("user"), pk=submission_id)
    data = SubmissionSerializer(submission, context={"language": language()}).data
    return Response(data)


class GradeListView(APIView):
    """Best scores."""

    @extend_schema(
        operation_id="grades_list",
        parameters=[
            OpenApiParameter("user", str, description="user name"),
            OpenApiParameter("lab", str),
            OpenApiParameter("class", int, description="members of one of the caller's classes alone"),
        ],
        responses=GradeSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """One row for each user and lab: a learner's own; an instructor's view of their classes."""
        attempts = Attempt.objects.for_user(user_of(request))
        if name := request.query_params.get("user"):
            attempts = attempts.filter(user__username=name.replace("\0", ""))
        if slug := request.query_params.get("lab"):
            attempts = attempts.filter(lab_slug=slug.replace("\0", ""))
        if ident := request.query_params.get("class"):
            attempts = attempts.filter(
                user__in=classroom_or_404(request, ident).members.values("pk").order_by()
            )
        best = attempts.best()
        names = dict(
            User.objects.filter(pk__in={row["user_id"] for row in best}).values_list("pk", "username")
        )
        return Response(
            [
                {
                    "user": names[row["user_id"]],
                    "lab": row["lab_slug"],
                    "score": row["score"],
                    "max_score": row["max_score"],
                    "passed": bool(row["passed"]),
                    "attempts": row["attempts"],
                    "last_attempt": row["at"],
                }
                for row in best
                if row["user_id"] in names
            ]
        )


def classroom_or_404(request: Request, ident: str) -> Classroom:
    """A class that the caller teaches."""
    number = int(ident) if ident.isascii() and ident.isdigit() and len(ident) <= 18 else 0
    return get_object_or_404(Classroom.objects.taught_by(user_of(request)), pk=number)


class ClassListView(APIView):
    """Classes."""

    @extend_schema(operation_id="classes_list", responses=ClassSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Those that the caller teaches, then those that the caller attends."""
        user = user_of(request)
        taught = ClassSerializer(Classroom.objects.taught_by(user), many=True, context={"teaches": True}).data
        attended = ClassSerializer(Classroom.objects.attended_by(user), many=True).data
        return Response([*taught, *attended])

    @extend_schema(
        operation_id="classes_create", request=ClassRequestSerializer, responses={201: ClassSerializer}
    )
    def post(self, request: Request) -> Response:
        """A new class that the caller, an instructor, teaches."""
        user = user_of(request)
        if not user.is_instructor:
            raise PermissionDenied
        body = ClassRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            made = classes.create(user, body.validated_data["name"])
        except classes.ClassError as error:
            raise ValidationError({"name": [str(error)]}) from error
        return Response(ClassSerializer(made, context={"teaches": True}).data, status=201)


class ClassJoinView(APIView):
    """The way into a class."""

    @extend_schema(operation_id="classes_join", request=ClassCodeSerializer, responses=ClassSerializer)
    def post(self, request: Request) -> Response:
        """Become a member by the class's code. Guests sign up first."""
        user = user_of(request)
        if user.is_guest:
            raise PermissionDenied
        body = ClassCodeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            joined = classes.join(user, body.validated_data["code"])
        except classes.ClassError as error:
            raise ValidationError({"code": [str(error)]}) from error
        return Response(ClassSerializer(joined).data)


class ClassView(APIView):
    """One class, to its teachers."""

    @extend_schema(operation_id="classes_retrieve", responses=ClassDetailSerializer)
    def get(self, request: Request, class_id: int) -> Response:
        """With its members."""
        classroom = classroom_or_404(request, str(class_id))
        return Response(ClassDetailSerializer(classroom, context={"teaches": True}).data)


class MeView(APIView):
    """The caller."""

    @extend_schema(operation_id="me_retrieve", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who am I?"""
        return Response(MeSerializer(user_of(request)).data)
