"""Classes: what their teachers and their members do with them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Classroom, Invitation, User

#: Classes that one user teaches, or attends.
CLASSES = 50
#: Members of a class, and addresses that are invited to it.
MEMBERS = 500
NAME_LENGTH = 80


class ClassError(Exception):
    """It cannot be done; the sentence says why."""


def create(teacher: User, name: str) -> Classroom:
    """A new class of this teacher. Raises ClassError."""
    if teacher.classrooms_taught.count() >= CLASSES:
        raise ClassError(_("You teach %(limit)d classes already.") % {"limit": CLASSES})
    classroom = Classroom.objects.create(name=checked_name(name))
    classroom.teachers.add(teacher)
    return classroom


def rename(classroom: Classroom, name: str) -> None:
    """Call it otherwise. Raises ClassError."""
    classroom.name = checked_name(name)
    classroom.save(update_fields=["name"])


def checked_name(name: str) -> str:
    """A name that a class may have. Raises ClassError."""
    name = " ".join(name.replace("\0", "").split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise ClassError(_("A class has a name of at most %(limit)d characters.") % {"limit": NAME_LENGTH})
    return name


@transaction.atomic
def join(user: User, code: str) -> Classroom:
    """Become a member by the class's code. Raises ClassError."""
    classroom = Classroom.objects.select_for_update().filter(code=code.strip().upper()[:16]).first()
    if classroom is None:
        raise ClassError(_("No class has this code. Ask your teacher for it."))
    return _enter(user, classroom)


def _enter(user: User, classroom: Classroom) -> Classroom:
    if user.classrooms.count() >= CLASSES:
        raise ClassError(_("You are in %(limit)d classes already.") % {"limit": CLASSES})
    if classroom.members.count() >= MEMBERS:
        raise ClassError(_("The class is full."))
    classroom.members.add(user)
    Invitation.objects.for_user(user).filter(classroom=classroom).delete()
    return classroom


@transaction.atomic
def accept(user: User, invitation: Invitation) -> Classroom:
    """Follow an invitation. Raises ClassError."""
    return _enter(user, Classroom.objects.select_for_update().get(pk=invitation.classroom_id))


@transaction.atomic
def invite(classroom: Classroom, text: str) -> int:
    """Invite addresses, one a line or with commas between them; how many are new. Raises ClassError for a bad one."""
    addresses = dict.fromkeys(word.lower() for word in text.replace(",", " ").replace(";", " ").split())
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise ClassError(_("“%(address)s” is no e-mail address.") % {"address": address[:100]}) from None
    known = set(classroom.invitations.values_list("email", flat=True))
    known |= {email.lower() for email in classroom.members.values_list("email", flat=True)}
    new = [address for address in addresses if address not in known]
    if classroom.invitations.count() + len(new) > MEMBERS:
        raise ClassError(_("At most %(limit)d addresses can be invited to a class.") % {"limit": MEMBERS})
    Invitation.objects.bulk_create(Invitation(classroom=classroom, email=address) for address in new)
    return len(new)
