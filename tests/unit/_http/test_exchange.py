# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection, one limit of time for all of a request, and an error of ours for whatever a server does."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._core.errors import (
    StoreError,
    StoreTimeout,
    StoreUnreachable,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.endpoint import address_of
from ansible_collections.dataops.upkeep.plugins.module_utils._http.exchange import (
    BODY_LIMIT,
    Line,
    ProtocolError,
    presented_certificate,
    tls_context,
)
from ansible_collections.dataops.upkeep.plugins.module_utils._http.facts import CertificateRejected, Reply
from tests.stack.application.certificates import write_certificate
from tests.unit._http.servers import HOST, Answer, raw, serving


def ask(url: str, seconds: float = 5.0, method: str = "GET", line: Line | None = None) -> Reply:
    address = address_of(url, "url")
    chosen = line or Line(address, tls_context(True, None) if address.tls else None)
    try:
        return chosen.request(method, address, {}, None, seconds)
    finally:
        if line is None:
            chosen.close()


def test_many_requests_over_one_connection() -> None:
    with serving(a=Answer(body=b"x" * 100), b=Answer(204, b"")) as server:
        line = Line(address_of(server.url(), "url"), None)
        assert ask(server.url("/a"), line=line).body == b"x" * 100
        assert ask(server.url("/b"), line=line).status == 204
        assert ask(server.url("/a"), method="HEAD", line=line).size == 0
        assert ask(server.url("/c"), line=line).status == 404
        line.close()
        assert server.connections == line.connections == 1


def test_a_server_that_hangs_up_after_each_answer_is_called_again() -> None:
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok") as port:
        line = Line(address_of(f"http://{HOST}:{port}/", "url"), None)
        assert [ask(f"http://{HOST}:{port}/", line=line).body for _time in range(3)] == [b"ok"] * 3
        assert line.connections == 3
        line.close()


def test_a_server_that_hangs_up_without_a_word_is_called_again_once() -> None:
    with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as port:
        line = Line(address_of(f"http://{HOST}:{port}/", "url"), None)
        assert ask(f"http://{HOST}:{port}/", line=line).body == b"ok"
        assert ask(f"http://{HOST}:{port}/", line=line).body == b"ok"
        with pytest.raises(StoreUnreachable):
            ask(f"http://{HOST}:{port}/", method="POST", line=line)
        line.close()


def test_a_body_that_ends_with_the_connection() -> None:
    with raw(b"HTTP/1.0 200 OK\r\n\r\nall of ", b"it", pause=0.01) as port:
        assert ask(f"http://{HOST}:{port}/").body == b"all of it"


def test_chunks() -> None:
    with raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", hold=True
    ) as port:
        assert ask(f"http://{HOST}:{port}/").body == b"abcde"


@pytest.mark.parametrize(
    "pieces",
    [
        [b""],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"HTTP/1.1 200 OK\r\n"] + [b"X-More: 1\r\n"] * 50,
        [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"] + [b"x"] * 50,
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"] + [b"1\r\nx\r\n"] * 50,
        [b"HTTP/1.1 100 Continue\r\n\r\n"] * 50,
    ],
    ids=["nothing", "half a header", "headers without end", "slow body", "slow chunks", "continue for ever"],
)
def test_the_limit_holds_for_the_whole_request_however_slow_it_drips(pieces: list[bytes]) -> None:
    with (
        raw(*pieces, pause=0.1, hold=True) as port,
        pytest.raises(StoreTimeout, match=r"no whole answer within 0\.5 s"),
    ):
        ask(f"http://{HOST}:{port}/", seconds=0.5)


