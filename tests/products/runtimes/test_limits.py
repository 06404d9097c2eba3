import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection

from products.catalogue.models import SubjectWindow
from products.record.models import Case
from products.runtimes.limits import SubjectLimitReached, asked, is_fishing, subject_admit, subject_windows_forget
from tests.products.catalogue.conftest import AT, world  # noqa: F401

LIMITS = {"attempts_per_subject_per_day": 3, "subjects_per_day": 5}


@pytest.fixture
def pair(world):  # noqa: F811
    """A product, and an organisation that asks."""
    return world.publish().product.pk, world.operator.pk


def ask(pair, subject, at=AT, *, text=None, claims=None, **limits):
    question = asked(key=b"k", subject=subject.ljust(32, b"."), text=text or subject.hex(), claims=claims or {"name": "x"})
    named = {"limits": LIMITS | limits, "question": question, "at": at, "watched": "7"}
    subject_admit(product=pair[0], organisation=pair[1], **named)


def test_one_subject_may_be_asked_about_so_often_a_day(pair):
    for _ in range(3):
        ask(pair, b"a")
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"a")
    assert refusal.value.facts == {"limit": "attempts", "allowed": 3, "retry_after": 12 * 3600}
    ask(pair, b"b")
    ask(pair, b"a", at=AT + timedelta(days=1))


def test_only_so_many_different_subjects_are_asked_about_in_a_day(pair):
    for letter in b"abcde":
        ask(pair, bytes([letter]))
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"f")
    assert refusal.value.facts["limit"] == "subjects"
    ask(pair, b"a")  # one that was asked about before is no new subject
    with pytest.raises(SubjectLimitReached):
        ask(pair, b"f")  # a refused subject was not counted as seen


def test_the_day_turns_in_shanghai(pair):
    before, after = (datetime.fromisoformat(f"2026-05-10T{time}+00:00") for time in ("15:59:59", "16:00:00"))
    for _ in range(3):
        ask(pair, b"a", at=before)
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"a", at=before)
    assert refusal.value.facts["retry_after"] == 1
    ask(pair, b"a", at=after)


def test_old_counters_are_forgotten(pair):
    ask(pair, b"a")
    ask(pair, b"a", at=AT + timedelta(days=1))
    assert subject_windows_forget(before=(AT + timedelta(days=1)).date()) == 1
    assert SubjectWindow.objects.count() == 1


def test_a_new_release_starts_no_count_anew(world, pair):  # noqa: F811
    for _ in range(3):
        ask(pair, b"a")
    world.publish(world.spec(necessity="other words"))
    with pytest.raises(SubjectLimitReached):
        ask(pair, b"a")


def test_different_claims_about_one_subject_are_counted_over_thirty_days(pair):
    many = {"attempts_per_subject_per_day": 9, "claims_per_subject": 4}
    for number in range(4):
        ask(pair, b"a", AT + timedelta(days=number), claims={"birth": f"1990-01-0{number}"}, **many)
    ask(pair, b"a", AT + timedelta(days=5), claims={"birth": "1990-01-00"}, **many)  # claimed before
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"a", AT + timedelta(days=5), claims={"birth": "1990-01-09"}, **many)
    assert refusal.value.facts["limit"] == "claims"
    ask(pair, b"b", AT + timedelta(days=5), claims={"birth": "1990-01-09"}, **many)
    ask(pair, b"a", AT + timedelta(days=31), claims={"birth": "1990-01-09"}, **many)


def test_a_sequence_of_neighbouring_subjects_is_stopped(pair):
    more = {"subjects_per_day": 100, "neighbours_per_day": 6}
    for number in range(6):
        ask(pair, bytes([number]), text=f"330200199001010{number:03d}", **more)
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"x", text="330200199001010666", **more)
    assert refusal.value.facts["limit"] == "neighbours"
    ask(pair, b"x", text="330200197512310666", **more)
    ask(pair, bytes([0]), text="330200199001010000", **more)  # one that was asked about before is no new neighbour


def test_short_subjects_have_no_neighbourhood(pair):
    for number in range(5):
        ask(pair, bytes([number]), text=f"1101{number:02d}", neighbours_per_day=1)


def test_an_open_probing_case_stops_questions_under_its_entitlement(world, pair):  # noqa: F811
    about = {"kind": "probing", "object_type": "settlement.entitlement", "object_id": "7", "handler": world.authority}
    case = Case.objects.create(**about, opened_date=AT.date(), limit_days=5, opened_at=AT)
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(pair, b"a")
    assert (refusal.value.facts["limit"], refusal.value.facts["allowed"]) == ("probing", None)
    Case.objects.filter(pk=case.pk).update(state="closed", closed_at=AT)
    ask(pair, b"a")


@pytest.mark.parametrize(
    ("asked_", "missed", "looks_so"), [(99, 99, False), (100, 79, False), (100, 80, True), (1000, 799, False), (1000, 900, True)]
)
def test_a_day_of_guesses_is_known_by_its_share_of_misses(asked_, missed, looks_so):
    assert is_fishing(asked_=asked_, missed=missed, limits={}) is looks_so


@pytest.mark.django_db(transaction=True)
def test_the_limits_hold_under_concurrency(world):  # noqa: F811
    pair = world.publish().product.pk, world.operator.pk
    answers = []

    def work(number):
        try:
            for turn in range(12):
                try:
                    ask(pair, bytes([65 + (number + turn) % 12]))
                    answers.append("admitted")
                except SubjectLimitReached as refusal:
                    answers.append(refusal.facts["limit"])
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = list(SubjectWindow.objects.values_list("attempts", flat=True))
    assert len(answers) == 96
    assert len(rows) == 5
    assert max(rows) <= 3
    assert answers.count("admitted") == sum(rows)
