# ruff: noqa: E501 (one case a line)
"""Every constant of the rooms `linux`, `network`, `container_runtime` and of sessions that bounds something is crossed
by a test: a case of this table, or a test that is named here. A new one without either fails."""

from __future__ import annotations

import ast
import importlib
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from cluster_engine.linux import programs
from cluster_engine.linux.limits import Limits
from tests.linux.world import World

ROOT = Path(__file__).resolve().parents[2]
ENGINE = ROOT / "cluster_engine"
FILES = (
    *(ENGINE / "linux").rglob("*.py"), *(ENGINE / "network").rglob("*.py"), *(ENGINE / "container_runtime").rglob("*.py"),
    ENGINE / "kube_apiserver" / "sessions.py", ENGINE / "serving" / "websocket.py",
)  # fmt: skip

CASES: dict[str, tuple[str, dict[str, int], int, str]] = {
    "linux/files/paths.py:MAX_NAME": ("echo > /tmp/$(printf %0256d 0)", {}, 1, "File name too long"),
    "linux/files/paths.py:MAX_PATH": ("a=/tmp/$(printf %0200d 0); echo > $a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a$a", {}, 1, "File name too long"),
    "linux/files/storage.py:MAX_LINKS": ("ln -s b /tmp/a; ln -s a /tmp/b; cat /tmp/a", {}, 1, "Too many levels of symbolic links|Symbolic link loop"),
    "linux/files/storage.py:MAX_OPEN": ("exec 3<<E 4</etc/passwd 5</etc/passwd\nE\nexec 6</etc/passwd", {"linux.files.storage:MAX_OPEN": 2}, 1, "Too many open files in system"),
    "linux/limits.py:MAX_WORDS": ("a" + " a" * 10_001, {}, 2, "a command line may have at most 10,000 words"),
    "linux/limits.py:MAX_NESTING": ("$(" * 45 + "x" + ")" * 45, {}, 2, "nested more than 40 deep"),
    "linux/processes.py:MAX_SCRIPT_LINKS": ("cd /tmp; for i in 1 2 3 4 5; do echo \"#!/tmp/s$((i+1))\" > s$i; chmod +x s$i; done; ./s1", {}, 126, "Too many levels of symbolic links"),
    "linux/programs/_common.py:MAX_LINE": ("printf %09d 0 | sort", {"linux.programs._common:MAX_LINE": 4, "linux.programs._common:MAX_HELD": 4}, 2, "MiB (is|are) not"),
    "linux/programs/_common.py:MAX_HELD": ("seq 100 | sort", {"linux.programs._common:MAX_HELD": 100}, 2, "are not held in memory here"),
    "linux/programs/awk/interpret.py:MAX_STEPS": ("awk 'BEGIN { while (1) x++ }'", {"linux.programs.awk.interpret:MAX_STEPS": 1_000}, 2, "steps at once is not run on here"),
    "linux/programs/awk/interpret.py:MAX_CALLS": ("awk 'function f(n) { return f(n + 1) } BEGIN { f(1) }'", {}, 2, "more than 60 deep are not run here"),
    "linux/programs/awk/memory.py:MAX_ENTRIES": ("awk 'BEGIN { while (1) a[i++] = 1 }'", {"linux.programs.awk.memory:MAX_ENTRIES": 100}, 2, "more than 100 elements are not held here"),
    "linux/programs/awk/memory.py:MAX_TEXT": ("awk 'BEGIN { x = \"abcdefgh\"; while (1) x = x x }'", {}, 2, "a value of more than 1 MiB is not held here"),
    "linux/programs/awk/memory.py:MAX_FIELD": ("echo a | awk '{ $10001 = 1 }'", {}, 2, "attempt to access field 10001"),
    "linux/programs/awk/tokens.py:MAX_TOKENS": ("awk \"BEGIN { x = 1 $(seq 6000 | sed 's/.*/+ 1/' | tr '\\n' ' ') }\"", {}, 1, "a program of more than 10,000 words is not run here"),
    "linux/programs/awk/parse.py:MAX_DEPTH": ("awk 'BEGIN { x = " + "(" * 70 + "1" + ")" * 70 + " }'", {}, 1, "nested more than 60 deep is not run here"),
    "linux/programs/awk/values.py:MAX_DIGITS": ("awk -v x=$(printf %0301d 1) 'BEGIN { print x + 0 }'", {}, 0, "^0$"),
    "linux/programs/copying.py:MAX_DEPTH": ("cd /tmp; for i in $(seq 30); do mkdir d; cd d; done; cd /tmp; cp -r d e", {"linux.programs.copying:MAX_DEPTH": 20}, 1, "File name too long"),
    "linux/programs/date.py:MAX_FORMAT": ("date +$(printf %02000d 0)", {}, 1, "a format may have at most 1024 bytes here"),
    "linux/programs/diff.py:MAX_LINES": ("seq 20001 > /tmp/a; diff /tmp/a /etc/passwd", {}, 2, "files of more than 20,000 lines are not compared here"),
    "linux/programs/expr.py:MAX_DEPTH": ("expr " + "\\( " * 45 + "1" + " \\)" * 45, {}, 2, "an expression nested more than 40 deep is not read here"),
    "linux/programs/find.py:MAX_BATCH": ("cd /tmp; for i in 1 2 3 4 5; do : > f$i; done; find . -type f -exec sh -c 'echo $#' x {} +", {"linux.programs.find:MAX_BATCH": 2}, 0, "2\n2\n[12]"),
    "linux/programs/grep.py:MAX_PATTERNS": ("seq 101 > /tmp/p; grep -f /tmp/p /etc/passwd", {}, 2, "more than 100 patterns are not taken here"),
    "linux/programs/grep.py:MAX_FILES": ("cd /tmp; mkdir g g/h; for i in 1 2 3 4 5; do echo x > g/$i; done; grep -r x g", {"linux.programs.grep:MAX_FILES": 3}, 2, "more than 3 files are not searched here"),
    "linux/programs/sed/script.py:MAX_COMMANDS": ("seq 201 | sed 's/.*/p/' > /tmp/s; echo a | sed -f /tmp/s", {}, 1, "a script may have at most 200 commands here"),
    "linux/programs/sed/edit.py:MAX_ROUNDS": ("echo a | sed ':a; b a'", {}, 4, "a script that takes more than 100000 commands for a line is not run here"),
    "linux/programs/sort.py:MAX_DIGITS": ("(printf '%0299d2 b\\n' 0; printf '%0299d1 a\\n' 0) | sort -n | wc -l", {}, 0, "^2$"),
    "linux/programs/tr.py:MAX_SET": ("echo a | tr '[a*5000]' b", {"linux.programs.tr:MAX_SET": 10}, 0, "^b$"),
    "linux/programs/xargs.py:MAX_ARGUMENTS": ("seq 5 | xargs echo", {"linux.programs.xargs:MAX_ARGUMENTS": 2}, 0, "1 2\n3 4\n5"),
    "linux/programs/openssl/certificates.py:MAX_KEY": ("openssl genrsa -out k 1024 && openssl pkey -in k -noout", {"linux.programs.openssl.certificates:MAX_KEY": 512}, 1, "RSA of at most 512 bits are not used here"),
    "linux/programs/openssl/program.py:MAX_BITS": ("openssl genrsa 4096", {}, 1, "RSA keys of 1024 to 2048 bits are made here"),
    "linux/programs/openssl/program.py:MAX_FILE": ("yes | head -c 70000 > /tmp/big; openssl x509 -in /tmp/big -noout", {}, 1, "more than 65536 bytes is not read here"),
    "linux/programs/openssl/program.py:MAX_BYTES": ("openssl rand 65537", {}, 1, "more than 65536 random bytes are not made here"),
    "linux/regex.py:MAX_PATTERN": ("echo a | grep $(printf %05000d 0)", {}, 2, "pattern|expression"),
    "linux/sh/arithmetic.py:MAX_LENGTH": ("echo $((" + "1+" * 2_100 + "1))", {}, 2, "an arithmetic expression may have at most 4096 characters"),
    "linux/sh/builtins/output.py:MAX_WIDTH": ("printf %20000d 1", {}, 1, "a width may be at most 10,000"),
    "linux/sh/builtins/reading.py:MAX_READ_TEXT": ("yes | tr -d '\\n' | { read x; echo $?; }", {"linux.sh.builtins.reading:MAX_READ_TEXT": 1_000}, 0, "^1$"),
    "linux/sh/jobs.py:MAX_DONE": ("for i in 1 2 3 4 5; do true & done; sleep 1; jobs | wc -l", {"linux.sh.jobs:MAX_DONE": 2}, 0, "^[0-3]$"),
    "linux/sh/pattern.py:MAX_PATTERN": ("x=$(printf %05000d 0); case $x in $x*) echo yes;; *) echo no;; esac", {}, 0, "^no$"),
}  # fmt: skip
"""A constant: the line that crosses it, smaller values that it gets for that, its status and what it says."""

