"""Classes: who comes in, who sees whose work, and what teachers do with them."""

from __future__ import annotations

from typing import Any

import pytest
from accounts import classes
from accounts.classes import ClassError
from accounts.models import CODE_LENGTH, Classroom, Invitation, User
from django.test import Client
from grading.models import Attempt, Submission
from runs import reading
from runs.models import Run


@pytest.fixture
def teacher(people: dict[str, User]) -> User:
    """An instructor who does not lead the installation."""
    user = User.objects.create_user("rower", password="secret-pass-5", is_instructor=True)
    people["rower"] = user
    return user


@pytest.fixture
def leader(people: dict[str, User]) -> User:
    """Whose installation it is."""
    user = User.objects.create_superuser("keeper", password="secret-pass-7", is_instructor=True)
    people["leader"] = user
    return user


@pytest.fixture
def classroom(teacher: User) -> Classroom:
    return classes.create(teacher, "  Harbour   7b ")


def test_a_class_has_a_name_a_code_and_a_teacher(classroom: Classroom, teacher: User) -> None:
    assert (classroom.name, len(classroom.code)) == ("Harbour 7b", CODE_LENGTH)
    assert list(classroom.teachers.all()) == [teacher]
    assert str(classroom) == "Harbour 7b"


# -- who sees whom --------------------------------------------------------------------------------------


@pytest.fixture
def work(people: dict[str, User], lab: Any, make_run: Any) -> dict[str, Run]:
    """A run, an attempt and a submission of each learner."""
    runs = {}
    for role in ("owner", "other", "guest"):
        runs[role] = make_run(role)
        Attempt.objects.create(user=people[role], lab_slug=lab.slug, score=1, max_score=2)
        Submission.objects.create(user=people[role], lab_slug=lab.slug, manifests="x")
    return runs


@pytest.mark.parametrize(
    ("looks", "sees"),
    [
        ("rower", {"owner"}),
        ("instructor", {"owner", "other", "guest"}),
        ("leader", {"owner", "other", "guest"}),
        ("owner", {"owner"}),
        ("other", {"other"}),
    ],
    ids=["teacher-of-the-class", "teacher-of-all", "leader", "member", "stranger"],
)
def test_whose_work_is_seen(
    work: dict[str, Run],
    people: dict[str, User],
    classroom: Classroom,
    leader: User,
    looks: str,
    sees: set[str],
) -> None:
    classroom.members.add(people["owner"])
    names = {people[role].username for role in sees}
    for model in (Run, Attempt, Submission):
        assert {row.user.username for row in model.objects.for_user(people[looks])} == names


