"""The REST API of lab runs. Each view reaches rows through `for_user` or `owned_by`: what is not yours is not there."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from asgiref.sync import async_to_sync
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView
from runs import branches, hosting, other_states, stations
from runs import services as runs
from runs.happenings import with_sentence
from runs.models import Run
from runs.reasons import with_words

from api.callers import lab_or_404, language, user_of
from api.run_serializers import (
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
    RunTakehomeSerializer,
    RunTokenSerializer,
    RunTrailRequestSerializer,
    RunTrailSerializer,
    RunWhatIfRequestSerializer,
    RunWhatIfSerializer,
    RunWhyRequestSerializer,
    RunWhySerializer,
)
from labs.kit import takehome


def _refused(reply: hosting.Reply) -> Exception:
    """What is raised for an answer of a run's host that is not 200: its own sentence, or that it has none for us."""
    said = reply.data.get("error") if isinstance(reply.data, dict) else None
    if said and reply.status == 404:
        return NotFound(said)
    if said and reply.status in (400, 409, 410):
        return ValidationError({"non_field_errors": [said]})
    return hosting.UnavailableError(f"the host answered {reply.status}")


def _told(reply: hosting.Reply, shape: type[Serializer[Any]]) -> Response:
    """What a run's host answered, in the API's shape. Raises as `_refused` says."""
    if reply.status != 200:
        raise _refused(reply)
    return Response(shape(reply.data).data)


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
        return _told(reply, RunClockSerializer)


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
        return _told(reply, RunWhySerializer)


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
        return _told(reply, RunTrailSerializer)


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
        return _told(reply, RunPastSerializer)


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
        return _told(reply, RunBranchedSerializer)


class RunStepsView(APIView):
    """The lab's steps of one run."""

    @extend_schema(operation_id="runs_steps_list", responses=RunStepSerializer(many=True))
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """The steps that have begun: `branches` with the action `step` goes back to where one did."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        return Response(RunStepSerializer(branches.steps(run), many=True).data)


class RunTakehomeView(APIView):
    """The lab of one run, to take home."""

    @extend_schema(operation_id="runs_takehome_retrieve", responses=RunTakehomeSerializer)
    def get(self, request: Request, run_id: uuid.UUID) -> Response:
        """Its start, and what was made of it so far, as plain manifests that a real cluster takes."""
        run = get_object_or_404(Run.objects.for_user(user_of(request)).live(), pk=run_id)
        lab = lab_or_404(run.lab_slug).variant(run.seed)
        reply = async_to_sync(hosting.call)(run, "GET", "written")
        if reply.status != 200:
            raise _refused(reply)
        spoken = language() if language() in lab.title else run.language
        return Response(
            RunTakehomeSerializer({"files": takehome.files(lab, spoken, reply.data["manifests"])}).data
        )


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
        return _told(reply, RunWhatIfSerializer)
