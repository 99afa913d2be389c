"""The configuration that the suite runs with, the same on every cloud but for the targets."""

MODELS = ("broken", "churn", "fraud", "reviewed")

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

[models."broken"]               # its training service refuses it
[models."broken".target]
{cloud} = {broken}

[models."any-*"]
[models."any-*".target]
{cloud} = {works}

[models."handed-*"]             # handed over to a target that knows no idempotency token, where there is one
[models."handed-*".target]
{cloud} = {handed}
"""


def configuration(cloud: str, *, works: str, broken: str, handed: str = "") -> str:
    """Return the text of `retrain.toml`.

    Args:
        cloud: whose targets these are.
        works: the inline table of a target that trains.
        broken: the inline table of a target that the training service refuses for good.
        handed: the inline table of a target that knows no idempotency token; none: the one that trains.

    """
    return _TEXT.format(cloud=cloud, works=works, broken=broken, handed=handed or works)
