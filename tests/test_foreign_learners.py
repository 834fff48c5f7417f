"""Learners that people bring: the same promises as ours, plain bytes, nothing loaded that isn't trusted."""

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

import wholeroad
import worlds
from wholeroad.adapters import settings as settings_module
from wholeroad.adapters.learners import NAMES, identities, make_learners
from wholeroad.adapters.learners.columns import Columns, categories, numbers
from wholeroad.adapters.learners.row_blocks import BLOCK, apart, score
from wholeroad.adapters.learners.scikit import ScikitLearner
from wholeroad.adapters.settings import Settings, read_settings, settings_path
from wholeroad.core.errors import FaultsError, RoadError, UserError
from wholeroad.core.ports import Matrix
from wholeroad.testing.learner_suite import LearnerSuite, rows_of, sample

DOCS = Path(__file__).parents[1] / "docs"
HOW_TO = (DOCS / "how-to" / "bring-your-own-model.md").read_text("utf-8")
PRINTED = dict(re.findall(r"^<!-- write: (\S+) -->\n```\w+\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL))
TREES = "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"
TRUSTED = ("numpy.dtype", "sklearn.tree._tree.Tree", TREES)


def allowing(*types: str) -> Settings:
    return Settings(Path("settings.toml"), {}, types)


def wrapped(estimator, *, trusted: tuple[str, ...] = TRUSTED) -> ScikitLearner:
    return ScikitLearner("mine", estimator, settings=allowing(*trusted))


def linear():
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())


def by_kind():
    codes = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1), OneHotEncoder(handle_unknown="ignore")
    )
    plain = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    return make_pipeline(
        ColumnTransformer([("c", codes, categories), ("n", plain, numbers)]), LogisticRegression()
    )


class TestPipeline(LearnerSuite):
    def learner(self, *, threads):
        del threads
        return wrapped(linear())


class TestColumnsByKind(LearnerSuite):
    def learner(self, *, threads):
        del threads
        return wrapped(by_kind())


class TestForest(LearnerSuite):
    def learner(self, *, threads):
        del threads
        return wrapped(RandomForestClassifier(8, n_jobs=2))


class TestHistogramTrees(LearnerSuite):
    def learner(self, *, threads):
        del threads
        return wrapped(HistGradientBoostingClassifier(max_iter=8))


class Leaning(ClassifierMixin, BaseEstimator):
    """Gives every row a little more of what the rows around it have, as only bad or odd code does."""

    def fit(self, _matrix, truth):
        self.classes_ = np.unique(truth)
        return self

    def predict_proba(self, matrix):
        first = np.nan_to_num(matrix[:, 0])
        share = 1 / (1 + np.exp(-np.clip(first, -9, 9))) / len(self.classes_)
        share = share + 1e-9 * np.cumsum(first > 0) / len(first)
        rest = np.repeat(((1 - share) / (len(self.classes_) - 1))[:, None], len(self.classes_) - 1, axis=1)
        return np.column_stack([share, rest])


class TestRowsThatLeanOnOthers(LearnerSuite):
    def learner(self, *, threads):
        del threads
        return wrapped(Leaning(), trusted=(f"{Leaning.__module__}.Leaning",))


# --- one row as many ------------------------------------------------------------------------------


def alone(scorer) -> bool:
    return json.loads(scorer.to_bytes().partition(b"\n")[0])["alone"]


def test_rows_are_scored_one_at_a_time_only_where_their_place_matters():
    matrix, truth = sample(300, 2)
    trusted = (*TRUSTED, f"{Leaning.__module__}.Leaning")
    assert alone(wrapped(Leaning(), trusted=trusted).fit(matrix, truth, classes=2)[0])
    for estimator in (linear(), RandomForestClassifier(3)):
        assert not alone(wrapped(estimator).fit(matrix, truth, classes=2)[0])


@settings(max_examples=30)
@given(rows=st.integers(1, 2 * BLOCK + 3), seed=st.integers(0, 99), data=st.data())
def test_a_row_gives_the_same_bits_in_any_batch_and_at_any_place(rows, seed, data):
    matrix, _ = sample(rows, 2, seed=seed)
    scorer = FITTED[data.draw(st.sampled_from(sorted(FITTED)))]
    whole = scorer.probabilities(matrix)
    chosen = np.array(data.draw(st.lists(st.integers(0, rows - 1), min_size=1, max_size=600)))
    assert np.array_equal(scorer.probabilities(rows_of(matrix, chosen)), whole[chosen])


