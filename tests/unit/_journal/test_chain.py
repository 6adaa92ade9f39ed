# SPDX-FileCopyrightText: 2026 The dataops.upkeep authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The chain: every change to a journal is found, and what a crash leaves is told from what a hand did."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from ansible_collections.dataops.upkeep.plugins.module_utils._journal.chain import (
    GENESIS,
    MAX_PROBLEMS,
    Tail,
    Verdict,
    Verifier,
    canonical,
    find_tail,
    seal,
    torn_note,
)

AT = "2025-11-15T02:00:00.000+00:00"
DETAILS = st.dictionaries(st.text(), st.text() | st.integers() | st.floats(allow_nan=False, allow_infinity=False))


def chain(events: Sequence[tuple[str, Any]], seq: int = 0, prev: str = GENESIS) -> list[bytes]:
    """Lines of a sound journal with these events and details."""
    lines = []
    for event, details in events:
        record = seal({"at": AT, "event": event, "run": "r1", "text": event, "details": details}, seq + 1, prev)
        seq, prev = record["seq"], record["hash"]
        lines.append(canonical(record) + b"\n")
    return lines


def head_of(lines: Sequence[bytes]) -> Tail:
    tail = find_tail(b"".join(lines), whole=True)
    assert tail is not None
    return tail


def verify(data: bytes, **settings: Any) -> Verdict:
    """Verify one file's bytes."""
    verifier = Verifier(**settings)
    verifier.feed("journal", io.BytesIO(data))
    return verifier.finish()


def kinds(verdict: Verdict) -> list[str]:
    return [problem.kind for problem in verdict.problems]


SAMPLE = chain([("run_started", {}), ("task", {"n": 1}), ("action", {"undo": "CREATE INDEX ü"}), ("run_ended", {})])
JOURNALS = st.lists(st.tuples(st.sampled_from(["task", "action", "finding"]), DETAILS), min_size=1, max_size=6)


@given(JOURNALS)
def test_a_sound_journal_is_intact(events: list[tuple[str, Any]]) -> None:
    verdict = verify(b"".join(chain(events)))
    assert verdict.problems == []
    assert verdict.records == verdict.seq == len(events)


@given(JOURNALS, st.data())
@example([("task", {})], None)
def test_any_changed_byte_is_found(events: list[tuple[str, Any]], data: st.DataObject | None) -> None:
    journal = b"".join(chain(events))
    spots = [(len(journal) - 1, value) for value in range(256)]
    if data:
        spots = [(data.draw(st.integers(0, len(journal) - 1)), data.draw(st.integers(0, 255)))]
    for position, value in spots:
        if journal[position] == value:
            continue
        changed = journal[:position] + bytes([value]) + journal[position + 1 :]
        assert "tampered" in kinds(verify(changed)), (position, value)


def test_every_single_bit_of_a_journal_counts() -> None:
    journal = b"".join(SAMPLE)
    for position in range(len(journal)):
        for bit in range(8):
            changed = bytearray(journal)
            changed[position] ^= 1 << bit
            assert not verify(bytes(changed)).intact, (position, bit)


@given(JOURNALS, st.data())
def test_an_inserted_or_removed_byte_is_found(events: list[tuple[str, Any]], data: st.DataObject) -> None:
    journal = b"".join(chain(events))
    position = data.draw(st.integers(0, len(journal)))
    value = bytes([data.draw(st.integers(0, 255))])
    assert verify(journal[:position] + value + journal[position:]).problems
    if position < len(journal):
        assert verify(journal[:position] + journal[position + 1 :]).problems


@pytest.mark.parametrize("gone", range(3))
def test_a_removed_line_is_found(gone: int) -> None:
    verdict = verify(b"".join(SAMPLE[:gone] + SAMPLE[gone + 1 :]))
    assert not verdict.intact
    assert verdict.problems[0].line == gone + 1


@given(st.integers(0, 3), st.integers(0, 3))
def test_swapped_lines_are_found(one: int, other: int) -> None:
    assume(one != other)
    lines = list(SAMPLE)
    lines[one], lines[other] = lines[other], lines[one]
    assert not verify(b"".join(lines)).intact


