"""A small compiled pipeline that has every feature."""

import json
from pathlib import Path
from typing import Any, Final

from shared.config.targets import VertexTarget

CACHED: Final = {"enableCache": True}
SPECIFICATION: Final[dict[str, Any]] = {
    "components": {
        "comp-loop": {
            "dag": {
                "tasks": {
                    "inner": {"cachingOptions": CACHED, "componentRef": {"name": "comp-train"}},
                    "bare": {"componentRef": {"name": "comp-train"}},
                }
            },
            "inputDefinitions": {"parameters": {"n": {"parameterType": "NUMBER_INTEGER"}}},
        },
        "comp-train": {"executorLabel": "exec-train"},
    },
    "deploymentSpec": {"executors": {"exec-train": {"container": {"image": "python:3.11", "args": ["enableCache"]}}}},
    "pipelineInfo": {"name": "churn-training"},
    "root": {
        "dag": {
            "tasks": {
                "prepare": {"cachingOptions": CACHED, "taskInfo": {"name": "prepare"}},
                "loop": {"cachingOptions": CACHED, "parameterIterator": {"items": {"raw": "[1]"}}},
            }
        },
        "inputDefinitions": {
            "parameters": {
                "model_id": {"parameterType": "STRING"},
                "epochs": {"parameterType": "NUMBER_INTEGER", "defaultValue": 8.0},
                "rate": {"parameterType": "NUMBER_DOUBLE", "isOptional": True},
                "full": {"parameterType": "BOOLEAN", "defaultValue": False},
                "days": {"parameterType": "LIST", "defaultValue": []},
                "options": {"parameterType": "STRUCT", "defaultValue": {}},
                "until": {"parameterType": "STRING", "defaultValue": "today"},
                "status": {"parameterType": "TASK_FINAL_STATUS", "isOptional": True},
            }
        },
    },
    "schemaVersion": "2.1.0",
    "sdkVersion": "kfp-2.17.0",
}


def target(pipeline: str = "pipelines/churn.json", **settings: str) -> VertexTarget:
    """Return a target whose pipeline is a file or a template's address."""
    return VertexTarget(
        pipeline=pipeline, project="acme", location="europe-west4", root="gs://acme-pipelines/x", **settings
    )


def written(folder: Path, content: object = SPECIFICATION, name: str = "pipelines/churn.json") -> Path:
    """Write a specification, or any other text, below *folder*, and return the folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder
