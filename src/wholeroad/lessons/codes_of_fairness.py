"""What the codes mean that speak of groups, limits and remedies."""

from __future__ import annotations

from typing import Final

from wholeroad.lessons.lesson import Entry

ENTRIES: Final = (
    Entry(
        "brief.limit-needs-positive",
        "A limit asks whether the positive class came true, and the brief names none.",
        "Name positive in [outcome], or take selection_rate or gain_per_case.",
        "equalized-odds",
    ),
    Entry(
        "brief.remedy-needs-classes",
        "A remedy asks how classes and groups go together, and the outcome is a number.",
        "Take abstain, collect or accept, or ask for a class in [outcome] truth.",
        "reweighing",
    ),
    Entry(
        "brief.remedy-needs-population",
        "Cases shall weigh as in the population, and no population is stated.",
        "State the share of each value, and where it was taken from.",
        "reweighing",
    ),
    Entry(
        "brief.remedy-twice",
        "One kind of remedy that a fit carries out was chosen twice.",
        "Name the intersection of both groups with all_of, and take that.",
        "group-thresholds",
    ),
    Entry(
        "brief.selected",
        "Nobody can tell which actions count as being selected.",
        "Name them in [fairness] selected.",
        "demographic-parity",
    ),
    Entry(
        "check.group-is-feature",
        "Models see a group that is compared.",
        "Ask what it changes with wholeroad fairness flips.",
        "proxy-features",
    ),
    Entry(
        "check.group-value",
        "A remedy names a value of a group that no case has.",
        "Write one that is there.",
        "reweighing",
    ),
    Entry(
        "check.one-group",
        "All cases belong to one group, so that nothing can be compared.",
        "Look at the column or expression, or lower least_cases.",
        "coverage-of-groups",
    ),
    Entry(
        "check.outside-population",
        "Cases have values that the stated population doesn't name.",
        "Name every value, or map them to the population's.",
        "coverage-of-groups",
    ),
    Entry(
        "check.remedy-by-nobody",
        "A remedy stands in the brief without who chose it.",
        "Say chosen_by, chosen_on and reason.",
        "price-of-fairness",
    ),
    Entry(
        "check.small-groups",
        "Many values of a group are too small to stand alone.",
        "Join them by what they have in common.",
        "coverage-of-groups",
    ),
    Entry(
        "fairness.day",
        "A day can't be read.",
        "Write year, month and day, as 2026-11-21.",
        "fairness-limit",
    ),
    Entry(
        "fairness.group-gone",
        "The model in charge has thresholds of a group that the brief doesn't name any more.",
        "Put the group back until a fit without these thresholds is in charge.",
        "group-thresholds",
    ),
    Entry(
        "fairness.no-decisions",
        "No model has decided anything that could be assessed.",
        "Rehearse a policy that fits models.",
        "fairness-limit",
    ),
    Entry(
        "fairness.no-groups",
        "The brief names no groups to compare.",
        "Add [fairness.groups].",
        "demographic-parity",
    ),
    Entry(
        "fairness.no-name",
        "A remedy was chosen by nobody.",
        "Say who with --by.",
        "price-of-fairness",
    ),
    Entry(
        "fairness.nothing-to-try",
        "There is no remedy to rehearse.",
        "Give one with --remedy, or write one into the brief.",
        "price-of-fairness",
    ),
    Entry(
        "fairness.remedies-inline",
        "The remedies stand in one line of the brief, to which no table can be added.",
        "Write each as a table [[fairness.remedies]].",
        "fairness-limit",
    ),
    Entry(
        "fairness.remedy",
        "A remedy can't be read.",
        "Write it as it would stand in the brief.",
        "reweighing",
    ),
    Entry(
        "fairness.too-few-decisions",
        "There are too few decisions to learn thresholds on and to judge them on later ones.",
        "Land more history, or rehearse from an earlier instant.",
        "price-of-fairness",
    ),
    Entry(
        "fairness.unknown-group",
        "The brief has no such group.",
        "Name one of [fairness.groups].",
        "fairness-limit",
    ),
)
