#!/usr/bin/env bash
# How fast is a replay? A million records (or RECORDS) in CloudTrail's gzipped files, on this machine: gunzip alone,
# gunzip and typed parsing alone, and the whole replay, in turn, RUNS times; medians, and the ratio to the floor.
#
#   tests/bench/replay.sh                     a million records, five runs
#   RECORDS=100000 RUNS=3 tests/bench/replay.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

records=${RECORDS:-1000000}
runs=${RUNS:-5}
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT

cargo build --release --locked -q -p scenarios -p tripmeter
cargo build --release --locked -q -p tripmeter-records --example floor
target=${CARGO_TARGET_DIR:-target}/release
"$target/scenarios" corpus --records "$records" --out "$corpus"

RECORDS=$records RUNS=$runs CORPUS=$corpus TARGET=$target python3 - <<'PYTHON'
import os
import statistics
import subprocess
import time

corpus, target = os.environ["CORPUS"], os.environ["TARGET"]
records, runs = int(os.environ["RECORDS"]), int(os.environ["RUNS"])
commands = {
    "gunzip alone": [f"{target}/examples/floor", "--gunzip", corpus],
    "gunzip + typed parsing": [f"{target}/examples/floor", corpus],
    "tripmeter replay": [f"{target}/tripmeter", "replay", "--format", "json", corpus],
}
measured = {name: [] for name in commands}
# The first round only warms the file cache.
for round_ in range(runs + 1):
    for name, command in commands.items():
        begin = time.monotonic()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begin
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{name} failed: {' '.join(command)}")
        if round_ > 0:
            measured[name].append((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))

size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(corpus) for f in files)
print(f"{records:,} records, {size / 1e6:.0f} MB gz, {os.cpu_count()} cores, medians of {runs} runs")
print(f"{'':24}{'wall s':>9}{'CPU s':>9}{'memory MB':>11}{'records/s':>12}{'CPU / floor':>13}")
floor = statistics.median(cpu for _, cpu, _ in measured["gunzip + typed parsing"])
for name, values in measured.items():
    wall, cpu, memory = (statistics.median(column) for column in zip(*values))
    print(f"{name:24}{wall:9.2f}{cpu:9.2f}{memory:11.0f}{records / wall:12,.0f}{cpu / floor:13.2f}")
PYTHON
