"""The metrics of this machine, in the text format of Prometheus."""

import http.client
import logging
from pathlib import Path

from functions.local.metrics import CONTENT_TYPE, Metrics
from functions.local.server import application
from functions.local.wiring import local_cloud
from tests.local.test_listener import CONFIGURATION, running


def test_a_scrape_shows_what_was_counted(tmp_path: Path) -> None:
    """Decisions, durations and evaluations are counted from the log events; other paths are those of the API."""
    (tmp_path / "retrain.toml").write_text(CONFIGURATION, encoding="ascii")
    cloud, metrics = local_cloud({"RETRAIN_CONFIG": str(tmp_path / "retrain.toml")}), Metrics()
    log = logging.getLogger("retrain.test_metrics")
    log.setLevel(logging.INFO)
    log.addHandler(metrics)
    for seconds in (60.0, 30.0):
        log.info("retrain.decided", extra={"decision": "launch", "reason": "launched"})
        log.info("retrain.ended", extra={"result": "failed", "seconds": seconds})
    log.info("retrain.schedules_evaluated")
    log.info("retrain.started")
    with running(application(cloud.emitter, metrics=metrics)) as listener:
        connection = http.client.HTTPConnection("127.0.0.1", listener.port, timeout=20)
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        assert (response.status, response.getheader("content-type")) == (200, CONTENT_TYPE)
        lines = response.read().decode().splitlines()
        connection.request("GET", "/metrics", headers={"host": "evil.example"})
        assert connection.getresponse().status == 403
        connection.close()
    cloud.bus.close()
    assert [line for line in lines if not line.startswith("#")] == [
        'retrain_decisions_total{decision="launch",reason="launched"} 2.0',
        'retrain_trainings_total{result="failed"} 2.0',
        'retrain_training_seconds_count{result="failed"} 2.0',
        'retrain_training_seconds_sum{result="failed"} 90.0',
        "retrain_schedules_evaluated_total 1.0",
        "retrain_oldest_queued_seconds 0.0",
    ]
    assert [line for line in lines if line.startswith("# TYPE")] == [
        "# TYPE retrain_decisions_total counter",
        "# TYPE retrain_trainings_total counter",
        "# TYPE retrain_training_seconds summary",
        "# TYPE retrain_schedules_evaluated_total counter",
        "# TYPE retrain_oldest_queued_seconds gauge",
    ]
