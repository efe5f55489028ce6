# SPDX-License-Identifier: MIT
# Calls that keep their order by path, in asyncio: hazards-python.py
import asyncio
import json
import time

PATHS = 1000
CALLS = 100000
PERMITS = 16


def make_calls():
    random = 1
    calls = []
    for _ in range(CALLS):
        random = (random * 1664525 + 1013904223) & 0xFFFFFFFF
        text = '{"path":"/none/of/it/f%d"}' % ((random >> 8) % PATHS)
        calls.append(("set" if random >> 31 else "look", text))
    return calls


async def answer(path):
    return "done"


async def run_call(permits, after, path):
    for task in after:
        await task
    async with permits:
        return await answer(path)


async def run_batch(calls):
    permits = asyncio.Semaphore(PERMITS)
    last_write, reads, tasks = {}, {}, []
    for name, text in calls:
        path = json.loads(text)["path"]
        write = last_write.get(path)
        after = [write] if write else []
        if name == "set":
            after += reads.pop(path, ())
        task = asyncio.create_task(run_call(permits, after, path))
        if name == "set":
            last_write[path] = task
        else:
            reads.setdefault(path, []).append(task)
        tasks.append(task)
    return await asyncio.gather(*tasks)


def main():
    calls = make_calls()
    for _ in range(2):
        asyncio.run(run_batch(calls))
    start = time.process_time_ns()
    results = asyncio.run(run_batch(calls))
    took = time.process_time_ns() - start
    assert len(results) == CALLS
    print(took / 1000 / CALLS)


main()
