# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""http_health_info as Ansible runs it, against real servers that are well, ill, slow, gone and not to be trusted."""

from __future__ import annotations

import base64
import gzip
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dataops.upkeep.plugins.module_utils._state.directory import DirectoryMemory
from tests.integration.health import ids
from tests.integration.running import run_module
from tests.integration.runs import run_each
from tests.stack.application.certificates import write_certificate
from tests.unit._http.servers import HOST, SAFE, Answer, Asked, Server, raw, serving

MODULE = "http_health_info"
FAST = {"confirm_interval": 0.05}
UNHEALTHY = "http.unhealthy"
SLOW_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


def found(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Subject, id and severity of every finding."""
    return {(finding["subject"], finding["id"], finding["severity"]) for finding in result["findings"]}


def run(*endpoints: dict[str, Any], **params: Any) -> dict[str, Any]:
    """Run the module; it must not fail, and not change anything."""
    result = run_module(MODULE, {**FAST, "endpoints": list(endpoints), **params})
    assert result["outcome"] == "ok", result["output"]
    assert result["changed"] is False
    assert "Traceback" not in result["output"]
    return result


def page(size: int, **headers: str) -> Answer:
    """A page of some size."""
    return Answer(body=b"x" * size, headers={"Content-Type": "text/html", **SAFE, **headers})


def test_check_mode_then_a_run_then_another_over_one_connection_each(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with serving(health=Answer(body=b'{"status": "ok"}'), page=page(5000)) as server:
        server.routes["/private"] = lambda asked: Answer(200 if "authorization" in asked.headers else 401)
        endpoint = {
            "name": "health",
            "url": server.url("/health"),
            "expect_json": {"status": "ok"},
            "secret_headers": {"Authorization": "Bearer hunter22"},
            "compression": True,
            "security_headers": True,
            "protected_url": "/private",
        }
        params = {**FAST, "endpoints": [endpoint], "state": str(state)}
        checked = run_module(MODULE, params, check=True)
        assert not state.exists()
        assert (checked["status"], checked["findings"], server.connections) == ("ok", [], 1)
        first = run(endpoint, state=str(state))
        assert server.connections == 2
        second = run(endpoint, state=str(state))
        assert server.connections == 3
    assert (first["status"], second["status"]) == ("ok", "ok")
    assert set(first["metrics"]) == set(second["metrics"]) == set(checked["metrics"])
    assert second["metrics"]['http_up{endpoint="health"}'] == 1
    assert first["server"] == {"kind": "http", "address": "endpoints", "endpoints": ["health"]}
    document, _version = DirectoryMemory(state).read("health/http/endpoints")
    assert document
    assert len(document["status"]["seen"]["endpoints"]["health"]["outcomes"]) == 6
    # Three probes, one for compression, one as a stranger, in each of three runs; only the stranger shows no token.
    assert len(server.asked) == 15
    assert [asked.target for asked in server.asked if "authorization" not in asked.headers] == ["/private"] * 3


def test_every_failure_has_its_finding(dead_port: tuple[str, int], hanging_socket: tuple[str, int]) -> None:
    host, port = dead_port
    with (
        serving(ill=Answer(503), text=Answer(body=b"sick"), json=Answer(body=b'{"status": "error"}')) as server,
        raw(SLOW_BODY, *[b"x"] * 90, pause=0.1) as slow,
        raw(b"SSH-2.0-OpenSSH_9.2\r\n") as other,
    ):
        endless = "/endless"
        server.routes[endless] = lambda asked: Answer(302, b"", {"Location": endless})
        began = time.monotonic()
        result = run(
            {"name": "gone", "url": f"http://{host}:{port}/"},
            {"name": "hangs", "url": f"http://{hanging_socket[0]}:{hanging_socket[1]}/", "timeout": 0.3},
            {"name": "drips", "url": f"http://{HOST}:{slow}/", "timeout": 0.3},
            {"name": "other", "url": f"http://{HOST}:{other}/"},
            {"name": "ill", "url": server.url("/ill")},
            {"name": "text", "url": server.url("/text"), "expect_body": "^well"},
            {"name": "json", "url": server.url("/json"), "expect_json": {"status": "ok"}},
            {"name": "moved", "url": server.url(endless)},
            {"name": "missing", "url": server.url("/nowhere"), "expect_status": ["404"]},
        )
        # Bounded by the time-outs: three of 0.3 s; the slow body alone would take nine seconds a probe.
        assert time.monotonic() - began < 60
    expected = {
        "gone": "http.unreachable",
        "hangs": "http.timeout",
        "drips": "http.timeout",
        "other": "http.protocol",
        "ill": "http.status",
        "text": "http.body",
        "json": "http.json",
        "moved": "http.status",
    }
    assert found(result) == {
        (name, finding, "critical") for name, what in expected.items() for finding in (what, UNHEALTHY)
    }
    assert all(finding["remedy"] for finding in result["findings"])
    assert result["metrics"]['http_up{endpoint="missing"}'] == 1
    assert result["metrics"]['http_up{endpoint="gone"}'] == 0
    by_id = {finding["id"]: finding for finding in result["findings"]}
    assert by_id["http.json"]["message"] == 'json: status is "error", expected is "ok"'
    assert by_id[UNHEALTHY]["threshold"] == 3


def test_unhealthy_after_three_runs_healthy_after_two(tmp_path: Path) -> None:
    with serving() as server:
        endpoint = {"name": "health", "url": server.url("/health"), "requests": 1}
        params = {"endpoints": [endpoint], "state": str(tmp_path), "confirm": False, "checks": ["status"]}
        seen = []
        outcomes = iter("SFFFSS")
        server.routes["/health"] = lambda asked: Answer(200 if next(outcomes) == "S" else 500)
        seen = [ids(result) for result in run_each(MODULE, [params] * 6)]
        assert len(server.asked) == 6
    failing = {"http.status": "warning", "http.failing": "warning"}
    unhealthy = {"http.status": "critical", "http.unhealthy": "critical"}
    assert seen == [{}, failing, failing, unhealthy, {"http.recovering": "warning"}, {}]


def test_a_blip_is_told_from_an_outage_in_one_run() -> None:
    with serving() as server:
        outcomes = iter("FSSFFF")
        server.routes["/health"] = lambda asked: Answer(200 if next(outcomes) == "S" else 500)
        params = {**FAST, "endpoints": [{"name": "health", "url": server.url("/health")}]}
        blip, outage = run_each(MODULE, [params] * 2)
        assert len(server.asked) == 6
    assert ids(blip) == {"http.failing": "warning"}
    assert ids(outage) == {"http.status": "critical", "http.unhealthy": "critical"}


def test_the_error_rate_over_runs(tmp_path: Path) -> None:
    with serving() as server:
        outcomes = iter("S" * 18 + "F" + "S" * 6)
        server.routes["/health"] = lambda asked: Answer(200 if next(outcomes) == "S" else 500)
        endpoint = {"name": "health", "url": server.url("/health"), "requests": 12}
        params = {**FAST, "endpoints": [endpoint], "state": str(tmp_path), "checks": ["status"]}
        first, second = run_each(MODULE, [params] * 2)
    assert ids(first) == {}
    assert ids(second) == {"http.failing": "warning", "http.error_rate": "warning"}
    assert second["metrics"]['http_error_rate_percent{endpoint="health"}'] == pytest.approx(100 / 24, abs=0.01)


def test_a_server_that_is_paused_in_mid_session() -> None:
    gate = threading.Event()
    with serving() as server:

        def answer(asked: Asked) -> Answer:
            if len(server.asked) > 1:
                gate.wait(20)
            return Answer()

        server.routes["/health"] = answer
        result = run({"name": "health", "url": server.url("/health"), "timeout": 0.3})
        gate.set()
    assert ids(result) == {"http.timeout": "critical", "http.unhealthy": "critical"}
    assert "no whole answer within 0.3 s" in result["findings"][0]["message"]


def test_a_slow_server() -> None:
    with serving() as server:

        def answer(asked: Asked) -> Answer:
            time.sleep(0.1)
            return Answer()

        server.routes["/health"] = answer
        limits = {"latency_milliseconds": {"warning": 50, "critical": 60000}}
        result = run({"name": "health", "url": server.url("/health")}, thresholds=limits)
    assert ids(result) == {"http.latency": "warning"}
    assert result["findings"][0]["value"] >= 100
    assert result["findings"][0]["threshold"] == 50


def test_the_checklist_on_an_application_that_fails_all_of_it() -> None:
    bare = {"Content-Type": "text/html"}
    with serving(page=Answer(body=b"x" * 5000, headers=bare), private=Answer(), login=Answer()) as server:
        result = run(
            {
                "name": "page",
                "url": server.url("/page"),
                "redirect_to_https": True,
                "compression": True,
                "security_headers": True,
                "protected_url": "/private",
                "rate_limit": {"path": "/login", "burst": 30},
            }
        )
        assert sum(asked.target == "/login" for asked in server.asked) == 30
    assert ids(result) == {
        "http.https_redirect": "warning",
        "http.compression": "warning",
        "http.security_headers": "warning",
        "http.unauthenticated": "critical",
        "http.rate_limit": "warning",
    }
    missing = next(finding for finding in result["findings"] if finding["id"] == "http.security_headers")
    assert "X-Content-Type-Options" in missing["value"]
    assert "Strict-Transport-Security" not in missing["value"]


def test_the_checklist_on_an_application_that_passes_all_of_it(tmp_path: Path) -> None:
    pem = write_certificate(tmp_path / "server.pem", days_left=90)
    with serving() as plain, serving(pem) as server:

        def compressed(asked: Asked) -> Answer:
            if "gzip" in asked.headers["accept-encoding"]:
                headers = {"Content-Encoding": "gzip", "Content-Type": "text/html", **SAFE}
                return Answer(body=gzip.compress(b"x" * 5000), headers=headers)
            return page(5000)

        server.routes["/page"] = compressed
        server.routes["/private"] = lambda asked: Answer(403)
        logins: list[Asked] = []
        server.routes["/login"] = lambda asked: Answer(429 if logins.append(asked) or len(logins) > 10 else 200)  # type: ignore[func-returns-value]
        plain.routes["/page"] = lambda asked: Answer(301, b"", {"Location": "/other"})
        plain.routes["/other"] = lambda asked: Answer(308, b"", {"Location": server.url("/page")})
        result = run(
            {
                "name": "page",
                "url": server.url("/page"),
                "ca_cert": str(pem),
                "certificate": True,
                "secret_headers": {"Authorization": "Bearer hunter22"},
                "redirect_to_https": True,
                "redirect_from": plain.url("/page"),
                "compression": True,
                "security_headers": "true",
                "protected_url": server.url("/private"),
                "rate_limit": {"path": "/login", "burst": 100},
            }
        )
        assert server.connections == 1
        assert not [asked for asked in plain.asked if "authorization" in asked.headers]
    assert result["findings"] == []
    assert result["metrics"]['http_certificate_days_left{endpoint="page"}'] == pytest.approx(90, abs=0.1)
    assert result["metrics"]['http_rate_limited_after_count{endpoint="page"}'] == 11
    assert result["metrics"]['http_compressed{endpoint="page"}'] == 1
    assert len(logins) == 11


def test_plain_http_that_leads_round_in_circles() -> None:
    with serving() as server:
        server.routes["/a"] = lambda asked: Answer(200 if len(server.asked) <= 3 else 302, b"", {"Location": "/b"})
        server.routes["/b"] = lambda asked: Answer(302, b"", {"Location": "/a"})
        result = run({"name": "a", "url": server.url("/a"), "redirect_to_https": True})
    assert ids(result) == {"http.https_redirect": "warning"}
    assert "leads round in circles" in result["findings"][0]["message"]


@pytest.mark.parametrize(
    ("made", "trusted", "options", "expected"),
    [
        ({"days_left": 10}, True, {}, {"http.certificate": "warning"}),
        ({"days_left": 2}, True, {}, {"http.certificate": "critical"}),
        ({"days_left": -2}, True, {}, {"http.certificate": "critical", UNHEALTHY: "critical"}),
        ({"days_left": -2}, True, {"validate_certs": False}, {"http.certificate": "critical"}),
        ({"days_left": 90}, False, {}, {"http.certificate": "critical", UNHEALTHY: "critical"}),
        ({"days_left": 90}, False, {"validate_certs": False}, {}),
        (
            {"days_left": 90, "address": "192.0.2.1"},
            True,
            {},
            {"http.certificate": "critical", UNHEALTHY: "critical"},
        ),
    ],
    ids=["ten days", "two days", "expired", "expired but not validated", "self-signed", "not validated", "wrong name"],
)
def test_certificates(
    tmp_path: Path, made: dict[str, Any], trusted: bool, options: dict[str, Any], expected: dict[str, str]
) -> None:
    pem = write_certificate(tmp_path / "server.pem", **made)
    with serving(pem, health=Answer()) as server:
        endpoint = {"name": "health", "url": server.url("/health"), "certificate": True, **options}
        result = run({**endpoint, **({"ca_cert": str(pem)} if trusted else {})})
    assert ids(result) == expected
    assert len(result["findings"]) == len(expected)
    days = result["metrics"]['http_certificate_days_left{endpoint="health"}']
    assert days == pytest.approx(made["days_left"], abs=0.1)


def test_secrets_show_nowhere() -> None:
    login = base64.b64encode(b"bob:hunter33").decode()
    with serving() as server:
        # A server that gives back what it got, as error pages do.
        server.routes["/health"] = lambda asked: Answer(body=json.dumps(dict(asked.headers)).encode())
        endpoint = {
            "name": "health",
            "url": server.url("/health?api_key=hunter44").replace("//", "//bob:hunter33@"),
            "headers": {"X-Api-Key": "hunter55", "Cookie": "sid=hunter66", "X-Forwarded-Proto": "https"},
            "secret_headers": {"X-Own": "hunter77"},
            "expect_json": {"x-own": "a", "authorization": "b", "cookie": "c"},
        }
        params = {**FAST, "endpoints": [endpoint]}
        result = run_module(MODULE, params, verbosity=4)
        runs = [
            run_module(MODULE, {**FAST, "endpoints": [{**endpoint, "expect_json": {path: "x"}}]}, verbosity=4)
            for path in ("authorization", "cookie")
        ]
        assert server.asked[0].headers["authorization"] == f"Basic {login}"
        assert server.asked[0].headers["x-forwarded-proto"] == "https"
    assert ids(result) == {"http.json": "critical", "http.unhealthy": "critical"}
    shown = json.dumps([result, *runs])
    for number in range(33, 78, 11):
        assert f"hunter{number}" not in shown
    assert login not in shown
    assert f"{HOST}:{server.port}/health" in shown


def test_one_that_is_down_stops_no_other(hanging_socket: tuple[str, int]) -> None:
    url = f"http://{hanging_socket[0]}:{hanging_socket[1]}/"
    hanging = [{"name": f"hangs{number}", "url": url, "timeout": 0.5} for number in range(10)]
    with serving(health=Answer()) as server:
        result = run(*hanging, {"name": "health", "url": server.url("/health")})
    assert {subject for subject, _id, _severity in found(result)} == {endpoint["name"] for endpoint in hanging}
    assert result["metrics"]['http_up{endpoint="health"}'] == 1


def test_the_deadline_ends_it_and_says_what_was_not_asked(hanging_socket: tuple[str, int]) -> None:
    url = f"http://{hanging_socket[0]}:{hanging_socket[1]}/"
    hanging = [{"name": f"hangs{number}", "url": url, "timeout": 30} for number in range(9)]
    began = time.monotonic()
    result = run(*hanging, deadline=1)
    assert time.monotonic() - began < 30
    assert {finding for _subject, finding, _severity in found(result)} == {"http.deadline"}
    assert result["status"] == "warning"


def test_other_methods(tmp_path: Path) -> None:
    with serving() as server:
        server.routes["/login"] = lambda asked: Answer(200 if asked.body == b'{"a": "b"}' else 400)
        result = run(
            {"name": "post", "url": server.url("/login"), "method": "POST", "body": '{"a": "b"}', "requests": 1},
            {"name": "head", "url": server.url("/login"), "method": "HEAD", "expect_status": [400], "requests": 1},
        )
        assert sorted(asked.method for asked in server.asked) == ["HEAD", "POST"]
    assert result["findings"] == []


def test_only_chosen_checks(dead_port: tuple[str, int]) -> None:
    with serving(health=Answer()) as server:
        well = {"name": "well", "url": server.url("/health"), "security_headers": True, "redirect_to_https": True}
        down = {"name": "down", "url": f"http://{dead_port[0]}:{dead_port[1]}/", "security_headers": True}
        result = run(well, down, checks=["security_headers"])
    # Without the status check nothing else says that an endpoint could not be looked at.
    assert found(result) == {("down security_headers", "http.failing", "warning")}


def test_options_that_cannot_be_understood(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    url = "https://app.example.com/"
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("endpoints", {"endpoints": []}),
        ("endpoints.url", {"endpoints": [{"url": "app.example.com"}]}),
        ("timeout", {"endpoints": [{"url": url, "timeout": "soon"}]}),
        ("expect_body", {"endpoints": [{"url": url, "expect_body": "("}]}),
        ("security_headers", {"endpoints": [{"url": url, "security_headers": ["X-Unknown"]}]}),
        ("burst", {"endpoints": [{"url": url, "rate_limit": {"burst": 1000}}]}),
        ("ca_cert", {"endpoints": [{"url": url, "ca_cert": str(tmp_path / "missing.pem")}]}),
        ("ca_cert", {"endpoints": [{"url": url, "ca_cert": str(tmp_path / "empty.pem")}]}),
        ("unhealthy_after", {"endpoints": [{"url": url}], "unhealthy_after": 0}),
        ("confirm_interval", {"endpoints": [{"url": url}], "confirm_interval": "a while"}),
        ("thresholds", {"endpoints": [{"url": url}], "thresholds": {"latency": 5}}),
    ]
    results = run_each(MODULE, [params for _option, params in wrong])
    for (option, _params), result in zip(wrong, results, strict=True):
        assert result["outcome"] == "ignored", option
        assert option in result["msg"]


def test_a_server_that_is_stopped_between_two_runs(tmp_path: Path) -> None:
    server = Server()
    server.routes["/health"] = lambda asked: Answer()
    endpoint = {"name": "health", "url": server.url("/health")}
    assert run(endpoint, state=str(tmp_path))["status"] == "ok"
    server.stop()
    result = run(endpoint, state=str(tmp_path))
    assert ids(result) == {"http.unreachable": "critical", "http.unhealthy": "critical"}
