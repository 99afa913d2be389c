"""The configuration that the suite runs with, the same on every cloud but for the targets."""

from typing import Final

MODELS = ("broken", "churn", "followed", "fraud", "reviewed", "signalled")

REPOSITORY: Final = "acme/churn"
# The events that are sent to it: the two ends of a training of `followed`, and the start of one of `handed-over`.
COMPLETED: Final = "machinelearningservices-runcompleted"
FAILED: Final = "training-failed"
RETRAIN: Final = "retrain"

_TEXT = """
[models."churn"]                # takes everything, one training after the other
default = true
[models."churn".parameters]
epochs = 8
note = "$trigger_id"
[models."churn".target]
{cloud} = {works}

[models."fraud"]                # as careful as can be
schedule = true
cooldown = "1h"
on_busy = "skip"
min_severity = "medium"
consecutive = 2
[models."fraud".target]
{cloud} = {works}

[models."reviewed"]             # waits for a person
approval = true
[models."reviewed".target]
{cloud} = {works}

[models."followed"]             # GitHub and people hear how its trainings end; it has a schedule of its own
schedule = "* * * * *"
timezone = "Europe/Rome"
[models."followed".after]
succeeded = ["github:{repository}#{completed}", "notify"]
failed = ["github:{repository}#{failed}", "notify"]
[models."followed".target]
{cloud} = {works}

[models."signalled"]            # requested by the native events of the platforms
signals = [
  "cloudwatch-alarm:churn-drift",
  "s3-object:training-data/churn/*",
  "vertex-monitoring:1234567890",
  "gcs-object:training-data/churn/*",
  "azureml-monitor:churn-monitor",
  "blob:trainingdata/churn/*",
  "s3-object:training-data/*/_SUCCESS",
  "gcs-object:training-data/*/_SUCCESS",
  "blob:trainingdata/*/_SUCCESS",
]
[models."signalled".target]
{cloud} = {works}

[models."broken"]               # its training service refuses it
[models."broken".target]
{cloud} = {broken}

[models."any-*"]
[models."any-*".target]
{cloud} = {works}

[models."retried-*"]            # fails, and is started again
retries = 1
retry_delay = "1s"
[models."retried-*".target]
{cloud} = {works}

[models."limited-*"]            # trains once a week
max_trainings = "1/7d"
[models."limited-*".target]
{cloud} = {works}

[models."handed-*"]             # handed over to a target without idempotency tokens, where there is one
[models."handed-*".target]
{cloud} = {handed}

[models."cooling-*"]            # a training that failed starts no cooldown
cooldown = "1h"
cooldown_after = "success"
[models."cooling-*".target]
{cloud} = {works}

[github]
repositories = ["{repository}"]

[notify]                        # only this besides the actions of `after`: every notice is a call
channels = ["{channel}"]
on = ["awaiting_approval"]
"""
_GITHUB: Final = f'{{ kind = "github", repository = "{REPOSITORY}", event_type = "{RETRAIN}" }}'


def configuration(cloud: str, *, works: str, broken: str, channel: str, handed: str = _GITHUB) -> str:
    """Return the text of `retrain.toml`.

    Args:
        cloud: whose targets these are.
        works: the inline table of a target that trains.
        broken: the inline table of a target that the training service refuses permanently.
        channel: where notices go.
        handed: the inline table of a target without idempotency tokens.

    """
    named = {"repository": REPOSITORY, "completed": COMPLETED, "failed": FAILED}
    return _TEXT.format(cloud=cloud, works=works, broken=broken, channel=channel, handed=handed, **named)
