"""Two businesses that live: they grow, have seasons, products and machines that come, and nothing is wrong.

Unlike the worlds of ``wholeroad.testing`` they are longer than a year and have two sources only.
"""

import numpy as np
import polars as pl

from wholeroad.testing.troubles import World

DAY_S = 86_400
START = np.datetime64("2022-01-03T00:00:00", "us")


def instants(seconds):
    """Give instants by seconds from the start."""
    at = START + np.asarray(seconds).astype("int64").astype("timedelta64[s]")
    return pl.Series(at).dt.replace_time_zone("UTC")


BRIEF = """
format = 1
[brief]
name = "{name}"
question = "What will come of it?"
[case]
source = "cases"
decide_at = "at"
[outcome]
kind = "binary"
classes = ["yes", "no"]
positive = "yes"
source = "results"
truth = "result"
{outcome}
depends_on_action = "no"
[value]
unit = "EUR"
status_quo = {{ action = "leave" }}
[value.of]
look = {{ yes = 8, no = -3 }}
leave = {{ yes = 0, no = 0 }}
[source.cases]
read = "cases.parquet"
key = "id"
happened_at = "at"
known_at = "at"
[source.results]
read = "results.parquet"
key = "id"
happened_at = "told_at"
known_at = "told_at"
[feature]
{features}
[policy.refit]
first = "120d"
when = "every 60d"
[model]
candidates = ["constant", "logistic"]
"""


def _world(name, cases, results, *, outcome):
    columns = [each for each in cases.columns if each not in {"id", "at"}]
    features = "\n".join(f'{each} = {{ column = "{each}" }}' for each in columns)
    return World(
        template=name,
        brief=BRIEF.format(name=name, outcome=outcome, features=features),
        frames={"cases": cases.sort("at"), "results": results.sort("told_at")},
        case="cases",
        outcome="results",
        event="cases",
        static="cases",
        keys={"cases": "id", "results": "id"},
        times={"cases": ("at", "at"), "results": ("told_at", "told_at")},
        reference="id",
        hit=("result", 0.0),
        places=(),
        pairs=(),
    )


def shop(seed):
    """Draw two years of orders that grow and swing, of a catalogue in which products come and fade.

    About 3,500 orders; only what comes back is told, and of the last ones not yet. Temperatures go below
    zero. The share that comes back drifts with prices and channels, and swings with the year.
    """
    dice, days = np.random.default_rng([seed, 1]), 730
    day = np.arange(days)
    level = 3.5 * np.exp(day / 1000 + 0.45 * np.sin(2 * np.pi * day / 365))
    level *= np.array([1, 1, 1, 1.1, 1.5, 1.8, 0.4])[day % 7]
    on = np.repeat(day, dice.poisson(level))
    second = on * DAY_S + (dice.beta(4, 3, on.size) * DAY_S).astype(int)
    age = on[:, None] - 40 * (np.arange(18) - 2)
    weight = np.where(age >= 0, np.exp(-np.abs(age - 60) / 250), 0) * np.linspace(0.5, 1.5, 18)
    reached = (weight / weight.sum(axis=1, keepdims=True)).cumsum(axis=1)
    product = (reached > dice.random(on.size)[:, None]).argmax(axis=1)
    app = dice.random(on.size) < 0.2 + 0.5 * on / days
    price = (15 + 4 * product) * (1 + 0.15 * on / days) * np.exp(0.2 * dice.normal(size=on.size))
    pull = -1.6 + 0.4 * np.sin(2 * np.pi * on / 365) + 0.02 * (price - 40) + 0.3 * app
    back = second + (DAY_S * (2 + dice.gamma(3, 4, on.size))).astype(int)
    told = (dice.random(on.size) < 1 / (1 + np.exp(-pull))) & (back < days * DAY_S)
    warmth = 10 + 12 * np.sin(2 * np.pi * (on - 100) / 365) + 3 * dice.normal(size=on.size)
    key = np.arange(on.size)
    cases = pl.DataFrame(
        {
            "id": key,
            "at": instants(second),
            "product": [f"P{each:02d}" for each in product],
            "price": price.round(2),
            "channel": np.where(app, "app", "web"),
            "temperature": warmth.round(1),
            "quantity": 1 + dice.poisson(0.4, on.size),
        }
    )
    results = pl.DataFrame({"id": key[told], "told_at": instants(back[told]), "result": "yes"})
    outcome = 'matures = "45d"\nif_never = "no"\nnever_after = "45d"'
    return _world("shop", cases, results, outcome=outcome)


def plant(seed):
    """Draw 500 days of a plant with new machines, slow readings, wear, and a closure in summer.

    Two shifts on weekdays; operators move from machine to machine every month; checks take days.
    """
    dice, days, machines = np.random.default_rng([seed, 2]), 500, 9
    state, wear, rows = np.zeros(machines), dice.uniform(0, 60, machines), []
    for day in range(days):
        state = 0.95 * state + 0.3 * dice.normal(size=machines)
        wear = np.where(wear > dice.uniform(50, 90, machines), 0, wear + 1)
        if day % 7 >= 5 or 210 <= day < 224:
            continue
        for machine in range(machines):
            if machine < 5 or day >= 75 * (machine - 4):
                rows += [(day, machine, shift, state[machine], wear[machine]) for shift in (0, 1)]
    day, machine, shift, slow, worn = np.array(rows).T
    second = day * DAY_S + 6 * 3600 + shift * 8 * 3600 + dice.integers(0, 600, day.size)
    pull = -2.5 + 0.8 * slow + 0.02 * worn + 0.3 * np.cos(2 * np.pi * day / 365)
    told_at = second + 3600 * (8 + dice.gamma(2, 30, day.size))
    told = told_at < days * DAY_S
    fault = dice.random(day.size) < 1 / (1 + np.exp(-pull))
    key = np.arange(day.size)
    cases = pl.DataFrame(
        {
            "id": key,
            "at": instants(second),
            "machine": [f"M{int(each):02d}" for each in machine],
            "vibration": (1.7 * np.exp(0.4 * slow + 0.1 * dice.normal(size=day.size))).round(3),
            "load": (60 + 15 * np.sin(2 * np.pi * day / 7) + 5 * dice.normal(size=day.size)).round(1),
            "humidity": (55 + 20 * np.cos(2 * np.pi * day / 365) + 4 * dice.normal(size=day.size))
            .round()
            .clip(0, 100),
            "since_service": worn.astype(int),
            "operator": [f"O{each:.0f}" for each in (day // 30 + machine) % 6],
        }
    )
    results = pl.DataFrame(
        {
            "id": key[told],
            "told_at": instants(told_at[told]),
            "result": np.where(fault[told], "yes", "no"),
        }
    )
    return _world("plant", cases, results, outcome='matures = "10d"')
