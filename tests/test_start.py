"""The way in from a file: what is seen, what is asked, what is guessed and marked, what is refused."""

import os
import re
import shlex
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wholeroad
from wholeroad.core.errors import UserError
from wholeroad.core.instants import DAY
from wholeroad.lessons import lesson_for as explained
from wholeroad.road.brief.assumptions import assumed
from wholeroad.road.brief.draft import written
from wholeroad.road.brief.questions import NAMES, Money, parse_worth
from wholeroad.road.brief.work import read_brief
from wholeroad.road.data.drafting import Origin, draft_brief
from wholeroad.road.data.interview import Interview
from wholeroad.road.data.profile import profile
from wholeroad.road.data.profile_layout import find_layout
from wholeroad.road.data.profile_leaks import auc, find_leaks
from wholeroad.road.data.profile_outcome import hits, outcome_guesses, pending
from wholeroad.road.data.profile_spelling import find_spelling
from wholeroad.starting import inspect, look
from wholeroad.testing import exports

PAGE = Path(__file__).parent.parent / "docs" / "how-to" / "from-a-csv.md"

EXPORTS = {
    "european": lambda: exports.european(exports.orders(3_000)),
    "windows": lambda: exports.european(exports.orders(3_000), encoding="windows-1252"),
    "titled": lambda: exports.titled(exports.orders(3_000)),
    "leaked": lambda: exports.plain(exports.leaked(3_000)),
    "rare": lambda: exports.plain(exports.rare(20_000)),
}


def file_of(folder: Path, name: str, data: bytes) -> Path:
    path = folder / f"{name}.csv"
    path.write_bytes(data)
    return path


def brief_of(project: wholeroad.Project) -> str:
    return (project.folder.root / "brief.toml").read_text(encoding="utf-8")


def cli(*arguments: object, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wholeroad", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "COLUMNS": "200"},
        **kwargs,
    )


# Files that look like the world


@pytest.mark.parametrize("name", EXPORTS)
def test_a_file_from_the_world_gets_a_brief_that_the_check_takes_or_refuses_for_its_reason(tmp_path, name):
    project = wholeroad.start(file_of(tmp_path, name, EXPORTS[name]()), tmp_path / "project")
    findings = project.check()
    assert [finding for finding in findings if finding.level == "fault"] == []
    assert project.quarantine().height == 0
    codes = {finding.code for finding in findings}
    for code in ("unknown-truth", "immature", "feature-empty", "feature-constant", "missingness-tells"):
        assert f"check.{code}" not in codes


def test_too_few_outcomes_are_said_with_how_many_are_needed(tmp_path):
    path = file_of(tmp_path, "rare", EXPORTS["rare"]())
    project = wholeroad.start(path, tmp_path / "project", answers={"depends_on_action": "no"})
    found = next(finding for finding in project.check() if finding.code == "check.too-few-outcomes")
    assert re.search(r"needs about [\d,]+", found.happened)
    assert re.search(
        r"# Of [\d,]+ known outcomes \d\d are fraud = 1; [\d,]+ are not known yet", brief_of(project)
    )


@pytest.mark.parametrize("text", ["id,at,lost\n", "id;at;lost\n\n"])
def test_a_file_of_a_header_alone_has_no_rows(tmp_path, text):
    (tmp_path / "orders.csv").write_text(text)
    with pytest.raises(UserError, match="there are no rows") as refused:
        wholeroad.start(tmp_path / "orders.csv", tmp_path / "project")
    assert refused.value.code == "data.file-empty"
    assert not (tmp_path / "project").exists()


def test_the_same_orders_are_seen_whatever_program_wrote_them(tmp_path):
    seen = {
        name: look(file_of(tmp_path, name, EXPORTS[name]())).profile.frame
        for name in ("european", "windows", "titled")
    }
    truth = exports.orders(3_000)
    for frame in seen.values():
        assert frame.equals(truth)


