"""The associations of attributes beside scipy's and scikit-learn's, on drawn tables with missing values."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from preprocessing.statistics import Sample, correlation_ratio, cramers_v, mutual_information, pearson
from scipy import stats
from sklearn.metrics import mutual_info_score

ROWS = 400
MISSING_SHARE = 0.1


@pytest.fixture(params=range(5))
def rng(request: pytest.FixtureRequest) -> np.random.Generator:
    return np.random.default_rng(request.param)


def categories(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    return np.where(rng.random(ROWS) < MISSING_SHARE, -1, rng.integers(0, count, ROWS) ** 2 // count)


def numbers(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.where(rng.random(ROWS) < MISSING_SHARE, np.nan, rng.lognormal(size=ROWS))


def test_pearson_is_scipys(rng: np.random.Generator) -> None:
    x, noise = numbers(rng), numbers(rng)
    y = noise - 0.5 * x
    both = ~np.isnan(x) & ~np.isnan(y)
    assert pearson(x, y) == pytest.approx(abs(stats.pearsonr(x[both], y[both]).statistic))


def test_cramers_v_is_scipys_corrected_for_bias(rng: np.random.Generator) -> None:
    a = categories(rng, 5)
    b = np.where(rng.random(ROWS) < 0.4, a, categories(rng, 4))
    both = (a >= 0) & (b >= 0)
    table = stats.contingency.crosstab(a[both], b[both]).count
    n, (rows, columns) = table.sum(), table.shape
    # Bergsma, "A bias-correction for Cramer's V and Tschuprow's T", J. Korean Stat. Soc. 42 (2013)
    phi = stats.chi2_contingency(table, correction=False).statistic / n - (rows - 1) * (columns - 1) / (n - 1)
    sides = [side - (side - 1) ** 2 / (n - 1) for side in (rows, columns)]
    assert cramers_v(a, b) == pytest.approx(np.sqrt(max(0, phi) / (min(sides) - 1)))
    plain = stats.contingency.association(table, method="cramer")
    assert 0 < cramers_v(a, b) < plain


def test_the_correlation_ratio_is_that_of_scipys_analysis_of_variance(rng: np.random.Generator) -> None:
    groups = categories(rng, 6)
    values = numbers(rng) + 0.3 * groups
    both = (groups >= 0) & ~np.isnan(values)
    members = [values[both & (groups == group)] for group in np.unique(groups[both])]
    between, within = len(members) - 1, both.sum() - len(members)
    explained = stats.f_oneway(*members).statistic * between
    assert correlation_ratio(groups, values) == pytest.approx(np.sqrt(explained / (explained + within)))


def test_mutual_information_is_scikit_learns_less_the_bias(rng: np.random.Generator) -> None:
    text, number = categories(rng, 7), numbers(rng)
    outcome = rng.random(ROWS) < 0.2 + 0.1 * np.maximum(text, 0) + 0.2 * (np.nan_to_num(number) > 1)
    sample = Sample({"text": text, "number": number}, {"text": [str(n) for n in range(7)]}, outcome)
    edges = np.nanquantile(number, np.linspace(0.1, 0.9, 9))
    deciles = np.where(np.isnan(number), -1, np.searchsorted(edges, number, side="right"))
    for name, cells in {"text": text, "number": deciles}.items():
        bias = (len(np.unique(cells)) - 1) / (2 * ROWS)
        expected = max(0.0, mutual_info_score(cells, outcome) - bias) / np.log(2)
        assert mutual_information(sample, name) == pytest.approx(expected, abs=1e-12)
        assert expected > 0