def test_a_teacher_of_another_class_sees_nothing(
    work: dict[str, Run], people: dict[str, User], teacher: User, client_of: Any, lab: Any
) -> None:
    other = User.objects.create_user("stranger", password="secret-pass-6", is_instructor=True)
    classes.create(other, "Other").members.add(people["owner"])
    run, owner = work["owner"], people["owner"]
    client = client_of("rower")
    page = client.get("/grades/")
    assert (page.status_code, page.context["rows"], page.context["guests"]) == (200, [], [])
    assert owner.username not in page.content.decode()
    for path in (
        f"/grades/{owner.pk}/{lab.slug}/", f"/grades/runs/{run.pk}/", f"/grades/runs/{run.pk}/kubeconfig/",
        f"/runs/{run.pk}/state/", f"/api/v1/runs/{run.pk}/", f"/grades/?class={other.classrooms_taught.get().pk}",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path
    assert len(client.get("/grades/grades.csv").content.decode().splitlines()) == 1
    assert client.get("/api/v1/grades/").json() == []
    assert reading.reader_of(run.pk, reading.reading_token(run, teacher)) is None
    assert reading.reader_of(run.pk, reading.reading_token(run, other)) == other


def test_who_leaves_a_class_is_seen_no_more(
    work: dict[str, Run], people: dict[str, User], classroom: Classroom, teacher: User, client_of: Any
) -> None:
    classroom.members.add(people["owner"])
    run = work["owner"]
    key = reading.reading_token(run, teacher)
    assert reading.reader_of(run.pk, key) == teacher
    client_of("owner").post("/classes/", {"action": "leave", "class": classroom.pk})
    assert reading.reader_of(run.pk, key) is None
    assert list(Run.objects.for_user(teacher)) == []


def test_the_gradebook_of_one_class(
    work: dict[str, Run], people: dict[str, User], classroom: Classroom, teacher: User, client_of: Any
) -> None:
    second = classes.create(teacher, "8a")
    classroom.members.add(people["owner"])
    second.members.add(people["other"], people["owner"])
    client = client_of("rower")

    def rows(query: str) -> list[str]:
        return [row.user.username for row in client.get(f"/grades/{query}").context["rows"]]

    assert rows("") == ["other", "owner"]
    assert rows(f"?class={classroom.pk}") == ["owner"]
    assert rows(f"?class={second.pk}&q=oth") == ["other"]
    assert f"?class={classroom.pk}" in client.get(f"/grades/?class={classroom.pk}").context["csv_url"]
    table = client.get(f"/grades/grades.csv?class={classroom.pk}").content.decode().splitlines()
    assert [line.partition(",")[0] for line in table[1:]] == ["owner"]
    found = client.get(f"/api/v1/grades/?class={second.pk}").json()
    assert sorted(row["user"] for row in found) == ["other", "owner"]
    for bad in ("x", "0", "9" * 30):
        assert client.get(f"/grades/?class={bad}").status_code == 404
        assert client.get(f"/api/v1/grades/?class={bad}").status_code == 404


# -- coming in ------------------------------------------------------------------------------------------


def test_by_code(classroom: Classroom, people: dict[str, User], client_of: Any) -> None:
    answer = client_of("owner").post("/classes/", {"action": "join", "code": f" {classroom.code.lower()} "})
    assert (answer.status_code, list(classroom.members.all())) == (302, [people["owner"]])
    assert "Harbour 7b" in client_of("owner").get("/classes/").content.decode()
    wrong = client_of("other").post("/classes/", {"action": "join", "code": "NOSUCHCODE"})
    assert (wrong.status_code, "No class has this code" in wrong.content.decode()) == (400, True)


def test_by_invitation(classroom: Classroom, people: dict[str, User], client_of: Any) -> None:
    assert classes.invite(classroom, "Owner@Example.org, new@example.org\nnew@example.org") == 2
    assert classes.invite(classroom, "new@example.org") == 0
    page = client_of("owner").get("/classes/")
    (invitation,) = page.context["invitations"]
    assert "You are invited to the class “Harbour 7b”." in page.content.decode()
    assert list(client_of("other").get("/classes/").context["invitations"]) == []
    stolen = client_of("other").post("/classes/", {"action": "accept", "invitation": invitation.pk})
    assert (stolen.status_code, classroom.members.count()) == (404, 0)
    client_of("owner").post("/classes/", {"action": "accept", "invitation": invitation.pk})
    assert list(classroom.members.all()) == [people["owner"]]
    assert [str(row.email) for row in Invitation.objects.all()] == ["new@example.org"]


def test_an_invitation_shows_nothing_before_it_is_accepted(
    work: dict[str, Run], classroom: Classroom, teacher: User, client_of: Any
) -> None:
    classes.invite(classroom, "owner@example.org")
    assert list(Run.objects.for_user(teacher)) == []
    (invitation,) = client_of("owner").get("/classes/").context["invitations"]
    client_of("owner").post("/classes/", {"action": "decline", "invitation": invitation.pk})
    assert (Invitation.objects.count(), classroom.members.count()) == (0, 0)


def test_guests_sign_up_first(classroom: Classroom, client_of: Any) -> None:
    answer = client_of("guest").post("/classes/", {"action": "join", "code": classroom.code})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/signup/")
    assert (
        client_of("guest")
        .post("/api/v1/classes/join/", {"code": classroom.code}, content_type="application/json")
        .status_code
        == 403
    )
    assert classroom.members.count() == 0


# -- what teachers do -----------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ["invite", "withdraw", "remove", "code", "rename", "delete", "nonsense"])
@pytest.mark.parametrize("role", ["owner", "instructor", "leader", "rower"])
def test_who_may(
    classroom: Classroom, people: dict[str, User], leader: User, client_of: Any, action: str, role: str
) -> None:
    """The class's teacher, and who leads; to all others it is not there."""
    classroom.members.add(people["owner"])
    classes.invite(classroom, "a@example.org")
    form = {
        "action": action, "addresses": "b@example.org", "name": "New", "user": people["owner"].pk,
        "invitation": classroom.invitations.get().pk,
    }  # fmt: skip
    answer = client_of(role).post(f"/classes/{classroom.pk}/", form)
    may = role in ("leader", "rower") and action != "nonsense"
    assert answer.status_code == (302 if may else 404)
    found = Classroom.objects.filter(pk=classroom.pk).first()
    done = {
        "invite": found is not None and found.invitations.count() == 2,
        "withdraw": found is not None and found.invitations.count() == 0,
        "remove": found is not None and found.members.count() == 0,
        "code": found is not None and found.code != classroom.code,
        "rename": found is not None and found.name == "New",
        "delete": found is None,
        "nonsense": False,
    }
    assert done[action] == may


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"action": "invite", "addresses": "a@example.org nobody"}, "“nobody” is no e-mail address."),
        ({"action": "rename", "name": " "}, "A class has a name of at most 80 characters."),
        ({"action": "rename", "name": "x" * 81}, "A class has a name of at most 80 characters."),
    ],
)
def test_what_cannot_be_is_said(
    classroom: Classroom, client_of: Any, form: dict[str, str], sentence: str
) -> None:
    answer = client_of("rower").post(f"/classes/{classroom.pk}/", form)
    assert (answer.status_code, sentence in answer.content.decode()) == (400, True)
    assert classroom.invitations.count() == 0


