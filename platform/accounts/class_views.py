"""The pages of classes: everybody's own, and one class to its teachers. A form names its `action`."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import classes as services
from accounts.classes import ClassError
from accounts.models import Classroom, Invitation, User, new_code

Done = HttpResponse | None


def _number(request: HttpRequest, name: str) -> int:
    """A row's number in the form. Raises Http404."""
    text = request.POST.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Http404
    return int(text)


# -- one's own ------------------------------------------------------------------------------------------


def _create(request: HttpRequest, user: User) -> Done:
    if not user.is_instructor:
        raise PermissionDenied
    made = services.create(user, request.POST.get("name", ""))
    return redirect("classes:classroom", made.pk)


def _join(request: HttpRequest, user: User) -> Done:
    services.join(user, request.POST.get("code", ""))
    return None


def _leave(request: HttpRequest, user: User) -> Done:
    get_object_or_404(user.classrooms, pk=_number(request, "class")).members.remove(user)
    return None


def _invitation(request: HttpRequest, user: User) -> Invitation:
    return get_object_or_404(Invitation.objects.for_user(user), pk=_number(request, "invitation"))


def _accept(request: HttpRequest, user: User) -> Done:
    services.accept(user, _invitation(request, user))
    return None


def _decline(request: HttpRequest, user: User) -> Done:
    _invitation(request, user).delete()
    return None


OWN: dict[str, Callable[[HttpRequest, User], Done]] = {
    "create": _create,
    "join": _join,
    "leave": _leave,
    "accept": _accept,
    "decline": _decline,
}
"""What somebody does about classes."""


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def classes(request: HttpRequest) -> HttpResponse:
    """Classes that one is in, is invited to, or teaches. Guests sign up first."""
    user = request.user
    if not isinstance(user, User) or user.is_guest:
        return redirect("account_signup")
    error, status = "", 200
    if request.method == "POST":
        action = OWN.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        try:
            return action(request, user) or redirect("classes:classes")
        except ClassError as problem:
            error, status = str(problem), 400
    context = {
        "taught": Classroom.objects.taught_by(user),
        "attended": Classroom.objects.attended_by(user).prefetch_related("teachers"),
        "invitations": Invitation.objects.for_user(user).select_related("classroom"),
        "error": error,
        "asked": request.POST.get("action", ""),
    }
    return render(request, "accounts/classes.html", context, status=status)


# -- a class that one teaches ---------------------------------------------------------------------------


def _invite(request: HttpRequest, classroom: Classroom) -> Done:
    services.invite(classroom, request.POST.get("addresses", ""))
    return None


def _withdraw(request: HttpRequest, classroom: Classroom) -> Done:
    classroom.invitations.filter(pk=_number(request, "invitation")).delete()
    return None


def _remove(request: HttpRequest, classroom: Classroom) -> Done:
    classroom.members.remove(_number(request, "user"))
    return None


def _new_code(request: HttpRequest, classroom: Classroom) -> Done:
    classroom.code = new_code()
    classroom.save(update_fields=["code"])
    return None


def _rename(request: HttpRequest, classroom: Classroom) -> Done:
    services.rename(classroom, request.POST.get("name", ""))
    return None


def _delete(request: HttpRequest, classroom: Classroom) -> Done:
    classroom.delete()
    return redirect("classes:classes")


TAUGHT: dict[str, Callable[[HttpRequest, Classroom], Done]] = {
    "invite": _invite,
    "withdraw": _withdraw,
    "remove": _remove,
    "code": _new_code,
    "rename": _rename,
    "delete": _delete,
}
"""What a teacher does with a class."""


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def classroom(request: HttpRequest, class_id: int) -> HttpResponse:
    """One class: its code, its members, who is invited."""
    found = get_object_or_404(Classroom.objects.taught_by(request.user), pk=class_id)
    error, status = "", 200
    if request.method == "POST":
        action = TAUGHT.get(request.POST.get("action", ""))
        if action is None:
            raise Http404
        try:
            return action(request, found) or redirect("classes:classroom", found.pk)
        except ClassError as problem:
            error, status = str(problem), 400
    context = {
        "classroom": found,
        "members": found.members.order_by("username"),
        "invitations": found.invitations.all(),
        "error": error,
    }
    return render(request, "accounts/classroom.html", context, status=status)
