"""Starts runs with the Python client that openapi-python-client generated, and reads them until they have ended."""

import datetime
import sys
import time

from process_client import Client
from process_client.api.demo import start_demo_kitchen_sink
from process_client.api.demo import start_demo_metronome
from process_client.api.runs import run as read_run
from process_client import models

client = Client(base_url=sys.argv[1], headers={"accept": "application/json"}, raise_on_unexpected_status=True)


def ended(started):
    assert isinstance(started, models.Run), started
    until = time.monotonic() + 30
    while True:
        run = read_run.sync(client=client, id=started.id)
        if run.status.value in ("succeeded", "failed", "cancelled", "interrupted"):
            return run
        assert time.monotonic() < until, run
        time.sleep(0.1)


body = models.DemoMetronomeInput(ticks=3, per_second=0)
run = ended(start_demo_metronome.sync(client=client, body=body))
assert (run.status.value, run.current, run.total) == ("succeeded", 3, 3), run

# A value of each kind.
body = models.DemoKitchenSinkInput.from_dict(
    {
        "name": "Sale",
        "percent": 2.5,
        "until": "2026-12-31",
        "at": "14:30",
        "meeting": "2026-12-31T14:30:00",
        "deadline": "2026-12-31T14:30:00+00:00",
        "pause": "PT1H30M",
        "email": "ada@example.org",
        "website": "https://example.org",
        "delivery": "none",
        "colours": ["red", "dark_blue"],
        "tags": ["a", "b"],
        "address": {"street": "Main 1", "zip": "12345"},
        "lines": [{"article": "A-1", "quantity": 2}],
        "api_key": "sk-123456",
        "file": {"name": "a.csv", "content": "YSxiCg=="},
    }
)
assert body.until == datetime.date(2026, 12, 31), body
run = ended(start_demo_kitchen_sink.sync(client=client, body=body))
assert run.status.value == "succeeded", run
assert run.result["message"] == "2 tags, 2 colours, 1 lines" and run.result["bytes"] == 4, run.result
print("The Python client started two runs, and read their results.")