def test_only_instructors_make_classes(people: dict[str, User], teacher: User, client_of: Any) -> None:
    assert client_of("owner").post("/classes/", {"action": "create", "name": "x"}).status_code == 403
    assert (
        client_of("owner")
        .post("/api/v1/classes/", {"name": "x"}, content_type="application/json")
        .status_code
        == 403
    )
    made = client_of("rower").post("/classes/", {"action": "create", "name": "x"})
    assert made["Location"] == f"/classes/{teacher.classrooms_taught.get().pk}/"


@pytest.mark.parametrize("number", ["", "x", "9" * 30, "-1"])
def test_numbers_that_are_none(classroom: Classroom, client_of: Any, number: str) -> None:
    assert client_of("owner").post("/classes/", {"action": "leave", "class": number}).status_code == 404


def test_limits(
    classroom: Classroom, teacher: User, people: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classes, "CLASSES", 2)
    monkeypatch.setattr(classes, "MEMBERS", 1)
    classes.create(teacher, "another")
    with pytest.raises(ClassError, match="You teach 2 classes already"):
        classes.create(teacher, "more")
    classes.join(people["owner"], classroom.code)
    with pytest.raises(ClassError, match="The class is full"):
        classes.join(people["other"], classroom.code)
    with pytest.raises(ClassError, match="You are in 2 classes already"):
        classes.join(people["owner"], Classroom.objects.create(name="other").code)
    with pytest.raises(ClassError, match="At most 1 addresses"):
        classes.invite(classroom, "a@example.org b@example.org")


# -- the API --------------------------------------------------------------------------------------------


def test_api(people: dict[str, User], teacher: User, client_of: Any) -> None:
    api: Client = client_of("rower")
    made = api.post("/api/v1/classes/", {"name": "7b"}, content_type="application/json").json()
    assert (made["name"], made["teaches"], len(made["code"])) == ("7b", True, CODE_LENGTH)
    joined = (
        client_of("owner")
        .post("/api/v1/classes/join/", {"code": made["code"]}, content_type="application/json")
        .json()
    )
    assert (joined["teaches"], joined["code"]) == (False, "")
    assert [row["name"] for row in client_of("owner").get("/api/v1/classes/").json()] == ["7b", "everybody"]
    assert [row["name"] for row in client_of("other").get("/api/v1/classes/").json()] == ["everybody"]
    one = api.get(f"/api/v1/classes/{made['id']}/").json()
    assert [member["username"] for member in one["members"]] == ["owner"]
    assert client_of("owner").get(f"/api/v1/classes/{made['id']}/").status_code == 404
    assert client_of("owner").post(
        "/api/v1/classes/join/", {"code": "NOPE"}, content_type="application/json"
    ).json()["fields"] == {"code": ["No class has this code. Ask your teacher for it."]}
    assert api.post("/api/v1/classes/", {"name": "\0 "}, content_type="application/json").status_code == 400
