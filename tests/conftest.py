"""Property tests try the same examples everywhere and watch no clock: a busy machine fails none of them."""

from contextlib import suppress

# The monitor's environment has none of them.
with suppress(ModuleNotFoundError):
    from hypothesis import HealthCheck, settings

    settings.register_profile(
        "steady", derandomize=True, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("steady")
