"""The codes about remedies that are tried, chosen and priced, each with what it means and what to do."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final[tuple[Entry, ...]] = (
    Entry(
        "check.reason-to-be-written",
        "A remedy stands in the brief, and its reason is still to be written.",
        "Write down why it was chosen.",
        "price-of-fairness",
    ),
    Entry(
        "fairness.needs-positive",
        "A measure asks whether the positive class came true, and the brief names none.",
        "Name positive in [outcome], or take selection_rate or gain_per_case.",
        "equalized-odds",
    ),
    Entry(
        "fairness.one-group",
        "All decisions are about one value of a group, so there is nobody to compare with.",
        "Look at the group's column or expression, or lower least_cases.",
        "coverage-of-groups",
    ),
    Entry(
        "fairness.rehearsal",
        "A command about fairness was given the folder of a policy that was rehearsed.",
        "Give it the project's folder, and the policy with --policy.",
        "demographic-parity",
    ),
    Entry(
        "fairness.to-be-written",
        "A remedy was chosen whose reason is still to be written.",
        "Say why with --because.",
        "price-of-fairness",
    ),
    Entry(
        "fairness.unknown-value",
        "A remedy names a value of a group that no case has.",
        "Name one that is there, or leave values out to mean all.",
        "price-of-fairness",
    ),
)
