"""The demand training as a pipeline of two steps for Vertex AI, compiled to `demand.json`.

Both steps run in an image that contains `examples/demand` and its requirements; see the README.
"""

from kfp import dsl

IMAGE = "europe-west4-docker.pkg.dev/acme/training/demand:1"


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def prepare(until: str) -> str:
    """Return the first day that is not known yet: *until*, checked, or the day after the data end."""
    import os
    import sys

    sys.path.insert(0, os.environ.get("DEMAND", "/demand"))
    import rentals
    import settings

    days = rentals.load()
    given = settings.read({"RETRAIN_PARAM_UNTIL": until}, days[0].date, days[-1].date)
    return given.until.isoformat()


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train(
    until: str,
    max_iter: int,
    trigger_id: str,
    model_id: str,
    model: dsl.Output[dsl.Model],
    metrics: dsl.Output[dsl.Metrics],
) -> bool:
    """Train on the days before *until*, keep model and metrics, and return whether the model was promoted."""
    import json
    import os
    import subprocess
    import sys
    from pathlib import Path

    folder = os.environ.get("DEMAND", "/demand")
    production = os.environ.get("DEMAND_PRODUCTION", "/demand/production")
    given = {
        "RETRAIN_MODEL_ID": model_id,
        "RETRAIN_TRIGGER_ID": trigger_id,
        "RETRAIN_PARAM_UNTIL": until,
        "RETRAIN_PARAM_MAX_ITER": str(max_iter),
    }
    command = [sys.executable, f"{folder}/train.py", "--run", model.path, "--production", f"{production}/{model_id}"]
    subprocess.run(command, env={**os.environ, **given}, check=True)  # noqa: S603 - our own script
    found = json.loads(Path(model.path, "metrics.json").read_text(encoding="utf-8"))
    for name in ("mae_before", "mae_after"):
        if found[name] is not None:
            metrics.log_metric(name, found[name])
    return bool(found["promoted"])


@dsl.pipeline(name="demand-training", description="Bike rentals a day: trained again on the days so far.")
def demand(until: str = "", max_iter: int = 100, trigger_id: str = "", model_id: str = "demand") -> bool:
    """Check the parameters, and train."""
    known = prepare(until=until)
    trained = train(until=known.output, max_iter=max_iter, trigger_id=trigger_id, model_id=model_id)
    promoted: bool = trained.outputs["Output"]
    return promoted
