"""The review queue in the API: the caller's own questions, and answers to them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from review import repairs, services
from review.services import Asked

from api.callers import language, user_of


class ReviewQuestionSerializer(serializers.Serializer[Any]):
    """A question that waits."""

    question = serializers.CharField(help_text="What it is known by")
    lesson = serializers.CharField()
    text = serializers.CharField(help_text="Markdown")
    answers = serializers.ListField(child=serializers.CharField(help_text="Markdown"))


class ReviewRepairSerializer(serializers.Serializer[Any]):
    """A lab that waits to be mended again."""

    lab = serializers.CharField(help_text="Its slug")
    minutes = serializers.IntegerField()


class ReviewAnswerSerializer(serializers.Serializer[Any]):
    """An answer to a question."""

    answer = serializers.IntegerField(min_value=0, help_text="Which of its answers, from 0")


class ReviewedSerializer(serializers.Serializer[Any]):
    """What came of an answer."""

    right = serializers.BooleanField()
    why = serializers.CharField(help_text="Markdown")
    due = serializers.DateTimeField(allow_null=True, help_text="When it comes back; null: it is known")
    waiting = serializers.IntegerField(help_text="How many questions wait now")


def _question(asked: Asked) -> Any:
    return asked.texts.get(language().lower()) or asked.texts["en"]


class ReviewListView(APIView):
    """Questions that wait."""

    @extend_schema(operation_id="review_list", responses=ReviewQuestionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's, at most 50, what has waited longest first."""
        return Response(
            [
                {
                    "question": asked.id,
                    "lesson": asked.lesson.slug,
                    "text": _question(asked).text,
                    "answers": [answer.text for answer in _question(asked).answers],
                }
                for asked in services.waiting(user_of(request))
            ]
        )


class ReviewRepairsView(APIView):
    """Small repairs that wait."""

    @extend_schema(operation_id="review_repairs", responses=ReviewRepairSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The caller's, at most 10, what has waited longest first: a new run of the lab is another variant."""
        return Response(
            [{"lab": lab.slug, "minutes": lab.minutes} for lab in repairs.waiting(user_of(request))]
        )


class ReviewAnswerView(APIView):
    """One question."""

    @extend_schema(operation_id="review_answer", request=ReviewAnswerSerializer, responses=ReviewedSerializer)
    def post(self, request: Request, question: str) -> Response:
        """Answer it. The first answer puts it into the queue; one before its time changes nothing."""
        body = ReviewAnswerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        asked = services.question(question)
        if asked is None:
            raise NotFound(_("There is no such question."))
        number = body.validated_data["answer"]
        try:
            card = services.answer(user_of(request), asked, number)
        except IndexError:
            raise ValidationError({"answer": [_("The question has no such answer.")]}) from None
        chosen = _question(asked).answers[number]
        return Response(
            ReviewedSerializer(
                {
                    "right": chosen.right,
                    "why": chosen.why,
                    "due": card.due,
                    "waiting": services.count(user_of(request)),
                }
            ).data
        )
