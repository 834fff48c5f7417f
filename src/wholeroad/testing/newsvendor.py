"""A generated world of newsvendors: shops that order perishables for a demand whose distribution is known.

Every morning each shop gets one delivery of each product. How many will be asked for depends on the shop, the
product, the weekday, a promotion and the weather, whose effects multiply; around its mean the demand is
negative binomial. What is
left over in the evening is thrown away, at a price. So the best order is known in closed form: the demand's
quantile at the critical fractile (Arrow, Harris, Marschak 1951, *Optimal inventory policy*, Econometrica 19).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.random import default_rng  # noqa: TID251 - a world is drawn from a seed, not decided
from numpy.typing import NDArray

from wholeroad.core.instants import DAY, parse_instant

START: Final = parse_instant("2023-01-02T00:00:00Z")
WASTE: Final = 0.3
"""Money that throwing one away costs."""
DISPERSION: Final = 9.0
"""The variance of the demand is ``mean + mean**2 / DISPERSION``."""
FORMULA: Final = f"price * least(action, outcome) - cost * action - {WASTE} * greatest(action - outcome, 0)"
WARMTH: Final = 0.02
"""A degree more multiplies the demand by about 1.02."""
_HOUR: Final = DAY // 24
_WEEK: Final = 7

WEEKDAY: Final = (
    "case when utc_weekday(delivered_at) < 6 then 'week' when utc_weekday(delivered_at) = 6 then 'Saturday' "
    "else 'Sunday' end"
)

BRIEF: Final = f"""\
format = 1

[brief]
name       = "fresh-orders"
question   = "How many of each product will each shop be asked for?"
decision   = "Order that many for tomorrow morning"
decided_by = "the shops' ordering desk"

[case]
source    = "deliveries"
decide_at = "delivered_at - 12h"

[outcome]
kind    = "regression"                 # the outcome is a number
source  = "demands"
truth   = "asked_for"
matures = "2d"
depends_on_action = "no"               # those who left without are counted too

[value]
unit       = "EUR"
status_quo = {{ expression = "last_week" }}
formula    = "{FORMULA}"
quantity   = {{ most = 150, step = 1 }}

[success]
gain_over_status_quo = {{ per_case = 1.0 }}

[source.deliveries]
read = "deliveries.parquet"
key  = "delivery_id"
happened_at = "delivered_at"
known_at    = "planned_at"
planned     = true

[source.demands]
read = "demands.parquet"
key  = "delivery_id"
happened_at = "closed_at"
known_at    = "closed_at"

[feature]
shop        = {{ column = "shop" }}
product     = {{ column = "product" }}
weekday     = {{ expression = "{WEEKDAY}" }}
promotion   = {{ column = "promotion" }}
temperature = {{ column = "temperature" }}

[policy.refit]
first = "60d"
when  = "every 60d"
fit   = {{ takes = "1h", costs = 5 }}
"""
"""A brief for this world, as ``brief.toml``."""


@dataclass(frozen=True)
class Newsvendors:
    """The world, and what nobody in it knows.

    Attributes
    ----------
    deliveries
        One row for each: what is known when it is ordered.
    demands
        How many were asked for, known in the evening.
    mean
        Shape (n,): the demand's true mean, in the order of ``deliveries``.
    """

    deliveries: pl.DataFrame
    demands: pl.DataFrame
    mean: NDArray[np.float64]

    @property
    def fractile(self) -> NDArray[np.float64]:
        """Shape (n,): the critical fractile, what one too few costs over what both errors cost."""
        price, cost = self._money()
        return (price - cost) / (price + WASTE)

    def best(self) -> NDArray[np.float64]:
        """Give shape (n,): the order with the most expected money, the quantile at the fractile."""
        return self.quantile(self.fractile)

    def quantile(self, point: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Give shape (n,): the smallest demand that isn't exceeded with this probability."""
        from scipy.stats import nbinom

        found: NDArray[np.float64] = nbinom.ppf(point, DISPERSION, self._chance())
        return found

    def expected(self, amount: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give shape (n,): the expected money of orders, by the true distribution of the demand.

        The expected sales are ``E min(a, D) = m F'(a - 2) + a (1 - F(a - 1))`` for whole amounts, with
        ``F'`` of one more in the dispersion.
        """
        from scipy.stats import nbinom

        chance = self._chance()
        below = nbinom.cdf(amount - 2, DISPERSION + 1, chance)
        sold = self.mean * below + amount * nbinom.sf(amount - 1, DISPERSION, chance)
        price, cost = self._money()
        money: NDArray[np.float64] = price * sold - cost * amount - WASTE * (amount - sold)
        return money

    def _money(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.deliveries["price"].to_numpy(), self.deliveries["cost"].to_numpy()

    def _chance(self) -> NDArray[np.float64]:
        return DISPERSION / (DISPERSION + self.mean)


def make(*, days: int = 150, shops: int = 6, products: int = 4, seed: int = 0) -> Newsvendors:
    """Make a world.

    Parameters
    ----------
    days, shops, products
        A case for each of their combinations.
    seed
        Of everything drawn.

    Examples
    --------
    >>> world = make(days=3, shops=2, products=2)
    >>> (
    ...     world.deliveries.height,
    ...     bool((world.expected(world.best()) >= world.expected(world.best() + 1)).all()),
    ... )
    (12, True)
    """
    dice = default_rng(seed)
    size = np.exp(dice.normal(3.0, 0.35, shops))
    liked = np.exp(dice.normal(0.0, 0.3, products))
    price = np.round(dice.uniform(2.0, 6.0, products), 1)
    cost = np.round(price * dice.uniform(0.25, 0.7, products), 1)
    # The world begins a week early, so that there is a last week.
    day, shop, product = (
        axis.ravel()
        for axis in np.meshgrid(np.arange(-_WEEK, days), range(shops), range(products), indexing="ij")
    )
    season = 10 + 10 * np.sin(2 * np.pi * np.arange(-_WEEK, days) / 365)
    temperature = np.round(season + dice.normal(0.0, 4.0, days + _WEEK), 1)[day + _WEEK]
    promotion = dice.random(day.size) < 0.1
    weekday = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.5, 0.6])[day % 7]
    mean = size[shop] * liked[product] * weekday * np.where(promotion, 1.4, 1.0)
    mean *= np.exp(WARMTH * temperature)
    asked = dice.poisson(dice.gamma(DISPERSION, mean / DISPERSION))
    shown = day >= 0
    number = np.arange(day.size) - int((~shown).sum())
    before = np.roll(asked, _WEEK * shops * products)
    delivered = START + day * DAY + 6 * _HOUR
    deliveries = pl.DataFrame(
        {
            "delivery_id": number,
            "delivered_at": _instants(delivered),
            "planned_at": _instants(delivered - 2 * DAY),
            "shop": np.char.add("shop ", shop.astype(str)),
            "product": np.char.add("product ", product.astype(str)),
            "promotion": promotion,
            "temperature": temperature,
            "price": price[product],
            "cost": cost[product],
            "last_week": before,
        }
    )
    demands = pl.DataFrame(
        {
            "delivery_id": number,
            "closed_at": _instants(delivered + 14 * _HOUR),
            "asked_for": asked,
        }
    )
    return Newsvendors(deliveries.filter(shown), demands.filter(shown), mean[shown])


def _instants(micros: NDArray[np.int64]) -> pl.Series:
    return pl.Series(micros).cast(pl.Datetime("us", "UTC"))
