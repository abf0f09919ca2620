"""What an operator's Prometheus reads from a server."""

import os
from pathlib import Path

from tests.tuner.conftest import Bench
from tests.tuner.test_http import HI, refused
from tests.tuner.test_jobs import submit
from tuner.http.metrics import Metric, resident_bytes, text
from tuner.keys import key_hash
from tuner.records import Key


async def scraped(bench: Bench) -> dict[str, float]:
    reply = await bench.http.get("http://tuner.test/metrics")
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line.rpartition(" ") for line in reply.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


async def test_requests_tokens_and_jobs_are_counted(bench: Bench):
    await bench.client.chat.completions.create(model="tiny", messages=HI)
    await refused(bench.client.chat.completions.create(model="ft:none", messages=HI))
    await submit(bench.client)
    found = await scraped(bench)
    assert found['tuner_requests_total{path="/v1/chat/completions",status="200"}'] == 1
    assert found['tuner_requests_total{path="/v1/chat/completions",status="404"}'] == 1
    assert found["tuner_generated_tokens_total"] == 2
    assert found['tuner_jobs{status="validating_files"}'] == 1
    assert found["tuner_queue_length"] == 1
    assert (found["tuner_engine_swaps_total"], found["tuner_loaded_adapters"]) == (1, 0)
    assert found["tuner_requests_in_flight"] == 0
    assert found["tuner_uptime_seconds"] >= 0


async def test_metrics_need_no_key_and_a_foreign_path_makes_no_metric_of_its_own(bench: Bench):
    bench.server.store.add_key(Key("key_1", "laptop", 1, None), key_hash("sk-right"))
    await bench.http.get("http://tuner.test/some/secret/path")
    found = await scraped(bench)
    assert found['tuner_requests_total{path="other",status="404"}'] == 1


def test_label_values_are_escaped_and_a_metric_without_samples_is_left_out():
    awkward = Metric("a", "gauge", "A.", [({"x": 'say "hi"\\\n'}, 1.0)])
    assert text([awkward, Metric("b", "gauge", "B.", [])]) == (
        '# HELP a A.\n# TYPE a gauge\na{x="say \\"hi\\"\\\\\\n"} 1\n'
    )


def test_memory_is_read_where_the_system_tells(tmp_path: Path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "status").write_text("Name:\tengine\nVmRSS:\t    2048 kB\n")
    assert resident_bytes(7, tmp_path) == 2048 * 1024
    assert resident_bytes(8, tmp_path) is None
    if Path("/proc/self/status").exists():
        assert (resident_bytes(os.getpid()) or 0) > 1_000_000
