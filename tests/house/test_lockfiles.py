"""The check of the lock files finds what it is for."""

from __future__ import annotations

import pytest

from tests import lockfiles

PROJECT = '[project]\ndependencies = ["django>=5"]\n[dependency-groups]\ndev = ["ruff"]\n'
GOOD = "django==5.2 \\\n    --hash=sha256:aa\n"
DEV = GOOD + "ruff==1 \\\n    --hash=sha256:bb\n"


def test_the_lock_files_of_this_project_hold():
    assert lockfiles.main() == 0


@pytest.mark.parametrize(
    ("runtime", "development", "says"),
    [
        ("django==5.2\n", DEV, "no hash"),
        ("django>=5 --hash=sha256:aa\n", DEV, "not pinned"),
        ("--index-url https://example.org\n" + GOOD, DEV, "names an address"),
        ("", DEV, "django of pyproject.toml is missing"),
        (GOOD, GOOD, "ruff of pyproject.toml is missing"),
        (GOOD, DEV.replace("5.2", "5.1"), "django differs"),
    ],
)
def test_a_broken_lock_file_is_named(runtime, development, says):
    assert any(says in problem for problem in lockfiles.problems(PROJECT, runtime, development))


def test_whole_lock_files_have_no_problem():
    assert list(lockfiles.problems(PROJECT, GOOD, DEV)) == []
