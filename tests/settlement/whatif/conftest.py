from collections.abc import Iterator

import pytest
from django.utils import translation

from tests.settlement.books import Books, make_books


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def books(db) -> Books:
    return make_books()
