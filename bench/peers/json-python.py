# SPDX-License-Identifier: MIT
# Python's json: json-python.py parse|write FILE quick|full
import json
import statistics
import sys
import time

BUNCH = 1000


def work_of(what, text):
    if what == "parse":
        loads = json.loads
        return lambda: len(loads(text))
    value = json.loads(text)
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    return lambda: len(encode(value).encode())


def bunch(work, count):
    start = time.process_time_ns()
    for _ in range(count):
        work()
    return time.process_time_ns() - start


def main():
    what, path, length = sys.argv[1:4]
    with open(path, "rb") as file:
        text = file.read()
    work = work_of(what, text)
    long_enough = 50_000_000 if length == "quick" else 300_000_000
    first = bunch(work, 10)
    count = BUNCH if first < 10_000_000 else 10
    spent, least = 0, float("inf")
    while spent < long_enough:
        took = bunch(work, count)
        spent += took
        least = min(least, took / count)
    alone = []
    for _ in range(201):
        start = time.perf_counter_ns()
        work()
        alone.append(time.perf_counter_ns() - start)
    print(least, statistics.median(alone))


main()