def test_a_leaked_column_is_named_with_its_figure_and_left_out(tmp_path):
    project = wholeroad.start(file_of(tmp_path, "leaked", EXPORTS["leaked"]()), tmp_path / "project")
    assert "refund_amount" not in {feature.column for feature in project.brief.feature.values()}
    said = next(line for line in brief_of(project).splitlines() if "refund_amount" in line)
    assert said.startswith("# left out as a suspected leak")
    assert re.search(r"AUC of (0\.9[7-9]\d|1\.000)", said)


def test_a_file_without_time_is_drafted_static_and_without_a_decision_instant(tmp_path):
    project = wholeroad.start(
        file_of(tmp_path, "customers", exports.plain(exports.snapshot())), tmp_path / "project"
    )
    brief = project.brief
    assert brief.source[brief.case.source].static
    assert brief.case.decide_at == ""
    assert brief.outcome.source == brief.case.source
    assert {"plan", "tickets"} <= set(brief.feature)
    findings = project.check()
    assert "check.no-time" in {finding.code for finding in findings}
    assert [finding for finding in findings if finding.level == "fault"] == []
    share = next(finding for finding in findings if finding.code == "check.no-randomised-share")
    assert "takes about" in share.why_it_matters
    assert not re.search(r"19\d\d-|a day", share.why_it_matters)


def test_dumps_are_versions_known_when_they_were_taken(tmp_path):
    dumps = tmp_path / "dumps"
    dumps.mkdir()
    for day in (1, 2):
        file_of(dumps, f"customers-2024-01-0{day}", exports.plain(exports.snapshot(300)))
    project = wholeroad.start(tmp_path / "dumps" / "*.csv", tmp_path / "project")
    source = project.brief.source[project.brief.case.source]
    assert (source.known_at, source.happened_at) == ("landed", "landed")
    assert source.read == "../dumps/*.csv"


def test_from_a_csv_to_a_rehearsal(tmp_path):
    project = wholeroad.start(file_of(tmp_path, "orders", EXPORTS["european"]()), tmp_path / "project")
    rehearsed = project.rehearse(["never"])
    assert "never" in str(rehearsed)
    assert rehearsed.folder.is_dir()


