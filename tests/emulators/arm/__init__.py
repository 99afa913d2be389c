"""A stand-in for the jobs of Azure Machine Learning in Azure Resource Manager, with faults on demand.

Point the real client at it with `RETRAIN_ARM_ENDPOINT`. `Identity` beside it is the endpoint of a managed identity.
"""

from tests.emulators.arm.faults import Fault, FaultKind
from tests.emulators.arm.identity import Identity
from tests.emulators.arm.jobs import Component, Job
from tests.emulators.arm.standin import ArmStandIn

__all__ = ["ArmStandIn", "Component", "Fault", "FaultKind", "Identity", "Job"]
