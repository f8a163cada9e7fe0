"""The page of a user's API tokens."""

from __future__ import annotations

from config.errors import wants_json
from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import ApiToken, User
from accounts.services import TOKENS_PER_USER


class TokenForm(forms.Form):
    """What a new token is called."""

    name = forms.CharField(max_length=80, label=_("Name"))


@login_required
@never_cache
@require_http_methods(["GET", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """List the tokens; POST makes one and shows its secret this once."""
    user = request.user
    if not isinstance(user, User) or user.is_guest:
        return redirect("account_signup")
    form = TokenForm(request.POST if request.method == "POST" else None)
    secret, status = "", 200
    if request.method == "POST" and form.is_valid():
        if ApiToken.objects.for_user(user).count() >= TOKENS_PER_USER:
            form.add_error(
                "name", _("You have %(limit)d tokens already. Revoke one first.") % {"limit": TOKENS_PER_USER}
            )
        else:
            _token, secret = ApiToken.issue(user, form.cleaned_data["name"])
    error = " ".join(map(str, form.errors.get("name", [])))
    if error:
        status = 400
    owned = ApiToken.objects.for_user(user)
    if wants_json(request):
        if error:
            return JsonResponse({"error": error}, status=status)
        rows = [{"id": t.pk, "name": t.name, "prefix": t.prefix, "last_used": t.last_used} for t in owned]
        return JsonResponse({"token": secret, "tokens": rows})
    context = {"tokens": owned, "secret": secret, "error": error}
    return render(request, "accounts/tokens.html", context, status=status)


@login_required
@require_POST
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """End one of the user's own tokens."""
    owned = ApiToken.objects.for_user(request.user)  # type: ignore[arg-type]
    get_object_or_404(owned, pk=token_id).delete()
    return JsonResponse({"revoked": True}) if wants_json(request) else redirect("accounts:tokens")
