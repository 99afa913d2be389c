"""A stand-in for the pipelines part of the SageMaker API, which fails on demand.

Point the real client at it with `AWS_ENDPOINT_URL_SAGEMAKER`, or run it as a process:
`python -m emulators.sagemaker --port 8600 --pipeline churn-training:epochs,model_id`.
"""

from emulators.sagemaker.executions import Execution, Pipeline
from emulators.sagemaker.faults import Fault, FaultKind
from emulators.sagemaker.standin import SageMakerStandIn

__all__ = ["Execution", "Fault", "FaultKind", "Pipeline", "SageMakerStandIn"]