def test_a_listener_that_never_answers_even_the_handshake(hanging_socket: tuple[str, int]) -> None:
    host, port = hanging_socket
    with pytest.raises(StoreTimeout):
        ask(f"https://{host}:{port}/", seconds=0.2)
    assert presented_certificate(address_of(f"https://{host}:{port}/", "url"), 0.2) is None


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        ([b"SSH-2.0-OpenSSH_9.2\r\n"], ProtocolError),
        ([b"\x00\x01\x02\r\n\r\n"], ProtocolError),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"], ProtocolError),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"], ProtocolError),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"], ProtocolError),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70000 + b"\r\n\r\n"], ProtocolError),
        ([b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"], ProtocolError),
        ([], StoreUnreachable),
    ],
)
def test_what_is_no_http(pieces: list[bytes], error: type[StoreError]) -> None:
    with raw(*pieces) as port, pytest.raises(error):
        ask(f"http://{HOST}:{port}/")


def test_plain_http_where_tls_is_asked_for() -> None:
    with serving() as server, pytest.raises(ProtocolError, match="TLS failed"):
        ask(server.url().replace("http:", "https:"))


def test_nobody_listens(dead_port: tuple[str, int]) -> None:
    with pytest.raises(StoreUnreachable, match="Connection refused"):
        ask(f"http://{dead_port[0]}:{dead_port[1]}/")


def test_a_name_that_nobody_knows() -> None:
    with pytest.raises(StoreError):
        ask("http://nobody.invalid/", seconds=3)


def test_a_huge_body_is_cut_off_and_the_line_goes_on_with_a_new_connection() -> None:
    with serving(huge=Answer(body=b"x" * (3 * BODY_LIMIT)), a=Answer()) as server:
        line = Line(address_of(server.url(), "url"), None)
        reply = ask(server.url("/huge"), line=line)
        assert (len(reply.body), reply.truncated) == (BODY_LIMIT, True)
        assert ask(server.url("/a"), line=line).status == 200
        line.close()
        assert line.connections == 2


def test_a_body_that_unfolds_to_much_is_cut_off_too() -> None:
    headers = {"Content-Encoding": "gzip"}
    with serving(bomb=Answer(body=gzip.compress(bytes(50 * BODY_LIMIT)), headers=headers)) as server:
        assert len(ask(server.url("/bomb")).body) == BODY_LIMIT


def test_compressed_unasked_is_understood_and_false_compression_is_left_as_it_is() -> None:
    headers = {"Content-Encoding": "gzip"}
    with serving(
        good=Answer(body=gzip.compress(b"fine"), headers=headers), bad=Answer(body=b"raw", headers=headers)
    ) as s:
        assert ask(s.url("/good")).body == b"fine"
        assert ask(s.url("/bad")).body == b"raw"


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{HOST}:9")
    with serving(a=Answer()) as server:
        assert ask(server.url("/a")).status == 200


@pytest.mark.parametrize(
    ("made", "trusted", "why"),
    [
        ({}, False, "self-signed"),
        ({"days_left": -1}, True, "expired"),
        ({"host": "other.example.com", "address": "192.0.2.1"}, True, "mismatch"),
    ],
)
def test_a_certificate_that_is_refused_gets_nothing_and_can_be_read(
    tmp_path: Path, made: dict[str, object], trusted: bool, why: str
) -> None:
    pem = write_certificate(tmp_path / "server.pem", **made)  # type: ignore[arg-type]
    with serving(pem, a=Answer()) as server:
        address = address_of(server.url("/a"), "url")
        line = Line(address, tls_context(True, str(pem) if trusted else None))
        with pytest.raises(CertificateRejected, match=why):
            line.request("GET", address, {"Authorization": "Bearer hunter22"}, None, 5)
        assert server.asked == []
        certificate = presented_certificate(address, 5)
        assert certificate is not None
        assert certificate.not_after - time.time() == pytest.approx(made.get("days_left", 90.0) * 86400, abs=60)  # type: ignore[operator]


def test_a_certificate_that_is_trusted_is_read_on_the_way(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path / "server.pem", days_left=10)
    with serving(pem, a=Answer()) as server:
        line = Line(address_of(server.url("/a"), "url"), tls_context(True, str(pem)))
        assert ask(server.url("/a"), line=line).status == 200
        assert line.certificate is not None
        assert line.certificate.self_signed
        line.close()