def test_a_query_is_looked_at_like_a_file(tmp_path, monkeypatch):
    frame = exports.orders(600)
    shop = sqlite3.connect(tmp_path / "shop.db")
    shop.execute(f"create table orders ({', '.join(frame.columns)})")
    texts = frame.with_columns(pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%SZ"))
    shop.executemany(f"insert into orders values ({', '.join('?' * frame.width)})", texts.rows())
    shop.commit()
    shop.close()
    monkeypatch.setenv("SHOP", f"sqlite:{tmp_path / 'shop.db'}")
    project = wholeroad.start("SELECT * FROM orders", tmp_path / "project", database="SHOP")
    assert project.brief.brief.name == "orders"
    assert project.brief.source["orders"].database == "SHOP"
    assert project.brief.case.decide_at == "ordered_at"
    assert [fact.landed for fact in project.land()] == [600, 600]


# Laws

words = st.text(min_size=1, max_size=12).filter(lambda text: text.strip() and "\0" not in text)
instants = st.datetimes(datetime(2020, 1, 1), datetime(2024, 1, 1))  # noqa: DTZ001


@st.composite
def tables(draw):
    """Draw tables of any names and values, with something like an outcome in them."""
    rows = draw(st.integers(2, 12))
    names = draw(st.lists(words, min_size=3, max_size=6, unique=True))
    kinds = st.sampled_from(["text", "number", "instant", "boolean", "few", "empty"])
    columns = {}
    for name in names[2:]:
        values = {
            "text": words,
            "number": st.floats(-1e9, 1e9),
            "instant": instants.map(lambda at: at.replace(tzinfo=UTC)),
            "boolean": st.booleans(),
            "few": st.sampled_from(["a", "b", "c"]),
            "empty": st.none(),
        }[draw(kinds)]
        columns[name] = draw(st.lists(st.none() | values, min_size=rows, max_size=rows))
    outcome = draw(st.sampled_from([("x'y", 'no # "no"'), (0, 1), (False, True), ("yes", "no", "maybe")]))
    told = draw(st.lists(st.sampled_from(outcome), min_size=rows, max_size=rows))
    return pl.DataFrame(
        {names[0]: [f"k{row}" for row in range(rows)], names[1]: told, **columns}, strict=False
    )


def taken(frame: pl.DataFrame, *, dumped: bool = False) -> Interview:
    interview = Interview(profile(frame), dumped=dumped)
    for name in interview.names:
        interview.answer(name)
    return interview


@settings(max_examples=80, deadline=None)
@given(tables(), st.booleans())
def test_the_draft_of_any_table_is_read_back_without_fault(frame, dumped):
    try:
        interview = taken(frame, dumped=dumped)
    except UserError as error:
        assert error.code in {"start.no-outcome", "start.no-key"}  # noqa: PT017
        return
    origin = Origin("any # file", "any # file.csv")
    drafted = draft_brief(interview, origin)
    text = drafted.draft.text()
    brief = read_brief(text)
    assert assumed(text) == drafted.draft.assumptions
    assert {feature.column for feature in brief.feature.values()}.isdisjoint({interview.outcome[0]})
    assert (
        draft_brief(taken(frame, dumped=dumped), Origin("any # file", "any # file.csv")).draft.text() == text
    )


def test_deleting_a_mark_is_confirming_and_the_rest_stays_assumed(tmp_path):
    project = wholeroad.start(file_of(tmp_path, "orders", EXPORTS["titled"]()), tmp_path / "project")
    text = brief_of(project)
    before = assumed(text)
    line = next(line for line in text.splitlines() if line.startswith("matures"))
    after = assumed(text.replace(line, line.partition("  # assumed")[0]))
    assert [one for one in before if one not in after] == [
        one for one in before if (one.table, one.setting) == ("outcome", "matures")
    ]
    assert read_brief(text).canonical() == read_brief(re.sub("  # assumed.*", "", text)).canonical()


def test_a_mark_within_a_text_is_none():
    long = 'q = """\nx = 1 # assumed: no\n"""\n'
    text = f'[brief]\nname = "a # assumed: b"  # assumed\n{long}[a."b # c"] # assumed: all\n'
    assert [str(one) for one in assumed(text)] == ['[brief] name = "a # assumed: b"', '[a."b # c"]: all']


@settings(max_examples=60, deadline=None)
@given(st.recursive(words | st.booleans() | st.integers(-99, 99), lambda inner: st.lists(inner, max_size=3)))
def test_what_is_written_is_toml(value):
    import tomllib

    assert tomllib.loads(f"x = {written(value)}") == {"x": value}


def test_equal_files_give_equal_briefs(tmp_path):
    data = EXPORTS["leaked"]()
    texts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        texts.append(
            brief_of(wholeroad.start(file_of(tmp_path / name, "x", data), tmp_path / name / "project"))
        )
    assert texts[0] == texts[1]


# What is seen


@pytest.mark.parametrize(
    ("dates", "expected", "unsure"),
    [
        (["03/02/2024", "13/02/2024"], "%d/%m/%Y", False),
        (["03/02/2024", "02/13/2024"], "%m/%d/%Y", False),
        (["03/02/2024", "04/02/2024"], "%m/%d/%Y", True),
        (["03.02.2024", "04.02.2024"], "%d.%m.%Y", True),
        (["03/02/24 10:15", "31/02/24 10:15", "31/01/24 1:15 PM"] + ["01/02/24"] * 200, "%d/%m/%y", False),
        (["2024/02/03", "2024/02/13"], "%Y/%m/%d", False),
        (["2024-02-03", "2024-02-13"], None, False),
    ],
)
def test_values_over_twelve_decide_whether_the_day_comes_first(dates, expected, unsure):
    spelling = find_spelling(pl.DataFrame({"at": dates}))
    assert spelling.dates == expected
    assert bool(spelling.unsure) == unsure


def test_numbers_are_spelled_as_their_clear_values_are():
    def spelled(*texts, separator=","):
        found = find_spelling(pl.DataFrame({"x": texts}), separator=separator)
        return found.decimal, found.thousands

    assert spelled("1,5", "2,25") == (",", None)
    assert spelled("1.234,50", "7") == (",", ".")
    assert spelled("1,234.50", "7") == (".", ",")
    assert spelled("1,234", "2,345,678") == (".", ",")
    assert spelled("1.5", "2.25") == (".", None)
    assert spelled("a,b", "c") == (".", None)


def test_texts_for_nothing_and_a_few_strange_values_are_told_apart():
    found = find_spelling(pl.DataFrame({"x": [*map(str, range(300)), "N/A", "12 pieces"]}))
    assert found.nulls == ("N/A",)
    assert found.types == {"x": "number"}
    assert found.strange == {"x": 1}


def test_a_row_with_a_strange_value_goes_to_the_quarantine_and_the_counts_add_up(tmp_path):
    frame = exports.orders(2_000).with_columns(pl.col("items").cast(pl.String))
    frame[5, "items"] = "three"
    project = wholeroad.start(file_of(tmp_path, "orders", exports.plain(frame)), tmp_path / "project")
    for fact in project.land():
        assert (fact.rows_in, fact.landed, fact.quarantined) == (2_000, 1_999, 1)
    assert project.quarantine()["reason"].unique().to_list() == ["items was 'three', not a number"]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_rows_that_can_t_be_read_are_told_when_the_file_is_looked_at(tmp_path, kind):
    frame = exports.orders(500)
    file = tmp_path / f"orders.{kind}"
    file.write_bytes(exports.plain(frame) if kind == "csv" else frame.write_ndjson().encode())
    assert not [line for line in look(file).words if "can't be read" in line]
    lines = file.read_text().splitlines()
    for row in (100, 200):
        lines[row] = f"{lines[row]},more,more" if kind == "csv" else f"[{row}]"
    file.write_text("\n".join(lines))
    (told,) = [line for line in look(file).words if "can't be read" in line]
    row = 100 if kind == "csv" else 101  # there is no header
    assert told.startswith(f"2 rows can't be read, and go to the quarantine, such as row {row}: ")
    project = wholeroad.start(file, tmp_path / "project")
    assert {fact.quarantined for fact in project.land()} == {2}


def test_titles_above_and_totals_below_are_no_rows():
    lines = ["Report;;", "", "id;name;amount", *(f"{row};x;{row},5" for row in range(40)), "", "Total;;820,0"]
    layout = find_layout(lines)
    assert (layout.separator, layout.header_line, layout.below) == (";", 3, ("Total;;820,0",))
    plain = find_layout(["a,b", "1,2", "3,4"])
    assert (plain.header_line, plain.above, plain.below) == (1, (), ())


@pytest.mark.parametrize(
    ("lines", "header"),
    [
        ([",on,status", "0,2024-01-02,won", "1,2024-01-03,lost"], 1),
        (["id,,on,,status", "0,3,2024-01-02,x,won", "1,4,2024-01-03,x,lost"], 1),
        (["Orders;May;", "", "id;city;amount", "1;Oslo;2", "2;Bonn;3"], 3),
        (["Orders;;;", "id;city;amount;", "1;Oslo;2;", "2;Bonn;3;"], 2),
        (["id,name,name,city", "1,a,b,c", "2,d,e,f"], 1),
    ],
)
def test_names_that_are_missing_or_there_twice_don_t_make_a_row_the_header(lines, header):
    assert find_layout(lines).header_line == header


def test_columns_without_a_name_get_one(tmp_path):
    data = b",day,status,\n" + b"".join(f"{row},2024-01-{row},won,\n".encode() for row in range(10, 20))
    seen = look(file_of(tmp_path, "x", data)).profile
    assert list(seen.columns) == ["column_1", "day", "status", "column_4"]
    assert seen.keys[0] == ("column_1",)
    assert seen.rows == 10


def test_the_sign_of_money_or_percent_makes_no_text_of_a_number(tmp_path):
    data = "id;price;off;fee\n1;1.050,66 €;20 %;5 EUR\n2;€ 7,50;3 %;5 USD\n3;-3,00 €;0 %;7 EUR\n"
    looked = look(file_of(tmp_path, "x", data.encode()))
    assert looked.profile.frame["price"].to_list() == [1050.66, 7.5, -3.0]
    assert looked.profile.frame["off"].to_list() == [20, 3, 0]
    assert looked.profile.columns["fee"].kind == "text"  # two units are no number
    assert "price, off are read as numbers without the sign of money or percent." in looked.words


def test_numbers_with_leading_zeros_are_names_wherever_they_stand():
    found = find_spelling(pl.DataFrame({"zip": ["94929", "01234", "91265"]}))
    assert found.types == {}


def test_dates_without_marks_are_dates_and_seconds_since_1970_are_said(tmp_path):
    lines = [f"{row},202401{row},{1_704_067_200 + row * 90_000},2024{row}" for row in range(10, 31)]
    looked = look(file_of(tmp_path, "x", "\n".join(["id,day,closed,code", *lines]).encode()))
    assert looked.profile.columns["day"].kind == "instant"
    assert looked.profile.columns["code"].kind == "integer"
    assert any(line.startswith("closed looks like seconds since 1970") for line in looked.words)


def test_a_state_that_is_open_is_no_outcome_yet_and_what_counts_as_what_is_said():
    frame = pl.DataFrame(
        {"id": range(30), "day": [datetime(2024, 1, day, tzinfo=UTC) for day in range(1, 31)]}
        | {"state": ["open", "paid", "defaulted"] * 10}
    )
    interview = Interview(profile(frame), answers={})
    interview.answer("outcome", "state = defaulted")
    for name in interview.names[1:]:
        interview.answer(name)
    text = draft_brief(interview, Origin("loans", "loans.csv")).draft.text()
    assert "# Of 20 known outcomes 10 are state = defaulted; 10 are not known yet." in text
    assert "state in ('open')" in text
    assert "if_never" not in text
    assert "# assumed: paid count as other, and open as not known yet" in text
    assert pending(frame["state"], "defaulted") == ["open"]
    assert (
        pending(pl.Series(["open", "lost", None]), "lost") == []
    )  # or nothing would be left to tell it from


def test_another_column_that_is_called_like_an_outcome_is_marked(tmp_path):
    frame = exports.orders(1_000).with_columns(late=pl.Series(["no", "no", "yes", "no"] * 250))
    project = wholeroad.start(file_of(tmp_path, "orders", exports.plain(frame)), tmp_path / "project")
    assert re.search(r"(?m)^late .*# called like an outcome", brief_of(project))


def test_the_encoding_is_found(tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "windows-1252", "utf-16"):
        path = file_of(tmp_path, "x", "id,city\n1,Köln\n2,Málaga\n".encode(encoding))
        csv, _ = inspect(path)
        assert csv.encoding == encoding.removesuffix("-sig")
        assert look(path).profile.frame["city"].to_list() == ["Köln", "Málaga"]
    csv, _ = inspect(file_of(tmp_path, "x", "id,city\n1,Москва\n2,Казань\n".encode("windows-1251")))
    assert csv.encoding == "windows-1251"


def test_what_comes_after_the_decision_is_no_feature(tmp_path):
    project = wholeroad.start(file_of(tmp_path, "orders", EXPORTS["titled"]()), tmp_path / "project")
    assert "# left out: return_known_at: it lies after ordered_at in 100% of the rows" in brief_of(project)
    assert not any("return" in str(feature.model_dump()) for feature in project.brief.feature.values())


def test_outcomes_that_have_not_come_are_pending_and_not_unknown(tmp_path):
    frame = exports.orders(2_000)
    project = wholeroad.start(file_of(tmp_path, "orders", exports.plain(frame)), tmp_path / "project")
    history = (project.land(), project.history())[1]
    truth = history.as_of(history.until + 1).truth()
    assert (truth >= 0).sum() == frame["returned"].drop_nulls().len()
    assert history.told.nulls == 0
    assert project.quarantine().height == 0


def test_an_outcome_that_only_its_date_tells_waits_as_long_as_the_late_ones(tmp_path):
    frame = exports.orders(3_000, days=200).with_columns(
        pl.when(pl.col("returned") == "yes").then(pl.col("return_known_at")).alias("returned_at")
    )
    frame = frame.drop("returned", "return_known_at")
    project = wholeroad.start(file_of(tmp_path, "orders", exports.plain(frame)), tmp_path / "project")
    assert project.brief.outcome.classes == ("returned", "not_returned")
    outcome = project.brief.outcome
    assert outcome.if_never == "not_returned"
    assert outcome.never_after == outcome.matures
    assert "timestamp '" not in brief_of(project)
    project.land()
    history = project.history()
    truth = history.as_of(history.until + 1).truth()
    last = frame["ordered_at"].max()
    young = (frame["ordered_at"] > last - timedelta(days=3)).sum()
    assert (truth == 0).sum() == frame["returned_at"].drop_nulls().len()
    assert (truth < 0).sum() > young / 2


def test_when_the_file_grows_later_rows_wait_as_the_earlier_ones_did(tmp_path):
    frame = exports.orders(2_000, days=200).with_columns(
        pl.when(pl.col("returned") == "yes").then(pl.col("return_known_at")).alias("returned_at")
    )
    frame = frame.drop("returned", "return_known_at").sort("ordered_at")
    # As the file looked when it was made: a return that came later wasn't there yet.
    made_at = frame["ordered_at"][1_200]
    come = pl.col("returned_at") <= made_at
    early = frame.filter(pl.col("ordered_at") <= made_at).with_columns(
        pl.when(come).then(pl.col("returned_at")).alias("returned_at")
    )
    path = file_of(tmp_path, "orders", exports.plain(early))
    project = wholeroad.start(path, tmp_path / "project")
    project.land()
    path.write_bytes(exports.plain(frame))
    project.land()
    history = project.history()
    truth = history.as_of(history.until + 1).truth()
    assert (truth == 0).sum() == frame["returned_at"].drop_nulls().len()
    decided = history.timeline.decided_at[: truth.size]
    old = decided + project.brief.outcome.never_after <= history.until
    assert ((truth == 1) == (old & (truth != 0))).all()
    assert history.told.nulls == 0


@pytest.mark.parametrize("running", [True, False])
def test_where_no_column_says_when_young_rows_tell_nothing_if_they_have_fewer_hits(tmp_path, running):
    frame = exports.orders(4_000).with_columns(pl.col("returned").fill_null("no"))
    last = frame["ordered_at"].max()
    if running:
        late = pl.col("ordered_at") > last - timedelta(days=25)
        frame = frame.with_columns(returned=pl.when(late).then(pl.lit("no")).otherwise("returned"))
    else:
        frame = frame.filter(pl.col("ordered_at") < last - timedelta(days=40))
    project = wholeroad.start(
        file_of(tmp_path, "orders", exports.plain(frame.drop("return_known_at"))), tmp_path / "project"
    )
    project.land()
    history = project.history()
    truth = history.as_of(history.until + 1).truth()
    young = (frame["ordered_at"] > frame["ordered_at"].max() - timedelta(days=30)).sum()
    assert "timestamp '" not in brief_of(project)
    assert (project.brief.outcome.if_never == "no") == running
    if not running:
        assert (truth < 0).sum() == 0
        return
    # No row that is too young for its outcome to have come counts as one without it.
    decided = history.timeline.decided_at
    silent = decided[: truth.size][truth == history.brief.outcome.classes.index("no")]
    assert young <= (truth < 0).sum() < truth.size / 3
    assert silent.max() <= decided.max() - 30 * DAY


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_the_auc_is_the_share_of_pairs_in_order(pairs):
    scores, truth = [float(score) for score, _ in pairs], [hit for _, hit in pairs]
    import numpy as np

    above = [
        1.0 if high > low else 0.5 if high == low else 0.0
        for high, hit in zip(scores, truth, strict=True)
        if hit
        for low, other in zip(scores, truth, strict=True)
        if not other
    ]
    expected = sum(above) / len(above) if above else 0.5
    assert auc(np.array(scores), np.array(truth)) == pytest.approx(expected)


def test_leaks_of_every_sort_are_found_and_honest_columns_are_not():
    rows = 4_000
    honest = exports.orders(rows).with_columns(pl.col("returned").fill_null("no"))
    hit = pl.col("returned") == "yes"
    frame = honest.with_columns(
        reason=pl.when(hit).then(pl.lit("torn")),
        shade=pl.when(hit & (pl.col("order_id") % 2 == 0)).then(pl.lit("red")).otherwise(pl.lit("blue")),
        minus=pl.when(hit).then(-pl.col("basket_value")).otherwise(pl.col("basket_value")),
    )
    columns = ["country", "channel", "basket_value", "items", "discount_pct", "reason", "shade", "minus"]
    found = find_leaks(profile(frame), hits(frame["returned"], "yes"), outcome="returned", columns=columns)
    assert {leak.column for leak in found} == {"reason", "shade", "minus"}
    for leak in found:
        assert re.search(r"\d", leak.said)


def test_the_outcome_is_guessed_by_name_and_values():
    frame = pl.DataFrame(
        {
            "id": range(8),
            "sex": list("mfmfmfmf"),
            "churned": [0, 0, 0, 0, 0, 0, 1, 1],
            "vip": ["yes", "no"] * 4,
        }
    )
    guess = outcome_guesses(profile(frame), key=["id"])[0]
    assert (guess.column, guess.value) == ("churned", "1")


# What is asked and refused


def test_there_are_at_most_eight_questions_each_with_a_guess_and_its_reason():
    interview = Interview(profile(exports.orders(500)))
    assert interview.names == NAMES
    assert len(NAMES) <= 8
    for name in interview.names:
        question = interview.question(name)
        assert question.asks.endswith("?")
        assert question.guess
        assert question.why
        interview.answer(name)


def test_what_was_answered_is_not_assumed(tmp_path):
    answers = {
        "outcome": "returned = no",
        "key": "order_id",
        "decide_at": "ordered_at + 1h",
        "known_at": "20d",
        "actions": "gift, wait",
        "worth": "12, -3 EUR",
        "status_quo": "wait",
        "depends_on_action": "yes",
    }
    path = file_of(tmp_path, "orders", exports.plain(exports.orders(1_000)))
    project = wholeroad.start(path, tmp_path / "project", answers=answers)
    brief = project.brief
    assert brief.outcome.positive == "no"
    assert brief.case.decide_at == "ordered_at + 1h"
    assert brief.value.of["gift"] == {"no": 12, "yes": -3}
    assert brief.unit == "EUR"
    left = {(one.table, one.setting) for one in assumed(brief_of(project))}
    assert left.isdisjoint({("outcome", "truth"), ("case", "decide_at"), ("value", "status_quo")})
    assert not {table for table, _ in left} & {"value", "value.of"}
    assert [finding for finding in project.check() if finding.level == "fault"] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("outcome", "colour = red"),
        ("outcome", "returned = perhaps"),
        ("outcome", "items > 3"),
        ("key", "number"),
        ("key", "returned"),
        ("decide_at", "items"),
        ("decide_at", "ordered_at - items"),
        ("known_at", "sum(items)"),
        ("actions", "call"),
        ("worth", "a lot"),
        ("worth", "120, 35 EUR"),
        ("worth", "12,50 EUR"),
        ("worth", "120 EUR, -35 USD"),
        ("worth", "0 false alarms"),
        ("status_quo", "pray"),
        ("depends_on_action", "perhaps"),
        ("colour", "red"),
    ],
)
def test_an_answer_that_does_not_fit_is_refused_with_what_would(tmp_path, name, text):
    path = file_of(tmp_path, "orders", exports.plain(exports.orders(300)))
    with pytest.raises(UserError) as caught:
        wholeroad.start(path, tmp_path / "project", answers={name: text})
    assert caught.value.code == "start.answer"
    assert not (tmp_path / "project").exists()


