"""From a table that was looked at, and answers about it, to the draft of a brief."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from wholeroad.core.instants import DAY, UNITS, Span, format_span
from wholeroad.road.brief.contract import AS_KNOWN
from wholeroad.road.brief.draft import Draft, Line, Plain, Section, column_in, name_in, spelled
from wholeroad.road.brief.questions import Money, parse_pair, parse_worth
from wholeroad.road.brief.sources import CsvTable
from wholeroad.road.brief.worth import parse_ratio
from wholeroad.road.data.drafted_truth import Truth, hit_condition, open_condition, silence_tells, write_truth
from wholeroad.road.data.interview import Interview
from wholeroad.road.data.profile_features import Chosen, apart, choose_features, choose_windows
from wholeroad.road.data.profile_leaks import Leak, find_leaks
from wholeroad.road.data.profile_outcome import FILLED
from wholeroad.road.data.profile_times import KnownGuess, delays, rounded_down, rounded_up, spread

_WORTH_ASKING: Final = 0.1
"""The share of what knowing every outcome would bring that is asked of a policy, until somebody says."""

_RESERVED: Final = frozenset({"case", "outcomes", "none"})
_SHORT: Final = 20 * DAY
_MINUTE: Final = UNITS["min"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a table comes from, as the brief will say it.

    Attributes
    ----------
    name
        Of the file, without folder and ending.
    read
        Relative to the brief.
    csv
        How a CSV was written; None for other files.
    types
        Columns whose type inspection found but for a few values, with how many.
    database
        The environment variable of a database's address.
    """

    name: str
    read: str
    csv: CsvTable | None = None
    types: tuple[tuple[str, str, int], ...] = ()
    database: str | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A draft, and what was left out of it."""

    draft: Draft
    leaks: tuple[Leak, ...]
    left_out: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Times:
    """Expressions and spans; ``decide`` is None for a table without time."""

    decide: str | None
    happened: str
    known: str
    matures: Span
    matures_why: str
    known_why: str
    reach: Span = 0
    planned: bool = False


def draft_brief(interview: Interview, origin: Origin) -> Drafted:
    """Write the draft of a brief.

    Parameters
    ----------
    interview
        With an answer to each of its questions.
    origin
        The table's.
    """
    outcome, _ = interview.outcome
    decide = interview.decide
    others = [
        column.name
        for column in interview.seen.columns.values()
        if column.name not in {outcome, decide, *interview.key}
        and column.kind not in {"empty", "other", "instant"}
    ]
    leaks = find_leaks(interview.seen, interview.hit, outcome=outcome, columns=others)
    times = _times(interview)
    truth = write_truth(interview, timed=times.decide is not None)
    chosen = choose_features(
        interview.seen,
        outcome=outcome,
        key=interview.key,
        decide=decide,
        leaks={leak.column: leak.said for leak in leaks},
    )
    windows: tuple[Line, ...] = ()
    if times.decide is not None and not interview.dumped:
        windows = choose_windows(
            interview.seen,
            key=(*interview.key, outcome),
            leaks={leak.column for leak in leaks},
            positive=truth.classes[0],
            reach=times.reach,
            matures=times.matures,
        )
    name = name_in(origin.name, "project")
    name = f"{name}_file" if name in _RESERVED else name
    sections = (
        _about(interview, name),
        _case(interview, times, name),
        _outcome(interview, times, name=name, truth=truth),
        *_value(interview, truth),
        *_sources(interview, times, name=name, origin=origin),
        _features(chosen, windows, leaks),
        *_policy(times),
    )
    above = (
        f"Drafted from {origin.read}.",
        "A line marked '# assumed' was guessed: confirm it by deleting the mark, or correct it.",
        "A mark behind the head of a table stands for the whole table.",
    )
    return Drafted(Draft(sections, above), leaks, chosen.left_out)


def _about(interview: Interview, name: str) -> Section:
    column, value = interview.outcome
    text = f"{column} is filled" if value == FILLED else f"{column} = {value}"
    lines = (
        Line("name", name),
        Line("question", f"Which cases will turn out {text}?", "put together from the outcome"),
    )
    return Section("brief", lines)


def _case(interview: Interview, times: _Times, name: str) -> Section:
    lines = [Line("source", name)]
    if times.decide is not None:
        why = interview.said("decide_at").why if "decide_at" in interview.answers else "the rows have no time"
        lines.append(Line("decide_at", times.decide, why))
        above: tuple[str, ...] = ()
    else:
        above = ("The file has no time, so there is no decide_at: this can't be rehearsed.",)
    return Section("case", tuple(lines), above)


def _outcome(interview: Interview, times: _Times, *, name: str, truth: Truth) -> Section:
    told = interview.said("outcome")
    acting = interview.said("depends_on_action")
    source = f"{name}_outcome" if times.decide is not None and not interview.dumped else name
    silence = (
        Line("if_never", truth.classes[1], "no word is no hit"),
        Line("never_after", format_span(times.matures), times.matures_why),
    )
    never = silence if times.decide is not None and silence_tells(interview) else ()
    lines = (
        Line("kind", "binary"),
        Line("classes", list(truth.classes)),
        Line("positive", truth.classes[0], told.why),
        Line("source", source),
        Line("truth", truth.text, told.why or truth.why),
        *never,
        Line("matures", format_span(times.matures), times.matures_why),
        Line("depends_on_action", acting.text, acting.why),
    )
    hit = interview.hit
    hits, known = int(hit.sum()), len(hit) - hit.null_count()
    above = (
        f"Of {known:,} known outcomes {hits:,} are {told.text}; {hit.null_count():,} are not known yet.",
    )
    return Section("outcome", lines, above)


def _value(interview: Interview, truth: Truth) -> tuple[Section, ...]:
    actions, worth, today = (interview.said(name) for name in ("actions", "worth", "status_quo"))
    act, leave = parse_pair(actions.text, "actions")
    value = parse_worth(worth.text)
    positive, other = truth.classes
    quo = Line("status_quo", {"action": today.text}, today.why)
    share = float(interview.hit.mean() or 0.0)  # type: ignore[arg-type]
    if isinstance(value, Money):
        lines: tuple[Line, ...] = (Line("unit", value.unit), quo)
        rows = (
            Line(act, {positive: value.caught, other: value.false_alarm}, worth.why or actions.why),
            Line(leave, {positive: 0, other: 0}, worth.why or actions.why),
        )
        tables: tuple[Section, ...] = (Section("value", lines), Section("value.of", rows))
        best = max(value.caught, 0.0) * share
    else:
        lines = (
            Line("actions", [act, leave], actions.why),
            Line("a_miss_costs", value, worth.why),
            quo,
        )
        tables = (Section("value", lines, ("No money is needed: a miss is counted in false alarms.",)),)
        best = sum(parse_ratio(value)) / 2 * share
    if best <= 0:
        return tables
    gain: Plain = {"per_case": float(f"{best * _WORTH_ASKING:.2g}")}
    why = f"{_WORTH_ASKING:.0%} of what knowing every outcome beforehand would bring"
    return (*tables, Section("success", (Line("gain_over_status_quo", gain, why),)))


def _sources(interview: Interview, times: _Times, *, name: str, origin: Origin) -> tuple[Section, ...]:
    key = interview.said("key")
    columns: Plain = interview.key[0] if len(interview.key) == 1 else list(interview.key)
    read = [Line("read", origin.read)]
    if origin.database:
        read.append(Line("database", origin.database))
    written = spelled(origin.csv) if origin.csv is not None else {}
    style = [Line("csv", written, "as the file looks")] if written else []
    if origin.types:
        odd = ", ".join(f"{count:,} of {column}" for column, _, count in origin.types if count)
        why = f"but for {odd}; those rows go to the quarantine" if odd else "its texts are all of this kind"
        style.append(Line("types", {column: kind for column, kind, _ in origin.types}, why))
    head = [*read, Line("key", columns, key.why)]
    if times.decide is None:
        lines = (*head, Line("static", value=True, said="no column says when"), *style)
        return (Section(f"source.{name}", lines),)
    said = interview.answers.get("decide_at")
    why = said.why if said else ""
    if interview.dumped:
        own = [
            Line("happened_at", times.happened, why),
            Line("known_at", "landed", said="by the dumps' dates"),
        ]
        return (Section(f"source.{name}", (*head, *own, *style)),)
    own = [
        Line("happened_at", times.happened, said="what decide_at reads"),
        Line("known_at", times.decide, "all but the outcome is known when the case is decided"),
    ]
    if times.planned:
        own.append(Line("planned", value=True, said="known before it happens"))
    own.append(Line("timezone", "UTC", "stamps without a zone are taken as UTC"))
    told = [
        *(Line(line.name, line.value, said=f"as in [source.{name}]") for line in (*head[1:], *style)),
        Line("happened_at", times.known, said="as known_at"),
        Line("known_at", times.known, times.known_why),
    ]
    above = ("The same rows once more, as they tell the outcome: known later.",)
    return (
        Section(f"source.{name}", (*head, *own, *style)),
        Section(f"source.{name}_outcome", (head[0], *told), above),
    )


def _features(chosen: Chosen, windows: tuple[Line, ...], leaks: tuple[Leak, ...]) -> Section:
    lines = apart((*chosen.features, *windows))
    suspect = {leak.column for leak in leaks}
    below = [f"left out as a suspected leak: {leak.said}" for leak in leaks]
    below += [f"left out: {name}: {why}" for name, why in chosen.left_out if name not in suspect]
    return Section(
        "feature", lines, (), "each column is filled when the case is decided, and not later", tuple(below)
    )


def _policy(times: _Times) -> tuple[Section, ...]:
    if times.decide is None:
        return (Section("policy.refit", (Line("first", "1d", said="without time nothing is fitted again"),)),)
    if not times.reach:
        why = "a file can't say"
        return (Section("policy.refit", (Line("first", "90d", why), Line("when", "every 30d", why))),)
    first = max(times.reach // 3, min(2 * times.matures, times.reach // 2))
    first = max(DAY, first // DAY * DAY) if times.reach >= 3 * DAY else max(1, first)
    part = f"{first / times.reach:.0%} of the {_days(times.reach)} that the file spans"
    cycle = DAY if times.reach >= _SHORT else rounded_down(times.reach // 60)
    every = rounded_up(max(times.reach // 12, times.matures, cycle))
    lines = (
        Line("first", format_span(first), part),
        Line("when", f"every {format_span(every)}", "a twelfth of the file, and no less than matures"),
    )
    refit = Section("policy.refit", lines)
    if cycle == DAY:
        return (refit,)
    return Section("cycle", (Line("every", format_span(cycle), "the file is short"),)), refit


def _times(interview: Interview) -> _Times:
    decide = interview.decide
    if interview.dumped and decide is None:
        return _Times(AS_KNOWN, "landed", "landed", 30 * DAY, "a file can't say", "")
    if decide is None:
        return _Times(None, "", "", 0, "without time, every outcome counts", "")
    text = interview.said("decide_at").text
    at = column_in(text) if text in interview.seen.columns else text
    happened = column_in(decide)
    reach = spread(interview.seen, decide)
    if interview.dumped:
        return _Times(at, happened, "landed", 30 * DAY, "a file can't say", "", reach)
    known = interview.known()
    why = interview.said("known_at").why
    planned = at != happened
    if isinstance(known, str):
        if silence_tells(interview):
            known = f"case when {hit_condition(interview)} then {known} else {at} end"
        return _Times(at, happened, known, 30 * DAY, "a file can't say", why, reach, planned)
    matures, matures_why = _matures(interview, known, decide)
    if known.column is None:
        why = f"{known.why}: a span is assumed" if why else ""
        matures_why = f"{why}, twice" if why and known.young else why
    return _Times(at, happened, _known(interview, known, at), matures, matures_why, why, reach, planned)


def _known(interview: Interview, known: KnownGuess, at: str) -> str:
    """Write when a row tells its outcome; one that doesn't tell yet is as known as when it is decided."""
    outcome = column_in(interview.outcome[0])
    later = f"{at} + {format_span(known.span or 0)}"
    silent = f"when {open_} then {at} " if (open_ := open_condition(interview)) else ""
    if known.column is None:
        if not silence_tells(interview):
            return f"case {silent}else {later} end" if silent else later
        return f"case when {hit_condition(interview)} then {later} else {at} end"
    column = column_in(known.column)
    if known.span is not None:
        last = at if silence_tells(interview) else later
        return f"case when {column} is not null then {column} {silent if last != at else ''}else {last} end"
    if silent or interview.seen.columns[known.column].nulls:
        return f"case {silent or f'when {outcome} is null then {at} '}else {column} end"
    return column


def _matures(interview: Interview, known: KnownGuess, decide: str) -> tuple[Span, str]:
    if known.column is None and known.young:
        # Hits count as known a span after the decision, up to a span after the file's end: by then silence
        # may tell only of the rows that were older than a span when the file was made.
        return 2 * (known.span or 0), ""
    if known.column is None or known.span is not None:
        return known.span or 0, "after this long silence is taken to tell" if known.column else known.why
    delay = delays(interview.seen, known.column, decide=decide)
    late = int(delay.quantile(0.95, "higher") or 0)
    return rounded_up(max(0, late)), f"95 in 100 outcomes are known within {_days(late)}"


def _days(span: Span) -> str:
    if span >= 2 * DAY:
        return f"{span / DAY:,.0f} days"
    return format_span(max(1, span // _MINUTE) * _MINUTE)
