# ruff: noqa: E501 (one case a line)
"""mongod keeps documents on its volume and answers `mongosh`, as tutorials use it."""

from __future__ import annotations

import re

import pytest

from cluster_engine import Cluster
from cluster_engine.apimachinery.cow import JSON
from cluster_engine.container_runtime.mongo import documents, language, server
from cluster_engine.container_runtime.mongo.printing import shown

PETS = (
    "db.pets.insertMany([{_id: 1, name: 'Ann', age: 3, tags: ['a', 'b']}, {_id: 2, name: 'Bob', age: 5}, "
    "{_id: 3, name: 'Cyd', home: {city: 'Oslo'}}])"
)


def pod(name: str, image: str = "mongo:8", **more: object) -> JSON:
    container = {"name": "c", "image": image, **more}
    meta = {"name": name, "namespace": "default", "labels": {"app": name}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


@pytest.fixture(scope="module")
def base() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True)
    cluster.apply(pod("db"))
    env = [
        {"name": f"MONGO_INITDB_ROOT_{name}", "value": value}
        for name, value in (("USERNAME", "root"), ("PASSWORD", "s3cret"))
    ]
    cluster.apply(pod("guarded", env=env))
    meta = {"name": "db", "namespace": "default"}
    spec = {"selector": {"app": "db"}, "ports": [{"port": 27017}]}
    cluster.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec})
    cluster.settle()
    cluster.advance(2)
    said, _, _ = says(cluster, PETS, "shop")
    assert said == "{ acknowledged: true, insertedIds: { '0': 1, '1': 2, '2': 3 } }\n"
    return cluster


@pytest.fixture
def cluster(base: Cluster) -> Cluster:
    return base.fork()


def says(cluster: Cluster, text: str, *words: str, pod: str = "db") -> tuple[str, str, int]:
    done = cluster.execute(pod, ["mongosh", "--quiet", *words, "--eval", text])
    return done.stdout.decode(), done.stderr.decode(), done.exit_code