CROSSED: dict[str, str] = {
    "container_runtime/declared/reading.py:REGISTRIES_KEPT": "tests/container_runtime/test_declared_images.py::test_only_so_many_tables_are_kept_read",
    "container_runtime/declared/shape.py:MAX_BODY": "tests/container_runtime/test_declared_images.py::test_it_is_refused[a long body]",
    "container_runtime/declared/shape.py:MAX_CPU": "tests/container_runtime/test_declared_images.py::test_it_is_refused[much of a processor]",
    "container_runtime/declared/shape.py:MAX_FILE": "tests/container_runtime/test_declared_images.py::test_it_is_refused[a long file]",
    "container_runtime/declared/shape.py:MAX_FILES": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many files]",
    "container_runtime/declared/shape.py:MAX_IMAGES": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many images]",
    "container_runtime/declared/shape.py:MAX_LINE": "tests/container_runtime/test_declared_images.py::test_it_is_refused[a long line]",
    "container_runtime/declared/shape.py:MAX_LINES": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many lines]",
    "container_runtime/declared/shape.py:MAX_MAPPING": "tests/container_runtime/test_declared_images.py::test_it_is_refused[many variables]",
    "container_runtime/declared/shape.py:MAX_MIB": "tests/container_runtime/test_declared_images.py::test_it_is_refused[much memory]",
    "container_runtime/declared/shape.py:MAX_NEEDS": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many needs]",
    "container_runtime/declared/shape.py:MAX_ROUTES": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many routes]",
    "container_runtime/declared/shape.py:MAX_SECONDS": "tests/container_runtime/test_declared_images.py::test_it_is_refused[a long time]",
    "container_runtime/declared/shape.py:MAX_SIZE": "tests/container_runtime/test_declared_images.py::test_it_is_refused[a large image]",
    "container_runtime/declared/shape.py:MAX_TAGS": "tests/container_runtime/test_declared_images.py::test_it_is_refused[too many tags]",
    "container_runtime/declared/shape.py:MAX_TEXT": "tests/container_runtime/test_declared_images.py::test_it_is_refused[much text]",
    "container_runtime/nginx_conf.py:BYTES": "tests/container_runtime/test_nginx.py::test_a_mistake[too long]",
    "container_runtime/nginx_conf.py:DEPTH": "tests/container_runtime/test_nginx.py::test_a_mistake[it includes itself]",
    "container_runtime/nginx_conf.py:DIRECTIVES": "tests/container_runtime/test_nginx.py::test_a_mistake[too many]",
    "linux/programs/traceroute.py:MAX_HOPS": "tests/network/test_names_and_services.py::test_the_way_to_a_host[too many steps]",
    "network/instant.py:DEPTH": "tests/network/test_webhooks_called.py::test_calls_within_calls_are_bounded",
    "linux/files/storage.py:MAX_DEPTH": "tests/linux/test_hostile_pods.py::test_what_a_pod_does[deep folders]",
    "linux/files/storage.py:MAX_BYTES": "tests/linux/files/test_files.py::test_entries_and_bytes_are_bounded",
    "linux/files/storage.py:MAX_ENTRIES": "tests/linux/files/test_files.py::test_entries_and_bytes_are_bounded",
    "linux/files/storage.py:MAX_FILE": "tests/linux/files/test_files.py::test_entries_and_bytes_are_bounded",
    "linux/limits.py:BACKLOG": "tests/linux/test_limits.py::test_a_full_backlog_refuses",
    "linux/limits.py:MAX_LINE": "tests/linux/test_limits.py::test_a_limit_is_told[line]",
    "linux/limits.py:TERMINAL_INPUT": "tests/linux/test_limits.py::test_a_terminal_drops_what_nobody_reads",
    "linux/limits.py:TERMINAL_LINE": "tests/linux/test_limits.py::test_a_terminal_drops_what_nobody_reads",
    "linux/keys.py:_MAX_SEQUENCE": "tests/terminal/test_terminal_limits.py::test_a_sequence_that_does_not_end",
    "linux/limits.py:TERMINAL_AHEAD": "tests/terminal/test_terminal_limits.py::test_what_is_typed_ahead_is_bounded",
    "linux/lines.py:MAX_EDITED": "tests/terminal/test_tty.py::test_a_line_that_is_too_long_is_said",
    "linux/sh/arrays.py:MAX_INDEX": "tests/linux/test_bash_transcripts.py::test_what_is_wrong_or_too_much_is_said[a large index]",
    "linux/sh/braces.py:MAX_LENGTH": "tests/linux/test_bash_transcripts.py::test_what_is_wrong_or_too_much_is_said[words that are too long]",
    "linux/sh/conditions.py:GROUPS": "tests/linux/test_bash_transcripts.py::test_the_groups_of_a_match_are_bounded",
    "linux/sh/completing.py:MAX_SHOWN": "tests/terminal/test_terminal_limits.py::test_not_everything_is_offered",
    "linux/sh/editing.py:MAX_HISTORY": "tests/terminal/test_terminal_limits.py::test_only_the_last_lines_are_remembered",
    "linux/sh/editing.py:MAX_REMEMBERED": "tests/terminal/test_terminal_limits.py::test_a_very_long_line_is_not_remembered",
    "linux/sh/prompt.py:MAX_CONTINUED": "tests/terminal/test_terminal_limits.py::test_a_command_has_only_so_many_lines",
    "linux/limits.py:CODES": "tests/linux/test_limits.py::test_texts_that_nothing_refers_to_are_forgotten",
    "linux/limits.py:PIPE_CAPACITY": "tests/linux/test_machine.py::test_back_pressure_and_a_broken_pipe",
    "linux/limits.py:SOCKET_BUFFER": "tests/linux/test_limits.py::test_a_socket_takes_only_so_much",
    "linux/limits.py:SOCKET_WINDOW": "tests/linux/test_machine.py::test_connections_to_the_outside",
    "linux/sockets.py:DATAGRAMS": "tests/linux/test_limits.py::test_datagrams_that_nobody_takes_are_dropped",
    "linux/sockets.py:LAST_EPHEMERAL": "tests/linux/test_limits.py::test_ports_are_taken_in_turn",
    "linux/sh/arithmetic.py:MAX_DEPTH": "tests/linux/test_limits.py::test_a_limit_is_told[arithmetic]",
    "linux/sh/builtins/testing.py:MAX_NESTING": "tests/linux/test_limits.py::test_a_limit_is_told[test]",
    "linux/programs/http.py:MAX_HEAD": "tests/linux/programs/test_http_clients.py::test_answers_that_are_too_large",
    "linux/programs/http.py:MAX_BODY": "tests/linux/programs/test_http_clients.py::test_answers_that_are_too_large",
    "linux/programs/wget.py:MAX_REDIRECTS": "tests/linux/programs/test_http_clients.py::test_answers_that_lead_nowhere",
    "linux/programs/curl.py:MAX_REDIRECTS": "tests/linux/programs/test_http_clients.py::test_answers_that_lead_nowhere",
    "linux/programs/curl.py:MAX_RETRIES": "tests/linux/programs/test_http_clients.py::test_a_client_that_tries_again",
    "linux/programs/jq/interpret.py:MAX_CALLS": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[deep]",
    "linux/programs/jq/places.py:MAX_INDEX": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[large index]",
    "linux/programs/jq/interpret.py:MAX_STEPS": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[for ever]",
    "linux/programs/jq/parse.py:MAX_DEPTH": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[nested]",
    "linux/programs/jq/parse.py:MAX_PROGRAM": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[program]",
    "linux/programs/jq/program.py:MAX_INPUT": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[input]",
    "linux/programs/jq/values.py:MAX_TEXT": "tests/linux/programs/test_jq.py::test_what_cannot_be_done_is_said[long]",
    "linux/programs/pager.py:MAX_AHEAD": "tests/terminal/test_pager.py::test_counts_and_keys_are_bounded",
    "linux/programs/pager.py:MAX_NUMBER": "tests/terminal/test_pager.py::test_counts_and_keys_are_bounded",
    "linux/deflate.py:MAX_CHUNK": "tests/linux/test_deflate.py::test_there_and_back",
    "linux/tls.py:MAX_HELLO": "tests/linux/test_tls.py::test_greetings",
    "linux/programs/tar.py:MAX_NAME": "tests/linux/programs/test_http_clients.py::test_a_tar_header_that_is_too_long",
    "network/traffic.py:CALLS_KEPT": "tests/platform/test_traffic.py::test_few_calls_are_remembered",
    "network/affinity.py:REMEMBERED": "tests/network/test_session_affinity.py::test_what_is_remembered_is_bounded",
    "network/client.py:HEAD_LIMIT": "tests/network/test_network_limits.py::test_a_node_reads_only_so_much",
    "network/connections.py:NAT_ENTRIES": "tests/network/test_network_limits.py::test_conversations_are_forgotten",
    "network/limits.py:CONNECTIONS": "tests/network/test_connections.py::test_connections_per_host_are_limited",
    "network/limits.py:DATAGRAMS": "tests/network/test_network_limits.py::test_datagrams_beyond_the_queue_are_lost",
    "network/limits.py:DATAGRAM_BYTES": "tests/network/test_network_limits.py::test_a_datagram_that_is_too_long_is_lost",
    "network/limits.py:IN_FLIGHT": "tests/network/test_connections.py::test_bytes_in_flight_are_limited",
    "network/limits.py:RETRANSMIT_TRIES": "tests/network/test_network_limits.py::test_a_conversation_is_given_up",
    "network/limits.py:RETRANSMIT_MAX": "tests/network/test_network_limits.py::test_a_conversation_is_given_up",
    "network/limits.py:SYN_TRIES": "tests/network/test_network_limits.py::test_a_request_is_given_up",
    "network/outside.py:LINKS": "tests/network/test_outside.py::test_links_are_limited",
    "network/wires.py:MAX_LATENCY": "tests/network/test_network_limits.py::test_a_wire_is_not_longer",
    "network/wires.py:WIRES": "tests/network/test_connections.py::test_links_are_limited",
    "container_runtime/corefile.py:LINES": "tests/container_runtime/test_coredns.py::test_what_is_no_corefile",
    "linux/dns.py:RECORDS": "tests/linux/test_dns.py::test_an_answer_is_not_longer",
    "linux/dns.py:NAME_LIMIT": "tests/network/test_network_limits.py::test_a_name_that_is_too_long",
    "container_runtime/forwards.py:FORWARDS": "tests/kube_apiserver/test_port_forward.py::test_connections_have_a_limit",
    "network/client.py:REPLY_LIMIT": "tests/kube_apiserver/test_proxy.py::test_an_answer_may_be_too_long",
    "container_runtime/http_streams.py:STREAMS": "tests/network/test_watches_from_pods.py::test_so_many_watch",
    "container_runtime/http.py:BODY_LIMIT": "tests/container_runtime/test_http.py::test_parse",
    "container_runtime/http.py:HEAD_LIMIT": "tests/container_runtime/test_http.py::test_parse",
    "container_runtime/http.py:OPEN": "tests/container_runtime/test_server_limits.py::test_connections_of_a_server",
    "container_runtime/api_client.py:MAX_ANSWER": "tests/container_runtime/test_ingress.py::test_an_answer_that_is_too_long",
    "container_runtime/images/_ingress/controller.py:OUTBOX": "tests/container_runtime/test_ingress.py::test_more_to_tell_than_waits",
    "container_runtime/images/_ingress/objects.py:MAX_OBJECTS": "tests/container_runtime/test_ingress.py::test_more_objects_than_are_kept",
    "container_runtime/images/_ingress/rules.py:MAX_LOCATIONS": "tests/container_runtime/test_ingress.py::test_so_many_paths",
    "linux/tls.py:MAX_NAME": "tests/linux/test_tls.py::test_who_is_asked_for",
    "container_runtime/clients.py:MAX_ANSWER": "tests/container_runtime/test_caches.py::test_an_answer_without_end",
    "container_runtime/clients.py:MAX_HELD": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/redis_commands.py:MAX_DATA": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/redis_commands.py:MAX_REQUEST": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/redis_commands.py:MAX_WORDS": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/programs.py:TALKS": "tests/container_runtime/test_server_limits.py::test_connections_of_a_daemon",
    "container_runtime/images/_guestbook.py:MAX_ANSWER": "tests/container_runtime/test_guestbook.py::test_limits",
    "container_runtime/images/_guestbook.py:MAX_REPLICAS": "tests/container_runtime/test_guestbook.py::test_limits",
    "container_runtime/images/_guestbook.py:MAX_STORE": "tests/container_runtime/test_guestbook.py::test_limits",
    "container_runtime/images/_netexec.py:MAX_OUTPUT": "tests/container_runtime/test_netexec.py::test_limits",
    "container_runtime/images/_netexec.py:MAX_TRIES": "tests/container_runtime/test_netexec.py::test_limits",
    "container_runtime/images/agnhost.py:FIELDS": "tests/container_runtime/test_netexec.py::test_requests[a hundred fields and more]",
    "container_runtime/images/courses.py:STORED": "tests/container_runtime/test_course_images.py::test_what_is_posted_is_kept_in_part",
    "container_runtime/images/memcached.py:MAX_DATA": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/images/memcached.py:MAX_VALUE": "tests/container_runtime/test_caches.py::test_limits",
    "container_runtime/images/memcached.py:_MAX_KEY": "tests/container_runtime/test_caches.py::test_what_memcached_does_not_take",
    "container_runtime/images/perl.py:MAX_DIGITS": "tests/container_runtime/test_images.py::test_run",
    "container_runtime/kubectl/conversation.py:MAX_ANSWERS": "tests/container_runtime/test_pod_kubectl.py::test_requests_of_a_command_are_limited",
    "container_runtime/kubectl/jsonpath.py:MAX_NESTING": "tests/container_runtime/test_pod_kubectl.py::test_paths",
    "container_runtime/kubectl/jsonpath.py:MAX_TEMPLATE": "tests/container_runtime/test_pod_kubectl.py::test_paths",
    "container_runtime/kubectl/program.py:MAX_INPUT": "tests/container_runtime/test_pod_kubectl.py::test_says[too much input]",
    "container_runtime/programs.py:MAX_SAID": "tests/container_runtime/test_caches.py::test_few_bytes_do_not_ask_for_many",
    "container_runtime/redis_commands.py:MAX_DEPTH": "tests/container_runtime/test_caches.py::test_what_is_no_request",
    "container_runtime/sql/engine.py:MAX_DATA": "tests/container_runtime/test_databases.py::test_a_database_has_an_end",
    "container_runtime/sql/engine.py:MAX_ROWS": "tests/container_runtime/test_databases.py::test_what_is_refused",
    "container_runtime/sql/engine.py:MAX_SAID": "tests/container_runtime/test_databases.py::test_answers_have_an_end",
    "container_runtime/sql/engine.py:MAX_SCRIPT": "tests/container_runtime/test_databases.py::test_a_script_has_an_end",
    "container_runtime/sql/engine.py:MAX_VALUE": "tests/container_runtime/test_databases.py::test_what_is_refused",
    "container_runtime/sql/engine.py:MAX_WORK": "tests/container_runtime/test_databases.py::test_what_is_refused",
    "container_runtime/sql/server.py:MAX_DATABASES": "tests/container_runtime/test_databases.py::test_a_server_has_so_many_databases",
    "container_runtime/sql/server.py:MAX_FILES": "tests/container_runtime/test_databases.py::test_all_files_of_a_server_have_an_end",
    "container_runtime/logs.py:LIMIT": "tests/container_runtime/test_sandboxes.py::test_logs_are_bounded",
    "container_runtime/images/dashboard.py:MAX_PAGES": "tests/container_runtime/test_dashboard.py::test_limits",
    "container_runtime/images/dashboard.py:MAX_TABLE": "tests/container_runtime/test_dashboard.py::test_limits",
    "container_runtime/images/fluent.py:TAILED": "tests/kubelet/test_node_logs.py::test_an_agent_tails_so_many",
    "container_runtime/images/fluent.py:TAKEN": "tests/kubelet/test_node_logs.py::test_an_agent_takes_so_much_at_once",
    "container_runtime/mongo/documents.py:MAX_DATA": "tests/container_runtime/test_mongo.py::test_limits",
    "container_runtime/mongo/documents.py:MAX_FOUND": "tests/container_runtime/test_mongo.py::test_limits",
    "container_runtime/mongo/language.py:MAX_DEPTH": "tests/container_runtime/test_mongo.py::test_refused[too deep]",
    "container_runtime/mongo/language.py:MAX_TEXT": "tests/container_runtime/test_mongo.py::test_limits",
    "container_runtime/mongo/printing.py:MAX_SHOWN": "tests/container_runtime/test_mongo.py::test_a_long_array_is_printed_in_part",
    "container_runtime/mongo/server.py:MAX_COLLECTIONS": "tests/container_runtime/test_mongo.py::test_limits",
    "container_runtime/mongo/server.py:MAX_REQUEST": "tests/container_runtime/test_mongo.py::test_a_request_has_an_end",
    "container_runtime/logs.py:FILE_PAGES": "tests/kubelet/test_node_logs.py::test_logs_are_rotated",
    "container_runtime/logs.py:LINE": "tests/container_runtime/test_server_limits.py::test_a_long_line_comes_in_parts_and_the_last_one_keeps_what_it_is",
    "container_runtime/logs.py:MAX_FILES": "tests/kubelet/test_node_logs.py::test_logs_are_rotated",
    "container_runtime/names.py:_LIMIT": "tests/container_runtime/test_image_names.py::test_refused",
    "linux/resolver.py:NAMESERVERS": "tests/linux/test_resolver.py::test_config",
    "linux/resolver.py:SEARCHES": "tests/linux/test_resolver.py::test_config",
    "container_runtime/commands.py:OUTPUT": "tests/container_runtime/test_sandboxes.py::test_commands",
    "container_runtime/versions.py:MINORS": "tests/container_runtime/test_image_names.py::test_a_plausible_tag_means_the_nearest_build",
    "container_runtime/versions.py:PATCHES": "tests/container_runtime/test_image_names.py::test_a_plausible_tag_means_the_nearest_build",
    "kube_apiserver/sessions.py:SESSIONS": "tests/kube_apiserver/test_sessions.py::test_sessions_are_limited",
    "kube_apiserver/sessions.py:COLUMNS": "tests/kube_apiserver/test_sessions.py::test_a_terminal_is_not_larger",
    "kube_apiserver/sessions.py:ROWS": "tests/kube_apiserver/test_sessions.py::test_a_terminal_is_not_larger",
    "serving/websocket.py:FRAME_LIMIT": "tests/kube_apiserver/test_websocket.py::test_whoever_sends_or_leaves_too_much_is_cut_off",
    "serving/websocket.py:OUTPUT_LIMIT": "tests/kube_apiserver/test_websocket.py::test_whoever_sends_or_leaves_too_much_is_cut_off",
    "serving/websocket.py:INPUT_LIMIT": "tests/kube_apiserver/test_websocket.py::test_too_much_that_is_not_journaled_yet_waits",
}  # fmt: skip
"""A constant: the test that crosses it."""

