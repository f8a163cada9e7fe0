"""Users in Django's admin: who is an instructor, new passwords, who may no longer come in.

Logging in goes through the site's own page, with its limits; only staff get further.
"""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import Classroom, Invitation, User

admin.site.site_header = admin.site.site_title = "Drydock"
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class DrydockUserAdmin(UserAdmin):  # type: ignore[type-arg]
    """Django's own, with what is ours."""

    list_display = ("username", "email", "is_instructor", "is_staff", "is_guest", "is_active", "date_joined")
    list_filter = ("is_guest", "is_instructor", "is_staff", "is_active")
    fieldsets = (
        *(UserAdmin.fieldsets or ()),
        ("Drydock", {"fields": ("is_instructor", "must_change_password", "is_guest", "language")}),
    )
    readonly_fields = ("is_guest",)


class InvitationInline(admin.TabularInline):  # type: ignore[type-arg]
    """The addresses that are invited to a class."""

    model = Invitation
    extra = 0


class ClassroomAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Classes: who teaches them and who is in them."""

    list_display = ("name", "code", "created")
    search_fields = ("name", "code")
    raw_id_fields = ("teachers", "members")
    inlines = (InvitationInline,)


admin.site.register(User, DrydockUserAdmin)
admin.site.register(Classroom, ClassroomAdmin)
