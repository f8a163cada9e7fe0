"""Hints in the API: the next one about a check of the caller's run that fails."""

from __future__ import annotations

import uuid
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from grading import hints
from grading.appeals import HintError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from runs.models import Run

from api.callers import language, user_of


class HintRequestSerializer(serializers.Serializer[Any]):
    """About which check."""

    check = serializers.CharField(
        max_length=100, required=False, help_text="Its id; the first that fails if left out"
    )


class HintSerializer(serializers.Serializer[Any]):
    """A hint."""

    check = serializers.CharField()
    title = serializers.CharField()
    hint = serializers.CharField()
    wait = serializers.IntegerField(
        allow_null=True, help_text="Seconds until the next may be asked for; null after the last"
    )


class RunHintView(APIView):
    """Hints about one run."""

    @extend_schema(operation_id="runs_hint", request=HintRequestSerializer, responses=HintSerializer)
    def post(self, request: Request, run_id: uuid.UUID) -> Response:
        """The next hint. The last one comes half a minute after the one before; which were read is noted."""
        run = get_object_or_404(Run.objects.owned_by(user_of(request)).live(), pk=run_id)
        asked = HintRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        try:
            told = hints.give(run.pk, asked.validated_data.get("check", ""), language().lower())
        except HintError as error:
            raise ValidationError({"non_field_errors": [str(error)]}) from error
        return Response(HintSerializer(told).data)
