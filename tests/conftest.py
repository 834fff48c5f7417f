"""How Hypothesis runs, and how many threads a test gets."""

import os

# Before NumPy, Polars or LightGBM are imported: many threads on few cores can slow a fit fifty-fold.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

from hypothesis import HealthCheck, settings

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large]  # machines differ; the laws don't
settings.register_profile("laptop", deadline=None, suppress_health_check=QUIET)
settings.register_profile(
    "ci", deadline=None, suppress_health_check=QUIET, derandomize=True, print_blob=True, database=None
)
settings.load_profile("ci" if os.environ.get("CI") else "laptop")
