# SPDX-License-Identifier: MIT
# 64 small POSTs in flight by httpx: turn-httpx.py URL SECONDS
import asyncio
import sys
import time

import httpx

from turn_texts import ANSWER, IN_FLIGHT, QUESTION


async def turns(client, url, end):
    done = 0
    while time.monotonic() < end:
        r = await client.post(url, content=QUESTION, headers={"Content-Type": "application/json"})
        assert r.status_code == 200 and r.content == ANSWER
        done += 1
    return done


async def run(client, url, count, seconds):
    wall, cpu = time.monotonic(), time.process_time()
    done = sum(await asyncio.gather(*(turns(client, url, wall + seconds) for _ in range(count))))
    return done / (time.monotonic() - wall), done / (time.process_time() - cpu)


async def main():
    url, seconds = sys.argv[1], float(sys.argv[2])
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(limits=limits, timeout=600) as client:
        await run(client, url, IN_FLIGHT, 0.1)
        wall, cpu = await run(client, url, IN_FLIGHT, seconds)
        lone, _ = await run(client, url, 1, 0.1)
    print(wall, cpu, 1e6 / lone)


asyncio.run(main())
