"""What every console page does with a refusal: say it in the reader's words, where it belongs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpRequest

from pricing.explain import problem_text
from pricing.reading import DocumentRefused, Problem
from products.record.refusals import Refused


def attempt(request: HttpRequest, act: Callable[[], Any], done: object) -> bool:
    """Do it and say what happened and what comes next; or say why not."""
    try:
        act()
    except DocumentRefused as refused:
        for line in problem_lines(refused.problems):
            messages.error(request, line)
        return False
    except Refused as refused:
        messages.error(request, str(refused))
        return False
    messages.success(request, str(done))
    return True


def blame(form: BaseForm, refused: Refused) -> None:
    """Put a refusal beside the field at fault, or on top of the form."""
    if isinstance(refused, DocumentRefused):
        for line in problem_lines(refused.problems):
            form.add_error(None, line)
        return
    form.add_error(refused.field if refused.field in form.fields else None, str(refused))


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    return [f"{problem.pointer or '/'}: {problem_text(problem)}" for problem in problems]