ASKED = {
    "large and small letters": ("db.pets.find({name: {$regex: '^ann', $options: 'i'}}).count()", "1\n"),
    "all of one": ("db.pets.find({name: 'Ann'})", "[ { _id: 1, name: 'Ann', age: 3, tags: [ 'a', 'b' ] } ]\n"),
    "one": ('db.pets.findOne({"name": "Bob"})', "{ _id: 2, name: 'Bob', age: 5 }\n"),
    "nothing": ("db.pets.findOne({name: 'Zed'})", "null\n"),
    "none": ("db.pets.find({name: 'Zed'})", ""),
    "how many": ("db.pets.countDocuments()", "3\n"),
    "how many older": ("db.pets.countDocuments({age: {$gt: 3}})", "1\n"),
    "between": ("db.pets.find({age: {$gte: 3, $lt: 5}}, {name: 1, _id: 0})", "[ { name: 'Ann' } ]\n"),
    "in": ("db.pets.find({name: {$in: ['Ann', 'Cyd']}}).count()", "2\n"),
    "or": ("db.pets.find({$or: [{age: 5}, {name: 'Ann'}]}, {age: 1})", "[ { _id: 1, age: 3 }, { _id: 2, age: 5 } ]\n"),
    "an element": ("db.pets.find({tags: 'b'}, {name: 1})", "[ { _id: 1, name: 'Ann' } ]\n"),
    "below": ("db.pets.find({'home.city': 'Oslo'}, {name: 1})", "[ { _id: 3, name: 'Cyd' } ]\n"),
    "by a pattern": ("db.pets.find({name: {$regex: '^B'}}, {name: 1})", "[ { _id: 2, name: 'Bob' } ]\n"),
    "that have it": ("db.pets.countDocuments({age: {$exists: false}})", "1\n"),
    "sorted": ("db.pets.find({}, {name: 1}).sort({age: -1}).limit(2)", "[ { _id: 2, name: 'Bob' }, { _id: 1, name: 'Ann' } ]\n"),
    "the next": ("db.pets.find({}, {name: 1}).sort({_id: 1}).skip(2).pretty()", "[ { _id: 3, name: 'Cyd' } ]\n"),
    "different": ("db.pets.distinct('name')", "[ 'Ann', 'Bob', 'Cyd' ]\n"),
    "set": ("db.pets.updateOne({_id: 1}, {$set: {age: 4}, $inc: {n: 2}}); db.pets.findOne({_id: 1})", "{ _id: 1, name: 'Ann', age: 4, tags: [ 'a', 'b' ], n: 2 }\n"),
    "push": ("db.pets.updateMany({}, {$push: {tags: 'c'}}); db.pets.findOne({_id: 2}).tags", None),
    "upsert": ("db.pets.updateOne({name: 'Zed'}, {$set: {age: 9}}, {upsert: true}); db.pets.countDocuments({name: 'Zed', age: 9})", "1\n"),
    "deleted": ("db.pets.deleteMany({age: {$gt: 2}}); db.pets.countDocuments()", "1\n"),
    "dropped": ("db.pets.drop(); db.getCollectionNames()", "[]\n"),
    "collections": ("show collections", "pets\n"),
    "databases": ("show dbs", "admin   40.00 KiB\nconfig  12.00 KiB\nlocal   40.00 KiB\nshop    40.00 KiB\n"),
    "a ping": ("db.runCommand({ping: 1})", "{ ok: 1 }\n"),
    "which": ("db.getName()", "shop\n"),
    "printed": ("print('hello')", "hello\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), ASKED.values(), ids=ASKED)
def test_asked(cluster: Cluster, text: str, said: str | None) -> None:
    found = says(cluster, text, "shop")
    if said is None:
        assert found[1] == "TypeError: properties of results are not read here\n"
    else:
        assert found == (said, "", 0)


def test_one_is_written(cluster: Cluster) -> None:
    out, _, _ = says(cluster, "db.pets.insertOne({name: 'Dan'})", "mongodb://db.default:27017/zoo")
    assert re.fullmatch(r"\{\n  acknowledged: true,\n  insertedId: ObjectId\('[0-9a-f]{24}'\)\n\}\n", out)
    out, _, _ = says(cluster, "db.pets.find()", "zoo", "--host", "db")
    assert re.fullmatch(r"\[ \{ _id: ObjectId\('[0-9a-f]{24}'\), name: 'Dan' \} \]\n", out)


REFUSED = {
    "options of a pattern": ("db.pets.find({name: {$regex: 'a', $options: 'x'}})", "the options x of $regex are not simulated here (i, m and s are); a real mongod has more\n"),
    "options alone": ("db.pets.find({name: {$options: 'i'}})", "MongoServerError[BadValue]: $options needs a $regex\n"),
    "options of an update": ("db.pets.updateOne({}, {$set: {a: 1}}, {arrayFilters: []})", "the option arrayFilters of updateOne() is not simulated here; a real mongod may have it\n"),
    "options of a collection": ("db.createCollection('a', {capped: true})", "the option capped of createCollection() is not simulated here; a real mongod may have it\n"),
    "options of an insert": ("db.pets.insertMany([{a: 1}], {ordered: false})", "the option ordered of insertMany() is not simulated here; a real mongod may have it\n"),
    "a whole number that is none": ("db.pets.insertOne({a: NumberInt('3.5')})", "NumberInt(3.5) is no whole number that is read here\n"),
    "twice": ("db.pets.insertOne({_id: 1})", "MongoServerError: E11000 duplicate key error collection: pets index: _id_ dup key: { _id: 1 }\n"),
    "no operator": ("db.pets.updateOne({}, {a: 1})", "MongoInvalidArgumentError: Update document requires atomic operators\n"),
    "another operator": ("db.pets.find({a: {$near: 1}})", "MongoServerError[BadValue]: unknown operator: $near\n"),
    "another method": ("db.pets.aggregate([])", "TypeError: db.pets.aggregate is not a function, or one that is not simulated here\n"),
    "no name": ("pets.find()", "ReferenceError: pets is not defined\n"),
    "no language": ("db.pets.find({", "SyntaxError: Unexpected token ''\n"),
    "no document": ("db.pets.find(3)", "MongoInvalidArgumentError: Argument must be an object\n"),
    "a pattern that is none": ("db.pets.find({name: {$regex: '('}})", "MongoServerError: Regular expression is invalid\n"),
    "too deep": ("db.pets.insertOne(" + "{a:" * 50 + "1" + "}" * 50 + ")", "documents nested more than 40 deep are not read here\n"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_refused(cluster: Cluster, text: str, said: str) -> None:
    assert says(cluster, text, "shop") == ("", said, 1)


LOGINS = {
    "nobody": ([], "MongoServerError[Unauthorized]: Command find requires authentication\n", 1),
    "a wrong password": (["-u", "root", "-p", "x"], "MongoServerError: Authentication failed.\n", 1),
    "the root": (["-u", "root", "-p", "s3cret"], "", 0),
    "by a URL": (["mongodb://root:s3cret@localhost:27017/shop"], "", 0),
}


@pytest.mark.parametrize(("words", "said", "status"), LOGINS.values(), ids=LOGINS)
def test_who_may_come_in(cluster: Cluster, words: list[str], said: str, status: int) -> None:
    assert says(cluster, "db.pets.find()", *words, pod="guarded") == ("", said, status)


def test_what_was_written_outlives_its_process(cluster: Cluster) -> None:
    cluster.execute("db", ["sh", "-c", "kill 1"])
    cluster.settle()
    cluster.advance(30)
    assert says(cluster, "db.pets.countDocuments()", "shop")[0] == "0\n"
    spec = pod("kept", volumeMounts=[{"name": "v", "mountPath": "/data/db"}])
    spec["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    cluster.apply(spec)
    cluster.settle()
    cluster.advance(2)
    says(cluster, PETS, "shop", pod="kept")
    cluster.execute("kept", ["sh", "-c", "kill 1"])
    cluster.settle()
    cluster.advance(30)
    assert says(cluster, "db.pets.countDocuments()", "shop", pod="kept")[0] == "3\n"


def test_nobody_answers(cluster: Cluster) -> None:
    out, err, status = says(cluster, "1", "--host", "db", "--port", "27018")
    assert (out, status) == ("", 1)
    assert err.startswith("MongoNetworkError: connect E")


def test_lines_of_a_file(cluster: Cluster) -> None:
    script = (
        "printf 'use zoo\\ndb.a.insertOne({_id: 7})\\nshow collections\\ndb.a.find()\\n' | mongosh --quiet"
    )
    done = cluster.execute("db", ["sh", "-c", script])
    assert done.stdout.decode() == (
        "switched to db zoo\n{ acknowledged: true, insertedId: 7 }\na\n[ { _id: 7 } ]\n"
    )


def test_limits(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_FOUND", 2)
    assert says(cluster, "db.pets.find().count()", "shop")[0] == "2\n"
    monkeypatch.setattr(server, "MAX_DATA", 300)
    assert "more than 300 bytes" in says(cluster, f"db.pets.insertOne({{a: '{'x' * 200}'}})", "shop")[1]
    monkeypatch.setattr(server, "MAX_COLLECTIONS", 1)
    assert "more than 1 collections" in says(cluster, "db.other.insertOne({a: 1})", "shop")[1]
    assert says(cluster, "db.pets.countDocuments()", "shop")[0] == "3\n"
    monkeypatch.setattr(language, "MAX_TEXT", 20)
    assert "more than 20 characters" in says(cluster, "db.pets.countDocuments()", "shop")[1]


PRINTED = {
    "three levels": ({"a": {"b": {"c": 1}}}, "{ a: { b: { c: 1 } } }"),
    "four levels": ({"a": {"b": {"c": {"d": 1}}}}, "{\n  a: { b: { c: { d: 1 } } }\n}"),
    "a long one": ({"a": "x" * 40, "b": "y" * 40}, "{\n  a: '" + "x" * 40 + "',\n  b: '" + "y" * 40 + "'\n}"),
    "quotes": (["it's", 'a "b"'], '[ "it\'s", \'a "b"\' ]'),
    "names": ({"a-b": None, "ok": True, "n": 2.0}, "{ 'a-b': null, ok: true, n: 2 }"),
    "nothing": ({"a": {}, "b": []}, "{ a: {}, b: [] }"),
}


@pytest.mark.parametrize(("value", "text"), PRINTED.values(), ids=PRINTED)
def test_printed(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_long_array_is_printed_in_part() -> None:
    said = shown(list(range(103)))
    assert said.endswith("  99,\n  ... 3 more items\n]")


def test_a_request_has_an_end(cluster: Cluster) -> None:
    ip = cluster.get("pods", "db")["status"]["podIP"]  # type: ignore[index]
    script = f"yes | tr -d '\\n' | head -c 300000 | nc -w 2 {ip} 27017; echo $?"
    cluster.apply(pod("asks", "nicolaka/netshoot", command=["sleep", "100d"]))
    cluster.settle()
    began = cluster.clock.now
    cluster.execute("asks", ["sh", "-c", script])
    assert cluster.clock.now - began < 1_500_000, "the server hangs up, nc does not have to"
    assert says(cluster, "db.pets.countDocuments()", "shop")[0] == "3\n"
