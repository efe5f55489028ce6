# SPDX-License-Identifier: MIT
# Python's jsonschema, the validator made beforehand: schema-python.py SCHEMA VALUE quick|full
import json
import statistics
import sys
import time

import jsonschema

BUNCH = 100


def read(path):
    with open(path, "rb") as file:
        return json.load(file)


def bunch(fits, value, count):
    start = time.process_time_ns()
    for _ in range(count):
        assert fits(value)
    return time.process_time_ns() - start


def main():
    schema, value = read(sys.argv[1]), read(sys.argv[2])
    fits = jsonschema.Draft202012Validator(schema).is_valid
    long_enough = 50_000_000 if sys.argv[3] == "quick" else 300_000_000
    spent, least = 0, float("inf")
    while spent < long_enough:
        took = bunch(fits, value, BUNCH)
        spent += took
        least = min(least, took / BUNCH)
    alone = []
    for _ in range(201):
        start = time.perf_counter_ns()
        fits(value)
        alone.append(time.perf_counter_ns() - start)
    print(least, statistics.median(alone))


main()
