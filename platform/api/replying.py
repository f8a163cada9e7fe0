"""Replies to "My answer is right" in the API: the caller's own appeals, and that a reply was read."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from grading import appeals
from grading.models import Appeal
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from api.callers import user_of

SHOWN = 100
"""Appeals that are told at once."""


class AppealSerializer(serializers.ModelSerializer[Appeal]):
    """A learner's word against a check, and what was written back."""

    lab = serializers.CharField(source="run.lab_slug")
    check_id = serializers.CharField()

    class Meta:
        model = Appeal
        fields = ("id", "run", "lab", "check_id", "note", "at", "settled", "reply", "read")


class AppealListView(APIView):
    """The caller's appeals."""

    @extend_schema(operation_id="appeals_list", responses=AppealSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's own, at most 100, the latest first."""
        own = Appeal.objects.owned_by(user_of(request)).select_related("run").order_by("-at")
        return Response(AppealSerializer(own[:SHOWN], many=True).data)


class AppealReadView(APIView):
    """That a reply was read."""

    @extend_schema(operation_id="appeal_read", request=None, responses=AppealSerializer)
    def post(self, request: Request, appeal_id: Any) -> Response:
        """Its learner has read what was written back; the first time counts."""
        own = Appeal.objects.owned_by(user_of(request)).select_related("run")
        found = get_object_or_404(own, pk=appeal_id)
        appeals.note_read(found)
        return Response(AppealSerializer(found).data)
