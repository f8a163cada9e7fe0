# ruff: noqa: E501 (one case a line)
"""Databases answer what tutorials ask of them, keep it, and bear what is asked of them besides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.cluster import Cluster
from cluster_engine.container_runtime.sql import engine, mysql, postgres, server
from cluster_engine.container_runtime.sql.dialect import Dialect, Session, perform
from cluster_engine.container_runtime.sql.tokens import statements

RECORDED = json.loads(Path(__file__).with_name("psql.json").read_text())
"""What psql 15 and PostgreSQL 15 print, one after the other (`record_psql.py`)."""


def pod(name: str, image: str, **env: str) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    container = {"name": "c", "image": image, "env": variables}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [container]},
    }


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(pod("postgres", "postgres:15", POSTGRES_PASSWORD="x", POSTGRES_DB="postgres"))
    cluster.apply(pod("mysql", "mysql:8.0", MYSQL_ROOT_PASSWORD="x", MYSQL_DATABASE="shop"))
    cluster.apply(pod("mariadb", "mariadb:11", MARIADB_ROOT_PASSWORD="x"))
    assert cluster.settle()
    cluster.advance(10)
    return cluster


def says(cluster: Cluster, name: str, *argv: str) -> tuple[int, str, str]:
    found = cluster.execute(name, list(argv))
    return found.exit_code, found.stdout.decode(), found.stderr.decode()


def test_psql_prints_what_the_real_one_does(cluster: Cluster) -> None:
    for arguments, text, status, out, err in RECORDED:
        way = ["sh", "-c", 'psql -U postgres "$@" <<E\n' + text + "E\n", "sh", *arguments]
        assert says(cluster, "postgres", *way) == (status, out, err), arguments


FIRST = "create table item (id int not null auto_increment, name varchar(20) default 'none', price int, primary key (id)) engine=InnoDB; insert into item (name, price) values ('pen', 1), ('cup', 7);"
MYSQL = {
    # line of mysql -> status, output, complaint
    "show databases": (0, "Database\ninformation_schema\nmysql\nperformance_schema\nshop\nsys\n", ""),
    "create database one; use one; create table t (a text); insert into t values ('x'); select * from t": (0, "a\nx\n", ""),
    f"use shop; {FIRST} select * from item where price > 2 order by id desc limit 1": (0, "id\tname\tprice\n2\tcup\t7\n", ""),
    "use shop; show tables": (0, "Tables_in_shop\nitem\n", ""),
    "select count(*) from shop.item, one.t": (1, "", "ERROR 1146 (42S02) at line 1: Table 'one.item' doesn't exist\n"),
    "use shop; describe item": (0, "Field\tType\tNull\tKey\tDefault\tExtra\nid\tint\tNO\tPRI\tNULL\tauto_increment\nname\tvarchar(20)\tYES\t\t'none'\t\nprice\tint\tYES\t\tNULL\t\n", ""),
    "update shop.item set price = 2 where id = 1; select id, price from shop.item": (0, "id\tprice\n1\t2\n2\t7\n", ""),
    "delete from shop.item where id = 2; select count(*) n from shop.item": (0, "n\n1\n", ""),
    "use shop; start transaction; delete from item; rollback; select count(*) n from item": (0, "n\n1\n", ""),
    "insert into shop.item (id) values (1)": (1, "", "ERROR 1062 (23000) at line 1: Duplicate entry for key 'item.id'\n"),
    "select @@server_id": (0, "@@server_id\n1\n", ""),
    "select version()": (0, "version()\n8.0.44\n", ""),
    "show tables": (1, "", "ERROR 1046 (3D000) at line 1: No database selected\n"),
    "select * from shop.nope": (1, "", "ERROR 1146 (42S02) at line 1: Table 'shop.nope' doesn't exist\n"),
    "selec 1": (1, "", "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version for the right syntax to use near 'selec 1' at line 1\n"),
    "use nope": (1, "", "ERROR 1049 (42000) at line 1: Unknown database 'nope'\n"),
    "use shop; explain select 1": (1, "", "ERROR 1235 (42000) at line 1: EXPLAIN is not simulated here; a real MySQL has it\n"),
    "drop table shop.item; drop database one; drop database one": (1, "", "ERROR 1008 (HY000) at line 1: Can't drop database 'one'; database doesn't exist\n"),
}  # fmt: skip
WARNING = "mysql: [Warning] Using a password on the command line interface can be insecure.\n"


def test_mysql_answers(cluster: Cluster) -> None:
    for line, (status, out, err) in MYSQL.items():
        found = says(cluster, "mysql", "mysql", "-uroot", "-px", "-e", line)
        assert found == (status, out, WARNING + err), line


CALLS = {
    "a table": ("mysql", "mysql -px -te 'select 1 as one'", 0, "+-----+\n| one |\n+-----+\n|   1 |\n+-----+\n", WARNING),
    "from a pipe": ("mysql", "echo 'select 1; select 2;' | mysql -N -px", 0, "1\n2\n", WARNING),
    "a wrong password": ("mysql", "MYSQL_PWD=y mysql -e 'select 1'", 1, "", "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: YES)\n"),
    "no password": ("mysql", "mysql -e 'select 1'", 1, "", "ERROR 1045 (28000): Access denied for user 'root'@'localhost' (using password: NO)\n"),
    "no such host": ("mysql", "MYSQL_PWD=x mysql -h nope -e 'select 1'", 1, "", "ERROR 2005 (HY000): Unknown MySQL server host 'nope' (-2)\n"),
    "nobody there": ("mysql", "MYSQL_PWD=x mysql -h 127.0.0.1 -P 99 -e 'select 1'", 1, "", "ERROR 2003 (HY000): Can't connect to MySQL server on '127.0.0.1:99' (111)\n"),
    "alive": ("mysql", "MYSQL_PWD=x mysqladmin ping", 0, "mysqld is alive\n", ""),
    "mariadb's client": ("mariadb", "MYSQL_PWD=x mariadb -e 'create database a; use a; create table t (n int); insert into t values (4); select n from t'", 0, "n\n4\n", ""),
    "ready": ("postgres", "pg_isready", 0, "/var/run/postgresql:5432 - accepting connections\n", ""),
    "not ready": ("postgres", "pg_isready -p 99", 2, "/var/run/postgresql:99 - no response\n", ""),
    "no role": ("postgres", "psql -c 'select 1'", 2, "", 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  role "root" does not exist\n'),
    "no database": ("postgres", "psql -U postgres nope -c 'select 1'", 2, "", 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: FATAL:  database "nope" does not exist\n'),
    "over the network": ("postgres", "psql -h 127.0.0.1 -U postgres -c 'select 1'", 2, "", 'psql: error: connection to server at "127.0.0.1", port 5432 failed: fe_sendauth: no password supplied\n'),
    "with a password": ("postgres", "PGPASSWORD=x psql -h 127.0.0.1 -U postgres -tAc 'select 1'", 0, "1\n", ""),
    "by its address": ("postgres", "psql -tAc 'select 2' postgres://postgres:x@localhost/postgres", 0, "2\n", ""),
    "files that say nothing": ("postgres", "psql -U postgres -qc 'create database bad'; echo '{\"tables\": 7}' > $PGDATA/base/bad/tables.json; psql -U postgres bad -c 'select 1'; rm -r $PGDATA/base/bad", 0, "", 'ERROR:  the files of database "bad" say nothing that can be read\n'),
}  # fmt: skip


@pytest.mark.parametrize(("name", "line", "status", "out", "err"), CALLS.values(), ids=CALLS)
def test_clients(cluster: Cluster, name: str, line: str, status: int, out: str, err: str) -> None:
    assert says(cluster, name, "sh", "-c", line) == (status, out, err)


CLAIM = """
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: plain}
provisioner: hostpath.csi.k8s.io
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {storageClassName: plain, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_what_lies_on_a_volume_stays() -> None:
    cluster = Cluster(nodes=2, freezing=True, strict=True)
    cluster.apply(CLAIM)
    database = pod("db", "postgres:16", POSTGRES_PASSWORD="x")
    database["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]
    database["spec"]["containers"][0]["volumeMounts"] = [
        {"name": "d", "mountPath": "/var/lib/postgresql/data"}
    ]
    cluster.apply(database)
    assert cluster.settle()
    cluster.advance(5)
    says(cluster, "db", "psql", "-U", "postgres", "-c", "create table t (a int); insert into t values (7)")
    cluster.delete("pods", "db")
    assert cluster.settle()
    cluster.apply(database)
    assert cluster.settle()
    cluster.advance(5)
    twin = cluster.fork()
    for each in (cluster, twin, Cluster.restore(cluster.snapshot())):
        assert says(each, "db", "psql", "-U", "postgres", "-tAc", "select a from t") == (0, "7\n", "")
    assert cluster.state_hash() == twin.state_hash()


def ask(dialect: Dialect, script: str, data: engine.Data = engine.EMPTY) -> list[engine.Outcome]:
    session = Session({"d": data}, {}, "d", "root", "1", "2026-01-01 00:00:00", "h")
    return perform(dialect, session, statements(f"{script};")[0])


NUMBERS = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 90000) select "
HOSTILE = {
    # script -> what it is told
    "attach 'x' as y": "syntax error at or near",
    "pragma page_count": "syntax error at or near",
    "select load_extension('x')": "function load_extension is not simulated here",
    "select random()": "function random is not simulated here",
    "select date('now')": "function date is not simulated here",
    "select zeroblob(100000000)": "function zeroblob is not simulated here",
    "select * from sqlite_master": "names that begin with sqlite_ are not simulated here",
    "create virtual table v using fts5(a)": "not simulated here",
    "create table x (a int); create trigger t after insert on x begin select 1; end": "not simulated here",
    f"{NUMBERS}count(*) from n": "more work than is done here",
    f"{NUMBERS}i from n limit 5001": "more than 5000 rows are not answered here",
    f"select '{'x' * (engine.MAX_VALUE + 1)}'": "not simulated here (string or blob too big)",
    "select 1" + " + 1" * 60: "not simulated here (Expression tree is too large (maximum depth 50))",
    "copy t from '/etc/passwd'": "COPY is not simulated here; a real PostgreSQL has it",
    "create table t (n serial)": "numbers itself and is no primary key",
}  # fmt: skip


@pytest.mark.parametrize(("script", "told"), HOSTILE.items(), ids=[line[:40] for line in HOSTILE])
def test_what_is_refused(script: str, told: str) -> None:
    assert told in ask(postgres.DIALECT, script)[-1]["error"]


def test_a_script_has_an_end(cluster: Cluster) -> None:
    long = f"(printf 'select 1'; yes ' + 1' | head -n {engine.MAX_SCRIPT // 4} | tr -d '\\n'; echo ';') | MYSQL_PWD=x mysql"
    status, _, told = says(cluster, "mysql", "sh", "-c", long)
    assert (status, "bytes of statements are not carried out here" in told) == (1, True)


def test_many_statements_are_carried_out_at_once(cluster: Cluster) -> None:
    begun = cluster.clock.now
    for name, client in (("mysql", "mysql -N -px"), ("postgres", "psql -U postgres -qtA")):
        line = f"yes 'select 1;' | head -n 500 | {client} | wc -l"
        assert says(cluster, name, "sh", "-c", line)[1] == "500\n"
    assert cluster.clock.now - begun < 1_000_000


def test_all_files_of_a_server_have_an_end(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    fork = cluster.fork()
    monkeypatch.setattr(server, "MAX_FILES", 3_000)
    line = (
        "MYSQL_PWD=x mysql -e \"create database f; create table f.t (a text); insert into f.t values ('{}')\""
    )
    assert says(fork, "mysql", "sh", "-c", line.format("x" * 2_900))[0] == 1
    twin = cluster.fork()
    monkeypatch.setattr(server, "MAX_FILES", 10)
    assert says(twin, "mysql", "sh", "-c", "MYSQL_PWD=x mysql -e 'select 1'")[0] == 1


def test_a_server_has_so_many_databases(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "MAX_DATABASES", 3)
    fork = cluster.fork()
    told = says(
        fork,
        "mysql",
        "sh",
        "-c",
        "MYSQL_PWD=x mysql -e 'create database a1; create database a2; create database a3; create database a4'",
    )[2]
    assert "more than 3 databases are not kept here" in told


def test_answers_have_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_SAID", 100)
    script = f"create table t (a text); insert into t values ('{'x' * 40}'); select a, a from t"
    assert "error" not in ask(postgres.DIALECT, script)[-1]
    for more in ("select a, a, a from t", "select a from t; select a, a from t"):
        asked = script.replace("select a, a from t", more)
        assert ask(postgres.DIALECT, asked)[-1]["error"] == "more than 100 bytes are not answered here"


def test_a_database_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_DATA", 100)
    script = f"create table t (a text); insert into t values ('{'x' * 101}')"
    for dialect in (postgres.DIALECT, mysql.DIALECT):
        assert ask(dialect, script)[-1]["error"] == "a database of more than 100 bytes is not kept here"


WORK = {
    "select 1": 0,
    "with recursive c(n) as (select 1 union all select n + 1 from c where n < 900) select count(*) from c": 15_300,
    "create table t (n int); with recursive c(n) as (select 1 union all select n + 1 from c where n < 90) insert into t select n from c; select sum(a.n) from t a, t b where a.n > b.n": 42_600,
}


@pytest.mark.parametrize(("script", "steps"), WORK.items(), ids=[line[:40] for line in WORK])
def test_a_script_costs_the_same_on_every_host(script: str, steps: int) -> None:
    """It decides how long a statement takes: another SQLite would tell another story of the same journal."""
    session = Session({"shop": engine.EMPTY}, {}, "shop", "postgres", "15", "2026-01-01 00:00:00", "pod")
    outcomes = perform(postgres.DIALECT, session, statements(f"{script};")[0])
    assert ("error" in outcomes[-1], session.work) == (False, steps)


def test_what_begins_with_a_query_says_what_it_did() -> None:
    outcomes = ask(
        postgres.DIALECT, "create table t (n int); with c(n) as (select 1) insert into t select n from c"
    )
    assert outcomes[-1] == {"tag": "INSERT 0 1"}