def test_worth_is_money_or_a_ratio():
    assert parse_worth("5") == "5 false alarms"
    assert parse_worth("2 to 10 false alarms") == "2 to 10 false alarms"
    assert parse_worth("120,-35 €") == Money(120.0, -35.0, "€")
    assert parse_worth("12,50 EUR; -3") == Money(12.5, -3.0, "EUR")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a,b\nx,1\nx,1\ny,0\n", "start.no-key"),
        (b"id,name\n1,ann\n2,bob\n3,cy\n4,di\n5,ed\n6,f\n7,g\n8,h\n9,i\n10,j\n11,k\n", "start.no-outcome"),
        (b"", "data.file-empty"),
    ],
)
def test_a_file_that_says_too_little_is_refused_with_what_is_missing(tmp_path, data, code):
    with pytest.raises(UserError) as caught:
        wholeroad.start(file_of(tmp_path, "x", data), tmp_path / "project")
    assert caught.value.code == code


def test_where_no_outcome_can_be_guessed_those_with_few_values_are_named(tmp_path):
    data = "id,shade\n" + "\n".join(f"{row},{'abc'[row % 3]}" for row in range(20))
    with pytest.raises(UserError, match="shade") as caught:
        wholeroad.start(file_of(tmp_path, "x", data.encode()), tmp_path / "project")
    assert "--answer 'outcome: shade = c'" in caught.value.fix
    assert explained("start.no-outcome")