@given(
    st.integers(0, 4),
    st.sampled_from([*SAMPLE, b"\n", b"{}\n", b'{"at":"x"}\n', b'{"at":"\n', b"\0\n", b"[]\n", b"1\n"]),
)
def test_an_inserted_line_is_found(position: int, line: bytes) -> None:
    verdict = verify(b"".join([*SAMPLE[:position], line, *SAMPLE[position:]]))
    assert "tampered" in kinds(verdict)


def test_a_record_that_was_sealed_anew_breaks_the_link_of_the_next() -> None:
    forged = (
        canonical(seal({"at": AT, "event": "task", "run": "r1", "details": {}}, 2, head_of(SAMPLE[:1]).head)) + b"\n"
    )
    verdict = verify(b"".join([SAMPLE[0], forged, *SAMPLE[2:]]))
    assert [(problem.kind, problem.line) for problem in verdict.problems] == [("tampered", 3)]


def test_one_edit_is_one_problem_with_its_line() -> None:
    verdict = verify(b"".join(SAMPLE).replace(b'"n":1', b'"n":2'))
    assert [(problem.kind, problem.line) for problem in verdict.problems] == [("tampered", 2)]
    assert "does not have the hash" in verdict.problems[0].what


@pytest.mark.parametrize("kept", range(1, 4))
def test_a_shortened_journal_is_found_by_a_hash_known_from_elsewhere(kept: int) -> None:
    journal = b"".join(SAMPLE[:kept])
    assert verify(journal).intact, "the chain alone cannot show it"
    assert kinds(verify(journal, expected=head_of(SAMPLE).head)) == ["tampered"]


def test_an_expected_hash_may_be_an_earlier_one() -> None:
    verdict = verify(b"".join(SAMPLE), expected=head_of(SAMPLE[:2]).head.upper())
    assert verdict.problems == []
    assert verdict.expected_seq == 2


def test_the_first_lines_may_be_gone_only_if_told_so() -> None:
    journal = b"".join(SAMPLE[2:])
    assert kinds(verify(journal)) == ["missing"]
    assert verify(journal, partial=True).problems == []


def test_a_first_record_must_start_the_chain() -> None:
    line = canonical(seal({"at": AT, "event": "task"}, 1, "1" * 64)) + b"\n"
    assert kinds(verify(line, partial=True)) == ["tampered"]


def files(*parts: Sequence[bytes], **settings: Any) -> Verdict:
    verifier = Verifier(**settings)
    for number, part in enumerate(parts):
        verifier.feed(f"file{number}", part)
    return verifier.finish()


def test_the_chain_goes_on_over_files() -> None:
    assert files(SAMPLE[:2], SAMPLE[2:]).problems == []


def test_files_in_the_wrong_order_are_found() -> None:
    verdict = files(SAMPLE[2:], SAMPLE[:2])
    assert not verdict.intact
    assert any("order" in problem.what for problem in verdict.problems)


def test_a_file_that_is_gone_in_the_middle_is_missing() -> None:
    verdict = files(SAMPLE[:1], SAMPLE[3:])
    assert [(problem.kind, problem.file) for problem in verdict.problems] == [("missing", "file1")]
    assert "2 between them" in verdict.problems[0].what


def recovered(lines: Sequence[bytes], torn: Sequence[bytes]) -> list[bytes]:
    """A record that goes on after ``lines`` and declares ``torn``."""
    tail = head_of(lines)
    return chain([("recovered", {"torn": torn_note(torn)})], tail.seq, tail.head)


@given(st.data())
def test_a_torn_line_is_tolerated_where_the_next_record_declares_it(data: st.DataObject) -> None:
    torn = SAMPLE[3][: data.draw(st.integers(1, len(SAMPLE[3]) - 2))]
    before = verify(b"".join(SAMPLE[:3]) + torn)
    assert kinds(before) == ["torn"]
    assert before.intact
    tail = find_tail(b"".join(SAMPLE[:3]) + torn, whole=True)
    assert tail == Tail(3, head_of(SAMPLE[:3]).head, (torn,), open=True)
    after = verify(b"".join([*SAMPLE[:3], torn, b"\n", *recovered(SAMPLE[:3], [torn])]))
    assert after.problems == []
    assert after.torn == 1


