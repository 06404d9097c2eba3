import threading
from datetime import datetime, timedelta

import pytest
from django.db import connection

from products.catalogue.models import SubjectWindow
from products.runtimes.limits import SubjectLimitReached, subject_admit, subject_windows_forget
from tests.products.catalogue.conftest import AT, world  # noqa: F401

LIMITS = {"attempts_per_subject_per_day": 3, "subjects_per_day": 5}


@pytest.fixture
def release_id(world):  # noqa: F811
    return world.publish().release.pk


def ask(release_id, subject, at=AT, caller="E-1"):
    subject_admit(release_id=release_id, caller=caller, limits=LIMITS, digest=subject.ljust(32, b"."), at=at)


def test_one_subject_may_be_asked_about_so_often_a_day(release_id):
    for _ in range(3):
        ask(release_id, b"a")
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(release_id, b"a")
    assert refusal.value.facts == {"limit": "attempts", "allowed": 3, "retry_after": 12 * 3600}
    ask(release_id, b"b")
    ask(release_id, b"a", caller="E-2")
    ask(release_id, b"a", at=AT + timedelta(days=1))


def test_only_so_many_different_subjects_are_asked_about_in_a_day(release_id):
    for letter in b"abcde":
        ask(release_id, bytes([letter]))
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(release_id, b"f")
    assert refusal.value.facts["limit"] == "subjects"
    ask(release_id, b"a")  # one that was asked about before is no new subject
    with pytest.raises(SubjectLimitReached):
        ask(release_id, b"f")  # a refused subject was not counted as seen


def test_the_day_turns_in_shanghai(release_id):
    before, after = (datetime.fromisoformat(f"2026-05-10T{time}+00:00") for time in ("15:59:59", "16:00:00"))
    for _ in range(3):
        ask(release_id, b"a", at=before)
    with pytest.raises(SubjectLimitReached) as refusal:
        ask(release_id, b"a", at=before)
    assert refusal.value.facts["retry_after"] == 1
    ask(release_id, b"a", at=after)


def test_old_counters_are_forgotten(release_id):
    ask(release_id, b"a")
    ask(release_id, b"a", at=AT + timedelta(days=1))
    assert subject_windows_forget(before=(AT + timedelta(days=1)).date()) == 1
    assert SubjectWindow.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_limits_hold_under_concurrency(world):  # noqa: F811
    release_id = world.publish().release.pk
    answers = []

    def work(number):
        try:
            for turn in range(12):
                try:
                    ask(release_id, bytes([65 + (number + turn) % 12]))
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