FITTED = {
    name: wrapped(estimator).fit(*sample(500, 2), classes=2)[0]
    for name, estimator in {
        "linear": linear(),
        "by kind": by_kind(),
        "forest": RandomForestClassifier(5),
    }.items()
}


def test_the_probe_sees_a_place_that_matters():
    values = np.random.default_rng(0).normal(size=(BLOCK, 4))

    def row_by_row(block):
        return block[:, :2] * 2.0

    for place in (0, 1, 100, BLOCK - 1):

        def one_place(block, place=place):
            result = block[:, :2] * 2.0
            result[place] = np.nextafter(result[place], np.inf)
            return result

        assert not apart(one_place, values)
    assert apart(row_by_row, values)
    assert apart(row_by_row, values[:3])
    shapes = set()
    score(lambda block: (shapes.add(block.shape), block)[1], values[:3], alone=False)
    assert shapes == {(BLOCK, 4)}


# --- the same fit gives the same bytes ------------------------------------------------------------

CHILD = """
import sys
sys.path[:0] = {path!r}
import test_foreign_learners as mine
import hashlib
matrix, truth = mine.sample(400, 3)
for make in (mine.by_kind, lambda: mine.RandomForestClassifier(4), mine.searched, mine.calibrated):
    scorer, _ = mine.wrapped(make(), trusted=(*mine.TRUSTED, *mine.CALIBRATED)).fit(matrix, truth, classes=3)
    print(hashlib.sha256(scorer.to_bytes()).hexdigest())
"""
CALIBRATED = (
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.model_selection._split.KFold",
)


def searched():
    forest = RandomForestClassifier(3)
    return GridSearchCV(forest, {"max_depth": [1, 3]}, cv=KFold(3, shuffle=True))


def calibrated():
    return CalibratedClassifierCV(RandomForestClassifier(3), cv=KFold(3, shuffle=True))


def test_another_process_writes_the_same_bytes():
    """With another hash seed and other addresses; a seed that is None is fixed, also of a splitter."""
    code = CHILD.format(path=[str(Path(__file__).parent)])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 4


def test_what_is_kept_is_arrays_and_json_without_time():
    scorer, _ = wrapped(RandomForestClassifier(3)).fit(*sample(200, 2), classes=2)
    with zipfile.ZipFile(io.BytesIO(scorer.to_bytes().partition(b"\n")[2])) as archive:
        for entry in archive.infolist():
            assert Path(entry.filename).suffix in (".json", ".npy")
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            if entry.filename.endswith(".npy"):
                np.load(io.BytesIO(archive.read(entry)), allow_pickle=False)


def test_an_estimator_that_was_given_stays_unfitted():
    forest = RandomForestClassifier(3)
    wrapped(forest).fit(*sample(200, 2), classes=2)
    assert not hasattr(forest, "estimators_")
    assert forest.random_state is None


# --- what it sees ---------------------------------------------------------------------------------


def test_columns_know_their_kind_as_long_as_they_are_the_same_columns():
    columns = Columns(np.zeros((4, 3)), np.array([False, True, False]))
    assert (numbers(columns), categories(columns)) == ([0, 2], [1])
    assert categories(columns[1:3]) == [1]
    for other in (columns[:, :2], np.asarray(columns)):
        with pytest.raises(ValueError, match="first step"):
            numbers(other)


def test_an_estimator_sees_codes_and_nan_within_bounds():
    seen = []

    class Looking(Leaning):
        def fit(self, matrix, truth):
            seen.append((matrix, truth))
            return super().fit(matrix, truth)

    values = np.array([[np.inf, 1e300, 2.0, np.nan], [1.0, -1e300, np.nan, np.nan], [0.0, 0.0, 0.0, np.nan]])
    matrix = Matrix(np.asfortranarray(values), ("a", "b", "c", "d"), (0, 0, 2, 0))
    with pytest.raises(UserError):  # a local class can't be kept
        wrapped(Looking()).fit(matrix, np.array([2, 0, 2], dtype=np.int8), classes=3)
    given_matrix, truth = seen[0]
    np.testing.assert_array_equal(given_matrix, [[np.nan, 1e30, 2], [1, -1e30, np.nan], [0, 0, 0]])
    assert categories(given_matrix) == [2]
    assert truth.tolist() == [1, 0, 1]


