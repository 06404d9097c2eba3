"""The price ceiling: proves a tariff under its caps for every usage level, or gives the smallest counter-example."""

from typing import Any

from pricing.documents import read_caps, read_tariff
from pricing.reading import DocumentRefused, Node, Problem
from pricing.rules import CapSet, Component, Flat, Package, Tariff, Violation, prove
from pricing.rules.caps import lattices

MOST_LATTICES = 256  # eight package sizes without a common factor


def comparable_problems(tariff: Tariff, document: str = "tariff") -> list[Problem]:
    """What keeps a tariff from being compared with caps: bytes in different units; too many packages to prove."""
    problems: list[Problem] = []
    units: set[str | None] = set()
    packages: dict[str, list[Component]] = {}
    for index, component in enumerate(tariff.components):
        if not component.is_collected or isinstance(component.price, Flat):
            continue
        place = f"/components/{index}"
        if component.basis == "bytes":
            units.add(component.unit)
            if len(units) > 1:
                problems.append(Problem(document, f"{place}/unit", "units_differ"))
        if isinstance(component.price, Package):
            group = packages.setdefault(component.basis, [])
            group.append(component)
            if len(lattices(group)) > MOST_LATTICES:
                group.pop()
                problems.append(Problem(document, f"{place}/package_size", "too_many_packages", {"most": 8}))
    return problems


def parse_cap_documents(tariff: Any, caps: Any, names: tuple[str, str] = ("tariff", "caps")) -> tuple[Tariff, CapSet]:
    """Both documents of a cap check at once."""
    problems: list[Problem] = []
    terms = read_tariff(Node(tariff, "", names[0], problems))
    if not problems:
        problems += comparable_problems(terms, names[0])
    ceiling = read_caps(Node(caps, "", names[1], problems))
    if problems:
        raise DocumentRefused(problems)
    return terms, ceiling


def check_terms(*, tariff: Tariff, caps: CapSet) -> Violation | None:
    """None where the caps are kept at every whole quantity, else the violation with the smallest one.

    Raises `DocumentRefused` where a comparison is not possible at all (bytes in different units).
    """
    problems = comparable_problems(tariff)
    if problems:
        raise DocumentRefused(problems)
    return prove(tariff, caps)


def answer(violation: Violation | None) -> dict[str, Any]:
    """What `check_cap` prints. `cap` is null where a basis or period is charged that has no cap."""
    if violation is None:
        return {"ok": True}
    return {
        "ok": False,
        "basis": violation.basis,
        "quantity": str(violation.quantity),
        "price": violation.price,
        "cap": violation.cap,
        "components": list(violation.components),
    }


def check_cap(tariff: Any, caps: Any, names: tuple[str, str] = ("tariff", "caps")) -> dict[str, Any]:
    """The answer for a tariff and a cap document; raises `DocumentRefused` with all that is wrong with either."""
    terms, ceiling = parse_cap_documents(tariff, caps, names)
    return answer(prove(terms, ceiling))