def test_a_query_without_a_database_is_told_from_a_folder(tmp_path):
    with pytest.raises(UserError) as caught:
        wholeroad.start("select * from orders", tmp_path / "project")
    assert "--database" in caught.value.fix


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00", b"PK\x03\x04" + bytes(range(256)) * 9])
def test_a_workbook_that_is_called_csv_is_no_text(tmp_path, data):
    (tmp_path / "x.csv").write_bytes(data)
    with pytest.raises(UserError) as refused:
        wholeroad.start(tmp_path / "x.csv")
    assert refused.value.code == "data.file-unreadable"


def test_a_brief_that_is_there_is_never_overwritten(tmp_path):
    path = file_of(tmp_path, "orders", exports.plain(exports.orders(300)))
    project = tmp_path / "project"
    project.mkdir()
    (project / "brief.toml").write_text("mine")
    with pytest.raises(UserError, match=r"start\.brief-there"):
        wholeroad.start(path, project)
    assert (project / "brief.toml").read_text() == "mine"


def test_start_is_a_function_whenever_and_however_it_is_asked_for():
    import wholeroad.starting

    assert wholeroad.start is wholeroad.start is wholeroad.starting.start


# The command


def test_the_command_says_what_it_saw_what_it_guessed_and_what_comes_next(tmp_path):
    path = file_of(tmp_path, "orders", exports.european(exports.leaked(1_000)))
    done = cli("start", path, "--yes", "--into", tmp_path / "project")
    assert done.returncode == 0, done.stderr
    assert "1,000 rows, one for each order_id" in done.stdout
    assert "dd/mm/yyyy" in done.stdout
    assert "suspected leak: refund_amount" in done.stdout
    assert f"\nNext: wholeroad check {tmp_path / 'project'}, then wholeroad rehearse" in done.stdout


def test_without_a_terminal_there_is_nobody_to_ask(tmp_path):
    path = file_of(tmp_path, "orders", exports.plain(exports.orders(300)))
    done = cli("start", path, "--into", tmp_path / "project")
    assert done.returncode == 2
    assert "cli.no-terminal" in done.stderr
    assert not (tmp_path / "project").exists()


def test_the_page_runs_as_printed(tmp_path):
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    (tmp_path / "orders.csv").write_bytes(exports.european(exports.leaked(2_000), encoding="windows-1252"))
    for language, block in blocks:
        if language == "sh":
            for line in block.splitlines():
                done = cli(*shlex.split(line)[1:], cwd=tmp_path)
                assert done.returncode == 0, done.stderr
        elif language == "text":
            printed = done.stdout
            for line in block.splitlines():
                assert line.strip() in printed, line
        elif language == "toml":
            for line in block.splitlines():
                assert line in (tmp_path / "orders" / "brief.toml").read_text(encoding="utf-8"), line
    ran = [line for language, block in blocks if language == "sh" for line in block.splitlines()]
    assert any(line.startswith("wholeroad rehearse") for line in ran)
