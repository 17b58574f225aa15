"""Python's own client delivers the points that bench/mlflow-delivery.ts describes, and says how long that took.

Its last argument is how many points a call has: 1,000 is the server's limit; a training loop's `log_metrics` sends what a
step has.
"""

import json
import sys
import time

from mlflow import MlflowClient
from mlflow.entities import Metric

uri, experiment = sys.argv[1:3]
keys, steps, size = map(int, sys.argv[3:])
client = MlflowClient(uri)
run = client.create_run(experiment).info.run_id
metrics = [
    Metric(f"metric {key}", 1 / (step + key + 1), 1_700_000_000_000 + step, step)
    for step in range(steps)
    for key in range(keys)
]

start, cpu = time.perf_counter(), time.process_time()
for first in range(0, len(metrics), size):
    client.log_batch(run, metrics=metrics[first : first + size])
print(json.dumps({"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu, "run": run}))