NO_LIMITS: dict[str, str] = {
    "a unit, a number of a protocol or of Linux": """
        linux/bandwidth.py:PERIOD linux/budgets.py:ENTRY linux/programs/dig.py:_TAB linux/descriptors.py:BLOCK linux/files/tree.py:PAGE linux/files/view.py:BLOCK linux/kernel.py:VERSION
        linux/limits.py:KIB linux/limits.py:MIB linux/programs/_common.py:FOREVER linux/programs/cut.py:_END linux/programs/date.py:_LAST
        linux/programs/dumps.py:_ROW linux/programs/expr.py:_LIMIT linux/programs/identity.py:CPUS linux/programs/links.py:PEERS linux/programs/ls.py:_HALF_YEAR linux/programs/paging.py:TAB
        linux/programs/archive.py:BLOCK linux/programs/usage.py:_MEMORY linux/sh/braces.py:_LONGEST_RANGE linux/sh/arithmetic.py:_BIG linux/sh/bind.py:MAX_FDS
        linux/sockets.py:FIRST_EPHEMERAL network/limits.py:FIRST_PORT network/limits.py:LAST_PORT linux/dns.py:PORT
        container_runtime/declared/build.py:MIB container_runtime/declared/build.py:SIZE container_runtime/declared/build.py:MEMORY
        container_runtime/declared/build.py:PORT container_runtime/declared/behaviour.py:_MINUTE
        container_runtime/images/courses.py:WELL container_runtime/images/hpa_example.py:COST container_runtime/images/memcached.py:_EPOCH
        container_runtime/images/nginx.py:_STARTS container_runtime/images/stress.py:_BYTES container_runtime/images/stress.py:_TURN
        container_runtime/kubectl/creating.py:_GONE_AFTER container_runtime/kubectl/program.py:_SECOND container_runtime/sql/engine.py:_PAGE container_runtime/sql/engine.py:_STRIDE
        container_runtime/http.py:_DAY container_runtime/http.py:_NOT_HTTPS container_runtime/image.py:MB container_runtime/logs.py:PAGE container_runtime/mongo/printing.py:COMPACT container_runtime/mongo/printing.py:WIDTH container_runtime/mongo/server.py:_ALL
        container_runtime/lookups.py:RESOLVER_PORT container_runtime/commands.py:_KILLED container_runtime/trees.py:_BUILT
        container_runtime/images/_ingress/controller.py:_HTTP container_runtime/images/_ingress/controller.py:_HTTPS
        container_runtime/images/_ingress/controller.py:_HEALTH container_runtime/images/_ingress/controller.py:_WEBHOOK
        container_runtime/images/node_exporter.py:_MEMORY container_runtime/images/node_exporter.py:_DISK container_runtime/images/node_exporter.py:_CORES
        container_runtime/kubectl/program.py:_REFUSALS
        container_runtime/sandbox.py:PIDS container_runtime/sandboxes.py:FIRST_PID container_runtime/sandboxes.py:MACHINES
        container_runtime/etcdctl/flags.py:BAD_ARGUMENTS container_runtime/etcdctl/flags.py:BAD_FEATURE
        container_runtime/etcdctl/flags.py:FAILED container_runtime/etcdctl/program.py:_INTERRUPTED
        container_runtime/etcdctl/program.py:_SECOND
        linux/deflate.py:_LONGEST linux/deflate.py:_WINDOW linux/programs/openssl/program.py:_WRAP linux/programs/openssl/program.py:_SEED linux/programs/openssl/program.py:_DAYS linux/programs/openssl/certificates.py:_ORDER linux/programs/openssl/primes.py:PUBLIC_EXPONENT linux/programs/openssl/primes.py:_ROUNDS

        linux/programs/curl.py:_UNTRUSTED
        linux/programs/ss.py:_BACKLOG
        """,
    "a time or a price": """
        container_runtime/declared/behaviour.py:_CPU_TURN
        container_runtime/images/_ingress/certgen.py:YEARS container_runtime/images/_ingress/certgen.py:_SECONDS
        container_runtime/images/_ingress/controller.py:UPDATE container_runtime/images/_ingress/controller.py:RETRY
        container_runtime/images/_ingress/controller.py:_STARTS
        linux/limits.py:QUANTUM linux/limits.py:SLICE linux/limits.py:FIRST_PERIOD linux/limits.py:LAST_PERIOD linux/limits.py:RECOVERY
        linux/limits.py:FORK_COST linux/limits.py:EXEC_COST linux/limits.py:WAKE_COST linux/limits.py:BYTES_PER_STEP
        linux/bandwidth.py:LEAST linux/bandwidth.py:SAVED linux/servers.py:EVENT_COST linux/programs/nc.py:_LINGER linux/programs/dig.py:_RETRY linux/programs/dig.py:_TRIES linux/programs/dig.py:_TTL linux/programs/host.py:_RETRY linux/programs/host.py:_TRIES
        linux/programs/traceroute.py:_PROBES linux/programs/traceroute.py:_TOOK linux/programs/nslookup.py:_RETRY linux/programs/nslookup.py:_TRIES linux/programs/tail.py:_PERIOD network/limits.py:SYN_RETRY
        network/limits.py:UNREACHABLE_AFTER network/limits.py:RETRANSMIT network/limits.py:FOREGROUND
        linux/resolver.py:SECOND linux/resolver.py:TIMEOUT linux/resolver.py:ATTEMPTS
        container_runtime/mongo/server.py:STEP container_runtime/mongo/server.py:LOOK linux/programs/openssl/primes.py:TEST_COST container_runtime/images/_guestbook.py:_PATIENCE container_runtime/images/fluent.py:PERIOD container_runtime/images/fluent.py:LOOKS
        """,
    "how much at once, without an effect on what happens": """
        linux/programs/openssl/primes.py:TRIES linux/limits.py:CHUNK linux/machine.py:HOST_BUDGET linux/programs/seq.py:_BATCH linux/programs/yes.py:_BLOCK linux/sh/shell.py:SMALL
        linux/sockets.py:TELL linux/deflate.py:_PIECE linux/sh/editing.py:KEYS_PER_TURN linux/terminals.py:KEY_STEPS container_runtime/sandboxes.py:TURNS serving/websocket.py:CHUNK
        """,
    "a memory of what was found out, which starts anew when it is full": """
        linux/files/storage.py:PREPARED_LIMIT linux/kernel.py:REMEMBERED linux/programs/http.py:MAX_REMEMBERED linux/programs/wget.py:MAX_KNOWN
        linux/regex.py:_MEMORY linux/sh/bind.py:MAX_BOUND linux/sh/pattern.py:_MEMORY container_runtime/trees.py:IMAGES_KEPT
        """,
    "a mark": """
        container_runtime/container.py:_LOG linux/files/paths.py:READ linux/files/paths.py:SEARCH linux/files/paths.py:WRITE
        linux/sh/compile.py:CHECKED linux/sh/compile.py:TAIL linux/sh/shell.py:CHARGED linux/sh/shell.py:GONE linux/sh/shell.py:SWITCH
        linux/sh/shell.py:WAIT container_runtime/http.py:NEVER network/conversation.py:CLIENT network/conversation.py:SERVER serving/websocket.py:CLOSE
        serving/websocket.py:ERROR serving/websocket.py:RESIZE serving/websocket.py:STDERR serving/websocket.py:STDIN
        serving/websocket.py:STDOUT container_runtime/commands.py:COLUMNS container_runtime/commands.py:ROWS
        """,
    "said twice: the machine holds back at linux/limits.py:SOCKET_WINDOW": "network/limits.py:WINDOW",
}  # fmt: skip


