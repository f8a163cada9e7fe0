"""The REST API. Each view reaches rows through `for_user`, so what is not yours is not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from accounts import classes
from accounts.models import Classroom, User
from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from grading import services as grading
from grading.models import Attempt, Submission
from grading.reports import text_in
from rest_framework.exceptions import NotFound, PermissionDenied, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView
from runs import branches, hosting, other_states, stations
from runs import services as runs
from runs.happenings import with_sentence
from runs.models import Run
from runs.reasons import with_words

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
    RunBranchedSerializer,
    RunBranchNameSerializer,
    RunBranchRequestSerializer,
    RunBranchSerializer,
    RunClockRequestSerializer,
    RunClockSerializer,
    RunPastRequestSerializer,
    RunPastSerializer,
    RunRequestSerializer,
    RunSerializer,
    RunStepSerializer,
    RunTokenSerializer,
    RunTrailRequestSerializer,
    RunTrailSerializer,
    RunWhatIfRequestSerializer,
    RunWhatIfSerializer,
    RunWhyRequestSerializer,
    RunWhySerializer,
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


def language() -> str:
    """The language that Accept-Language (or the site's cookie) chose."""
    return get_language() or "en"


def lab_or_404(slug: str) -> Any:
    """A lab of the course."""
    try:
        return catalog.load().lab(slug)
    except KeyError:
        raise NotFound(_("There is no lab “%(slug)s”.") % {"slug": slug}) from None


def seed_named(request: Request) -> int | None:
    """The seed in the address, if there is one."""
    text = request.query_params.get("seed")
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 10 or int(text) >= SEEDS:
        raise ValidationError({"seed": [f"expected a whole number from 0 to {SEEDS - 1}"]})
    return int(text)


def user_of(request: Request) -> User:
    """The caller; the views below are only for those who are known."""
    assert isinstance(request.user, User)
    return request.user


def _refused(reply: hosting.Reply) -> Exception:
    """What is raised for an answer of a run's host that is not 200: its own sentence, or that it has none for us."""
    said = reply.data.get("error") if isinstance(reply.data, dict) else None
    if said and reply.status == 404:
        return NotFound(said)
    if said and reply.status in (400, 409, 410):
        return ValidationError({"non_field_errors": [said]})
    return hosting.UnavailableError(f"the host answered {reply.status}")


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


class RunListView(ListAPIView[Run]):
    """Lab runs."""

    serializer_class = RunSerializer
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        """The caller's own; an instructor's view of their classes. Clusters beside lessons are no lab's runs."""
        return Run.objects.for_user(user_of(self.request)).of_labs().select_related("user")

    @extend_schema(operation_id="runs_create", request=RunRequestSerializer, responses={201: RunSerializer})
    def post(self, request: Request) -> Response:
        """Start a lab, or get the live run of it."""
        body = RunRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = runs.start_run(user_of(request), lab_or_404(body.validated_data["lab"]), language())
        return Response(RunSerializer(run, context={"request": request}).data, status=201)


class RunView(APIView):
    """One run."""

    @extend_schema(operation_id="runs_retrieve", responses=RunSerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """How it is."""
        found = Run.objects.for_user(user_of(request)).select_related("user")
        return Response(RunSerializer(get_object_or_404(found, pk=run_id), context={"request": request}).data)

    @extend_schema(operation_id="runs_destroy", responses={200: RunSerializer})
    def delete(self, request: Request, run_id: uuid.UUID) -> Response:
        """Stop it. Its owner may."""
        found = Run.objects.owned_by(user_of(request)).select_related("user")
        run = runs.stop(get_object_or_404(found, pk=run_id))
        return Response(RunSerializer(run, context={"request": request}).data)


class RunTokenView(APIView):
    """The key of one run for its owner's own tools."""

    @extend_schema(operation_id="runs_token_renew", request=None, responses=RunTokenSerializer)
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """A new one; that of before, and every kubeconfig that holds it, opens nothing more."""
        run = get_object_or_404(Run.objects.owned_by(user_of(request)).live(), pk=run_id)
        runs.renew_token(run)
        return Response(RunTokenSerializer(run).data)


class RunClockView(APIView):
    """The clock of one run's cluster."""

    @extend_schema(operation_id="runs_clock_retrieve", responses=RunClockSerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The cluster's time, and how fast it goes."""
        return self._answer(Run.objects.for_user(user_of(request)).live(), run_id, "GET", None)

    @extend_schema(
        operation_id="runs_clock_set", request=RunClockRequestSerializer, responses=RunClockSerializer
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Pause, resume, set the speed, step to what happens next, or advance by some seconds."""
        asked = RunClockRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        owned = Run.objects.owned_by(user_of(request)).live()
        return self._answer(owned, run_id, "POST", asked.validated_data)

    @staticmethod
    def _answer(runs: QuerySet[Run], run_id: uuid.UUID, method: str, data: Any) -> Response:
        run = get_object_or_404(runs, pk=run_id)
        reply = with_sentence(async_to_sync(hosting.call)(run, method, "clock", data))
        if reply.status == 200:
            return Response(RunClockSerializer(reply.data).data)
        raise _refused(reply)


class RunWhyView(APIView):
    """What led to an object of one run's cluster."""

    @extend_schema(
        operation_id="runs_why_retrieve", parameters=[RunWhyRequestSerializer], responses=RunWhySerializer
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Why is it so? And of a Pod: why here, or why nowhere?"""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        asked = RunWhyRequestSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reply = with_words(async_to_sync(hosting.call)(run, "GET", "why", asked.validated_data))
        if reply.status == 200:
            return Response(RunWhySerializer(reply.data).data)
        raise _refused(reply)


class RunRequestsView(APIView):
    """The requests to one run's cluster."""

    @extend_schema(
        operation_id="runs_requests_retrieve",
        parameters=[RunTrailRequestSerializer],
        responses=RunTrailSerializer,
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The latest requests that changed something; with `id` one, station by station, and what followed."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        asked = RunTrailRequestSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reply = stations.with_words(async_to_sync(hosting.call)(run, "GET", "trail", asked.validated_data))
        if reply.status == 200:
            return Response(RunTrailSerializer(reply.data).data)
        raise _refused(reply)


class RunPastView(APIView):
    """One run's cluster as it was."""

    @extend_schema(
        operation_id="runs_past_retrieve", parameters=[RunPastRequestSerializer], responses=RunPastSerializer
    )
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """How far one can look back; with `at` or `revision` what there was, and what is different since."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        asked = RunPastRequestSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        reply = other_states.with_words(async_to_sync(hosting.call)(run, "GET", "past", asked.validated_data))
        if reply.status == 200:
            return Response(RunPastSerializer(reply.data).data)
        raise _refused(reply)


class RunBranchesView(APIView):
    """The branches of one run."""

    @extend_schema(operation_id="runs_branches_list", responses=RunBranchSerializer(many=True))
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The ways that the run went, and which of them is present."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        return Response(RunBranchSerializer(branches.listed(run), many=True).data)

    @extend_schema(
        operation_id="runs_branches_create",
        request=RunBranchRequestSerializer,
        responses=RunBranchedSerializer,
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """Go on from a moment of the past, from before what was done last, or on another branch."""
        run = get_object_or_404(Run.objects.owned_by(user_of(request)).live(), pk=run_id)
        asked = RunBranchRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        reply = async_to_sync(hosting.call)(run, "POST", "branch", dict(asked.validated_data))
        if reply.status == 200:
            return Response(RunBranchedSerializer(reply.data).data)
        raise _refused(reply)


class RunStepsView(APIView):
    """The lab's steps of one run."""

    @extend_schema(operation_id="runs_steps_list", responses=RunStepSerializer(many=True))
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The steps that have begun: `branches` with the action `step` goes back to where one did."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        return Response(RunStepSerializer(branches.steps(run), many=True).data)


class RunBranchView(APIView):
    """One branch of one run."""

    @extend_schema(
        operation_id="runs_branch_update",
        request=RunBranchNameSerializer,
        responses=RunBranchSerializer(many=True),
    )
    def patch(self, request: Request, run_id: uuid.UUID, number: int) -> Response:
        """Rename it."""
        asked = RunBranchNameSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        return self._changed(request, run_id, partial(branches.rename, number=number, **asked.validated_data))

    @extend_schema(operation_id="runs_branch_destroy", responses=RunBranchSerializer(many=True))
    def delete(self, request: Request, run_id: uuid.UUID, number: int) -> Response:
        """Delete it, with what it shares with no other."""
        return self._changed(request, run_id, partial(branches.delete, number=number))

    @staticmethod
    def _changed(request: Request, run_id: uuid.UUID, change: Callable[[Run], None]) -> Response:
        run = get_object_or_404(Run.objects.owned_by(user_of(request)).live(), pk=run_id)
        try:
            change(run)
        except branches.BranchError as error:
            raise ValidationError({"non_field_errors": [str(error)]}) from error
        return Response(RunBranchSerializer(branches.listed(run), many=True).data)


class RunWhatIfView(APIView):
    """Something tried beside one run's cluster."""

    @extend_schema(
        operation_id="runs_whatif", request=RunWhatIfRequestSerializer, responses=RunWhatIfSerializer
    )
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """What would happen if? The cluster itself is not touched."""
        run = get_object_or_404(Run.objects.owned_by(user_of(request)).live(), pk=run_id)
        asked = RunWhatIfRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        reply = other_states.foretold(
            async_to_sync(hosting.call)(run, "POST", "whatif", dict(asked.validated_data))
        )
        if reply.status == 200:
            return Response(RunWhatIfSerializer(reply.data).data)
        raise _refused(reply)


class MeView(APIView):
    """The caller."""

    @extend_schema(operation_id="me_retrieve", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        """Who am I?"""
        return Response(MeSerializer(user_of(request)).data)
