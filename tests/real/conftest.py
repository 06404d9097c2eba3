"""Real input: files that nobody here wrote, in a folder beside the project. Where it is absent these tests are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

FOLDER = Path(settings.BASE_DIR).parent / "shared" / "data"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.proof)
            if not FOLDER.is_dir():
                item.add_marker(pytest.mark.skip(reason="the folder with the real files is not here"))


@pytest.fixture(scope="session")
def folder() -> Path:
    return FOLDER