def constants() -> set[str]:
    """Every integer that a module of these rooms names."""
    found = set()
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            targets = (
                node.targets
                if isinstance(node, ast.Assign)
                else [node.target]
                if isinstance(node, ast.AnnAssign)
                else []
            )
            for target in targets:
                names = target.elts if isinstance(target, ast.Tuple) else [target]
                found |= {
                    f"{path.relative_to(ENGINE)}:{each.id}"
                    for each in names
                    if isinstance(each, ast.Name) and each.id.isupper()
                }
    return {name for name in found if type(value_of(name)) is int}


def value_of(name: str) -> Any:
    path, _, constant = name.partition(":")
    module = importlib.import_module(
        "cluster_engine." + path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    )
    return getattr(module, constant)


def test_no_limit_is_forgotten() -> None:
    others = {name for names in NO_LIMITS.values() for name in names.split()}
    listed = [*CASES, *CROSSED, *others]
    assert len(listed) == len(set(listed))
    assert constants() == set(listed)


@pytest.mark.parametrize("name", sorted({field.name for field in fields(Limits)} - {"burst"}))
def test_limits_of_a_machine(name: str) -> None:
    """``burst`` is no end: with less of it a process waits."""
    assert f"Limits({name}=" in (ROOT / "tests/linux/test_limits.py").read_text()


@pytest.mark.parametrize("name", CROSSED)
def test_the_test_is_there(name: str) -> None:
    path, _, test = CROSSED[name].partition("::")
    assert re.search(rf"^(async )?def {test.partition('[')[0]}\(", (ROOT / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", CASES)
def test_a_line_crosses_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    line, smaller, status, said = CASES[name]
    for place, value in smaller.items():
        module, _, constant = place.partition(":")
        monkeypatch.setattr(importlib.import_module(f"cluster_engine.{module}"), constant, value)
    world = World(table=programs.PROGRAMS.get, names=programs.PROGRAMS)
    result = world.sh(line)
    assert result.status == status
    assert re.search(said, result.out + result.err, re.MULTILINE)
