# SPDX-License-Identifier: MIT
# Many calls at once by asyncio: gather, and a semaphore around each call.
#   batch-python.py noop | sleep | mixed | files FOLDER COUNT
import asyncio
import json
import os
import sys
import time

NOOPS, NOOP_PERMITS = 100000, 16
SLEEPS, SLEEP_S, SLEEP_PERMITS = 1000, 0.05, 100
FILE_PERMITS = 16
MIXES = (((100, 0, 80, 0, 60), 3), ((50, 50, 50, 50, 0, 0), 4))


async def run(permits, tool, text):
    async with permits:
        return await tool(json.loads(text)["path"])


async def gather(count, limit, tool, texts):
    permits = asyncio.Semaphore(limit)
    results = await asyncio.gather(*(run(permits, tool, text) for text in texts[:count]))
    assert len(results) == count and all(results)


async def nothing(path):
    return "done"


async def sleep(path):
    await asyncio.sleep(SLEEP_S)
    return "done"


def read_whole(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


async def read(path):
    return await asyncio.get_running_loop().run_in_executor(None, read_whole, path)


async def wait(ms):
    if ms:
        await asyncio.sleep(ms / 1000)
    return "done"


async def one_by_one(waits):
    return [await wait(json.loads(text)["path"]) for text in waits]


def saved(waits, limit):
    waits = ['{"path":%d}' % ms for ms in waits]
    start = time.monotonic()
    asyncio.run(one_by_one(waits))
    middle = time.monotonic()
    asyncio.run(gather(len(waits), limit, wait, waits))
    return 100 * (1 - (time.monotonic() - middle) / (middle - start))


def timed(clock, count, limit, tool, texts):
    start = clock()
    asyncio.run(gather(count, limit, tool, texts))
    return clock() - start


def main():
    what = sys.argv[1]
    texts = ['{"path":"so/f%05d.txt"}' % number for number in range(NOOPS)]
    if what == "noop":
        for _ in range(2):
            timed(time.process_time_ns, NOOPS, NOOP_PERMITS, nothing, texts)
        print(timed(time.process_time_ns, NOOPS, NOOP_PERMITS, nothing, texts) / NOOPS)
    elif what == "sleep":
        print(timed(time.monotonic, SLEEPS, SLEEP_PERMITS, sleep, texts) * 1000,
              timed(time.monotonic, 4, 4, sleep, texts) * 1000)
    elif what == "mixed":
        print(*(saved(*mix) for mix in MIXES))
    else:
        count = int(sys.argv[3])
        os.chdir(sys.argv[2])
        texts = ['{"path":"f%05d.txt"}' % number for number in range(count)]
        timed(time.monotonic_ns, count, FILE_PERMITS, read, texts)
        print(timed(time.monotonic_ns, count, FILE_PERMITS, read, texts) / 1000 / count)


main()
