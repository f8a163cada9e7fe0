"""Writes what a real psql 15 prints, of a new server: `record_psql.py SOCKET_FOLDER PORT`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LINES: tuple[tuple[list[str], str], ...] = (
    (
        ["-c", "create table users (id serial primary key, name varchar(50) not null, age int, score float)"],
        "",
    ),
    (["-c", "insert into users (name, age, score) values ('alice', 30, 1.5), ('bob', null, 20.25)"], ""),
    (["-c", "select id, name, age, score from users order by id"], ""),
    (["-c", "SELECT count(*) FROM users"], ""),
    (["-c", "select count(*), max(age) from users where name like 'A%' or name like 'a%'"], ""),
    (["-c", "select * from users where id > 10"], ""),
    (
        [
            "-c",
            "update users set age = 31 where name = 'alice'; select name as \"Full Name\", age from users order by 1",
        ],
        "",
    ),
    (["-c", "select * from nothing"], ""),
    (["-c", "selec 1"], ""),
    (["-c", "foo"], ""),
    (["-c", "select gone from users"], ""),
    (["-c", "select * from users limit"], ""),
    (["-c", "create table users (id int)"], ""),
    (["-c", "\\dt"], ""),
    (["-c", "\\dn"], ""),
    (["-c", "create database app"], ""),
    (["-c", "create database app"], ""),
    (["-d", "app", "-c", "\\dt"], ""),
    (["-d", "app", "-c", "create table public.only_here (a text)"], ""),
    (["-c", "select * from only_here"], ""),
    (["-tAc", "select id, name from users order by id"], ""),
    (["-t", "-c", "select id, name from users order by id"], ""),
    (["-A", "-c", "select id, name from users order by id"], ""),
    (["-c", "select 1", "-c", "select 2 as two"], ""),
    (["-c", "\\x", "-c", "select 1 as a, 'b' as bb"], ""),
    (["-c", "select current_database(), 'a' || 'b' as c, 1 + 2 as d, null as e"], ""),
    (["-c", "begin; delete from users; rollback; select count(*) from users"], ""),
    (["-c", "delete from users; select * from nowhere"], ""),
    (["-c", "select count(*) from users"], ""),
    (["-q"], "begin;\ninsert into users (name) values ('zed');\nrollback;\nselect count(*) from users;\n"),
    ([], "create table s (a int);\ninsert into s values (1),(2);\nselect *\n from s;\nselect 5;\n"),
    (
        [
            "-c",
            "delete from users where id = 2; alter table users add column email text; create index on users (email)",
        ],
        "",
    ),
    (["-c", "select u.name, s.a from users u join s on s.a = u.id"], ""),
    (["-c", "truncate s"], ""),
    (
        [
            "-c",
            "create table pets (id serial primary key, name varchar(50) not null, email text unique, "
            "age int default 18, ok boolean default true, made timestamp default now(), note text default 'none')",
        ],
        "",
    ),
    (
        [
            "-c",
            "create table visits (id int primary key, pet int references pets(id) on delete cascade, "
            "total numeric(10,2), unique (pet, total))",
        ],
        "",
    ),
    (["-c", "create index on visits (total)"], ""),
    (["-c", "\\d pets"], ""),
    (["-c", "\\d visits"], ""),
    (["-c", "\\d nothing"], ""),
    (["-c", "drop table visits"], ""),
    (["-c", "drop table pets"], ""),
    (["-c", "create user joe with password 'x'"], ""),
    (["-c", "grant all privileges on database app to joe"], ""),
    (["-c", "drop table s"], ""),
    (["-c", "drop table s"], ""),
    (["-c", "drop database app"], ""),
    (["-c", "drop database app"], ""),
    (["-c", "drop database if exists app"], ""),
    (["-c", ""], ""),
    (["-c", "\\foo"], ""),
)


def main(folder: str, port: str) -> None:
    """Records them."""
    found = []
    for arguments, text in LINES:
        command = ["psql", "-X", "-h", folder, "-p", port, "-U", "postgres", *arguments]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        found.append([arguments, text, done.returncode, done.stdout, done.stderr])
    lines = ",\n".join(json.dumps(each) for each in found)
    Path(__file__).with_name("psql.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
