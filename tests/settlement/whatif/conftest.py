import pytest

from tests.settlement.books import Books, make_books


@pytest.fixture
def books(db) -> Books:
    return make_books()