def test_classes_that_were_not_there_get_a_small_share():
    matrix, truth = sample(300, 2)
    scorer, _ = wrapped(linear()).fit(matrix, (truth * 2).astype(np.int8), classes=3)
    assert np.allclose(scorer.probabilities(matrix)[:, 1], 1 / 303)


# --- trust ----------------------------------------------------------------------------------------


def refused(call) -> UserError:
    with pytest.raises(UserError) as caught:
        call()
    return caught.value


def test_types_that_nobody_trusts_are_named_and_not_loaded():
    matrix, truth = sample(200, 2)
    error = refused(lambda: wrapped(RandomForestClassifier(3), trusted=()).fit(matrix, truth, classes=2))
    assert error.code == "model.untrusted"
    assert "sklearn.tree._tree.Tree" in error.happened
    assert 'trusted = ["sklearn.tree._tree.Tree"]' in error.fix
    assert "settings.toml" in error.fix
    data = wrapped(RandomForestClassifier(3)).fit(matrix, truth, classes=2)[0].to_bytes()
    assert refused(lambda: wrapped(linear(), trusted=()).from_bytes(data)).code == "model.untrusted"


def test_a_model_that_names_a_command_is_refused_before_anything_runs(tmp_path):
    target = tmp_path / "ran"
    text = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "is_json": True}
    arguments = {
        "__class__": "tuple",
        "__module__": "builtins",
        "__loader__": "TupleNode",
        "content": [{**text, "content": json.dumps(f"touch {target}")}],
    }
    schema = {
        "__class__": "system",
        "__module__": "os",
        "__loader__": "ConstructorFromReduceNode",
        "content": arguments,
        "protocol": 2,
        "_skops_version": "0.16.0",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    header = wrapped(linear()).fit(*sample(200, 2), classes=2)[0].to_bytes().partition(b"\n")[0]
    error = refused(lambda: wrapped(linear()).from_bytes(header + b"\n" + buffer.getvalue()))
    assert error.code == "model.untrusted"
    assert not target.exists()


@settings(max_examples=40)
@given(data=st.data())
def test_damaged_bytes_are_refused_in_our_words(data):
    header, _, body = GOOD.partition(b"\n")
    place = data.draw(st.integers(0, len(body) - 1))
    broken = data.draw(st.sampled_from([body[:place], body[:place] + b"\0\xff" + body[place + 2 :]]))
    code = "fine"
    try:
        wrapped(linear()).from_bytes(header + b"\n" + broken)
    except RoadError as error:
        code = error.code
    assert code in {"fine", "model.unreadable", "model.untrusted", "model.not-kept"}


GOOD = FITTED["linear"].to_bytes()


# --- failures are told ----------------------------------------------------------------------------


class Broken(Leaning):
    def predict_proba(self, matrix):
        return super().predict_proba(matrix) * 2


@pytest.mark.parametrize(
    ("estimator", "code", "words"),
    [
        (LogisticRegression(), "model.learner-failed", "NaN"),
        (Broken(), "model.learner-failed", "no probabilities"),
        (make_pipeline(FunctionTransformer(lambda x: x), linear()), "model.not-kept", "lambda"),
    ],
)
def test_an_estimator_that_fails_is_blamed_by_name(estimator, code, words):
    trusted = (*TRUSTED, f"{Broken.__module__}.Broken", f"{__name__}.<lambda>")
    error = refused(lambda: wrapped(estimator, trusted=trusted).fit(*sample(200, 2), classes=2))
    assert error.code == code
    assert words in error.happened


# --- settings, entry points, names ----------------------------------------------------------------


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Give a folder on the path with modules of the user's, and settings that name them."""
    monkeypatch.syspath_prepend(tmp_path)
    for name, text in PRINTED.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setenv("WHOLEROAD_SETTINGS", str(tmp_path / "settings.toml"))
    yield tmp_path
    for name in ("my_learners", "my_bins", "packaged"):
        sys.modules.pop(name, None)


def test_every_fault_of_the_settings_is_told_at_once(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(
        '[learners]\n"a b" = "m:f"\nforest = "no_colon"\ntree = 3\n'
        '[skops]\ntrusted = ["plain", 3, "a.B"]\nall = true\n[skop]\n',
        "utf-8",
    )
    with pytest.raises(FaultsError) as caught:
        read_settings(path)
    codes = [fault.code for fault in caught.value.faults]
    assert sorted(codes) == [
        *["settings.learner"] * 3,
        *["settings.trusted"] * 2,
        *["settings.unknown-key"] * 2,
    ]


@pytest.mark.parametrize("text", ["learners = 3", "[skops]\ntrusted = 'a.B'", "skops = []"])
def test_settings_of_another_shape_are_faults(tmp_path, text):
    (tmp_path / "settings.toml").write_text(text, "utf-8")
    with pytest.raises(FaultsError):
        read_settings(tmp_path / "settings.toml")


@settings(max_examples=60)
@given(text=st.text() | st.binary())
def test_any_text_is_settings_or_faults(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
    code = "settings.fine"
    try:
        read_settings(path)
    except UserError as error:
        code = error.code
    assert code.startswith("settings.")


def test_settings_stand_where_the_environment_says_and_need_not_be_there(tmp_path, monkeypatch):
    assert settings_path({"WHOLEROAD_SETTINGS": "x.toml", "XDG_CONFIG_HOME": "y"}) == Path("x.toml")
    assert settings_path({"XDG_CONFIG_HOME": "y"}) == Path("y") / "wholeroad" / "settings.toml"
    monkeypatch.setenv("WHOLEROAD_SETTINGS", str(tmp_path / "gone.toml"))
    assert refused(read_settings).code == "settings.missing"
    monkeypatch.delenv("WHOLEROAD_SETTINGS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert read_settings() == Settings(tmp_path / "wholeroad" / "settings.toml")


def test_the_reference_says_every_setting_and_every_code():
    page = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert re.findall(r"^## `\[(\w+)\]`", page, re.MULTILINE) == list(settings_module.KEYS)
    told = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    assert told == {key for keys in settings_module.KEYS.values() for key in keys}
    source = Path(settings_module.__file__).parent
    files = [source / "settings.py", *(source / "learners").glob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in files)
    raised = set(re.findall(r'"((?:settings|model)\.[a-z-]+)"', code)) - {"model.unreadable", "settings.toml"}
    raised |= {f"settings.{name}" for name in re.findall(r'_fault\("([a-z-]+)"', code)}
    assert set(re.findall(r"^\| `((?:settings|model)\.[a-z-]+)` \|", page, re.MULTILINE)) == raised


def test_an_unknown_candidate_is_told_what_there_is_and_where_others_come_from(place):
    error = refused(lambda: make_learners(["constant", "forst"], threads=1))
    assert error.code == "model.unknown-learner"
    named = "constant, one_rule, logistic, lightgbm, forest"
    for words in (named, "did you mean forest?", "wholeroad.learners"):
        assert words in error.expected + error.fix
    assert str(place / "settings.toml") in error.fix


def test_what_ships_reads_no_settings(monkeypatch):
    monkeypatch.setenv("WHOLEROAD_SETTINGS", "nowhere.toml")
    assert list(make_learners(NAMES, threads=1)) == list(NAMES)


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("nowhere:make", "model.learner-import"),
        ("packaged:gone", "model.learner-import"),
        ("packaged:raises", "model.learner-import"),
        ("packaged:text", "model.learner-kind"),
        ("packaged:nothing", "model.learner-kind"),
        ("packaged:gives_a_class", "model.learner-kind"),
        ("packaged:machine", "model.learner-kind"),
        ("packaged:zero", "model.learner-kind"),
    ],
)
def test_what_is_no_learner_is_told_by_name(place, target, code):
    (place / "packaged.py").write_text(
        "import my_bins\nfrom sklearn.svm import LinearSVC as machine\ntext = 'x'\n"
        "def nothing(): return 3\ndef raises(): raise OSError('x')\n"
        "def gives_a_class(): return my_bins.Bins\n"
        "def zero():\n    bins = my_bins.Bins()\n    bins.complexity = 0\n    return bins\n",
        "utf-8",
    )
    found = Settings(place, {"odd": target})
    error = refused(lambda: make_learners(["odd"], threads=1, settings=found))
    assert error.code == code
    assert target in error.happened
    assert LinearSVC is not None


def offer(folder: Path, package: str, version: str, **points: str) -> None:
    """Make what pip leaves behind of an installed package that offers learners."""
    info = folder / f"{package}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", "utf-8")
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (info / "entry_points.txt").write_text(f"[wholeroad.learners]\n{lines}", "utf-8")


def test_a_package_offers_learners_by_an_entry_point(place):
    offer(place, "counting", "1.2", counted="my_bins:Bins", bins="nowhere:at_all")
    learners = make_learners(["counted", "bins", "constant"], threads=1)
    assert list(learners) == ["constant", "bins", "counted"] or list(learners) == [
        "constant",
        "counted",
        "bins",
    ]
    matrix, truth = sample(300, 2)
    scorer, _ = learners["counted"].fit(matrix, truth, classes=2)
    again = learners["counted"].from_bytes(scorer.to_bytes())
    assert np.array_equal(again.probabilities(matrix), scorer.probabilities(matrix))


def test_two_packages_with_one_name_are_told_apart_by_the_settings(place):
    offer(place, "one", "1", both="my_bins:Bins")
    offer(place, "two", "2", both="my_learners:forest")
    error = refused(lambda: make_learners(["both"], threads=1))
    assert error.code == "model.learner-name"
    assert "one==1 my_bins:Bins and two==2 my_learners:forest" in error.happened
    said = Settings(place / "settings.toml", {"both": "my_learners:forest"}, TRUSTED)
    assert list(make_learners(["both"], threads=1, settings=said)) == ["both"]


def test_a_changed_learner_is_another_learner(place):
    def identity() -> str:
        for name in ("my_learners", "my_bins"):
            sys.modules.pop(name, None)
        return identities(make_learners(["forest", "bins", "constant"], threads=1))

    first = identity()
    assert identity() == first
    assert "forest+" in first
    assert "constant" not in first
    text = (place / "my_learners.py").read_text("utf-8")
    (place / "my_learners.py").write_text(text.replace("n_estimators=30", "n_estimators=40"), "utf-8")
    second = identity()
    assert second != first
    bins = (place / "my_bins.py").read_text("utf-8")
    (place / "my_bins.py").write_text(bins.replace("20 * shares", "30 * shares"), "utf-8")
    assert identity() not in (first, second)


def test_a_parameter_that_comes_from_elsewhere_makes_another_learner(place):
    source = "from sklearn.ensemble import RandomForestClassifier\nimport os\n"
    source += "def make(): return RandomForestClassifier(int(os.environ['TREES_FOR_TEST']))\n"
    (place / "packaged.py").write_text(source, "utf-8")
    found = Settings(place, {"odd": "packaged:make"}, TRUSTED)
    seen = set()
    for trees in ("3", "4", "3"):
        os.environ["TREES_FOR_TEST"] = trees
        seen.add(identities(make_learners(["odd"], threads=1, settings=found)))
    del os.environ["TREES_FOR_TEST"]
    assert len(seen) == 2


@pytest.mark.usefixtures("place")
def test_a_learner_that_says_its_complexity_is_believed():
    learners = make_learners(["forest", "bins", "lightgbm"], threads=1)
    assert [(name, learner.complexity) for name, learner in learners.items()] == [
        ("bins", 2),
        ("lightgbm", 4),
        ("forest", 5),
    ]


# --- the whole road -------------------------------------------------------------------------------


def world(folder: Path, *candidates: str):
    before = 'candidates = ["constant", "logistic"]'
    assert before in worlds.BRIEF
    brief = worlds.BRIEF.replace(before, f"candidates = {json.dumps(candidates)}")
    return wholeroad.open(worlds.write(folder, *worlds.parcels(), brief=brief))


def test_learners_from_outside_are_rehearsed_and_decide(place):
    project = world(place / "parcels", "linear", "bins")
    first = project.rehearse(["every 10d"])
    champions = {line["champion"] for line in fits(first)}
    assert champions
    assert champions <= {"linear", "bins"}
    assert first.policies.filter(policy="every 10d")["versus_status_quo"].item() > 0
    again = world(place / "parcels", "linear", "bins").rehearse(["every 10d"], name="again")
    assert [line["model"] for line in fits(again)] == [line["model"] for line in fits(first)]


def fits(rehearsed) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in b"".join(rehearsed.export("every 10d")).splitlines()]
    return [line for line in lines if line.get("model") and line.get("champion")]


def test_the_how_to_runs_as_it_is_printed(place):
    world(place / "parcels", "constant", "logistic", "forest", "linear", "bins")
    block = re.search(r"^<!-- then -->\n```python\n(.*?)^```$", HOW_TO, re.MULTILINE | re.DOTALL)
    for command in (
        ["-c", block[1]],
        ["-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_learners.py"],
    ):
        done = subprocess.run(
            [sys.executable, *command], cwd=place, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