@given(st.data())
def test_a_declared_torn_line_may_not_be_changed_or_removed(data: st.DataObject) -> None:
    torn = SAMPLE[3][:40]
    rest = b"".join(recovered(SAMPLE[:3], [torn]))
    changed = bytearray(torn)
    changed[data.draw(st.integers(0, 39))] ^= 1 << data.draw(st.integers(0, 7))
    assert "tampered" in kinds(verify(b"".join(SAMPLE[:3]) + bytes(changed) + b"\n" + rest))
    assert kinds(verify(b"".join(SAMPLE[:3]) + rest)) == ["tampered"]


def test_a_torn_line_that_nobody_declares_is_a_change() -> None:
    assert kinds(verify(b"".join([*SAMPLE[:3], SAMPLE[3][:40], b"\n", *SAMPLE[3:]]))) == ["tampered"]


def test_a_run_killed_while_it_declared_leaves_two_torn_lines() -> None:
    first, second = SAMPLE[3][:40], recovered(SAMPLE[:3], [SAMPLE[3][:40]])[0][:60]
    data = b"".join([*SAMPLE[:3], first, b"\n", second])
    assert kinds(verify(data)) == ["torn"]
    tail = find_tail(data, whole=True)
    assert tail is not None
    assert tail.torn == (first, second)
    assert verify(data + b"\n" + b"".join(recovered(SAMPLE[:3], tail.torn))).problems == []


def test_a_broken_line_with_its_line_end_is_never_excused_as_torn() -> None:
    data = b"".join(SAMPLE[:3]) + SAMPLE[3][:40] + b"\n"
    tail = find_tail(data, whole=True)
    assert tail == Tail(3, head_of(SAMPLE[:3]).head)
    assert kinds(verify(data)) == ["tampered"]


def test_a_record_without_its_line_end_still_is_the_head() -> None:
    data = b"".join(SAMPLE)[:-1]
    assert find_tail(data, whole=True) == Tail(4, head_of(SAMPLE).head, (), open=True)
    assert kinds(verify(data)) == ["torn"]


def test_unwritten_blocks_after_a_power_loss_are_torn() -> None:
    data = b"".join(SAMPLE[:3]) + b"\0" * 512
    assert find_tail(data, whole=True) == Tail(3, head_of(SAMPLE[:3]).head, (b"\0" * 512,), open=True)
    assert kinds(verify(data)) == ["torn"]


@given(st.integers(0, len(b"".join(SAMPLE))))
def test_the_tail_of_a_part_is_the_tail_of_the_whole_or_unknown(start: int) -> None:
    data = b"".join(SAMPLE)
    assert find_tail(data[start:], whole=start == 0) in (None, head_of(SAMPLE))


def test_an_empty_file_has_no_tail() -> None:
    assert find_tail(b"", whole=True) == Tail()
    assert find_tail(b"", whole=False) is None


def test_runs_are_counted_and_those_without_an_end_named() -> None:
    verdict = verify(b"".join(SAMPLE[:3]))
    assert verdict.unfinished == ["r1"]
    assert verify(b"".join(SAMPLE)).unfinished == []


def test_since_counts_later_records_and_verifies_all() -> None:
    verdict = verify(b"".join(SAMPLE).replace(b'"n":1', b'"n":2'), since="2025-11-16")
    assert verdict.records == 0
    assert kinds(verdict) == ["tampered"]
    assert verify(b"".join(SAMPLE), since=AT).records == 4


def test_many_problems_are_counted_and_the_first_listed() -> None:
    verdict = verify(b"x\n" * (MAX_PROBLEMS + 5))
    assert len(verdict.problems) == MAX_PROBLEMS
    assert verdict.problem_count == MAX_PROBLEMS + 5


@pytest.mark.parametrize(
    "line", [b'{"at":NaN}', b"[" * 100000, b'{"at":"","hash":"","prev":"","seq":true}', b"\xff\xfe"]
)
def test_hostile_lines_are_problems_and_no_errors(line: bytes) -> None:
    assert kinds(verify(line + b"\n"))[0] == "tampered"


def test_a_sealed_record_with_strange_details_is_read() -> None:
    line = canonical(seal({"at": AT, "event": "recovered", "details": ["torn"]}, 1, GENESIS)) + b"\n"
    assert verify(line).problems == []
