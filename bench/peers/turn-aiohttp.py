# SPDX-License-Identifier: MIT
# 64 small POSTs in flight by aiohttp: turn-aiohttp.py URL SECONDS
import asyncio
import sys
import time

import aiohttp

from turn_texts import ANSWER, IN_FLIGHT, QUESTION


async def turns(session, url, end):
    done = 0
    while time.monotonic() < end:
        async with session.post(url, data=QUESTION, headers={"Content-Type": "application/json"}) as r:
            assert r.status == 200 and await r.read() == ANSWER
        done += 1
    return done


async def run(session, url, count, seconds):
    wall, cpu = time.monotonic(), time.process_time()
    done = sum(await asyncio.gather(*(turns(session, url, wall + seconds) for _ in range(count))))
    return done / (time.monotonic() - wall), done / (time.process_time() - cpu)


async def main():
    url, seconds = sys.argv[1], float(sys.argv[2])
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:
        await run(session, url, IN_FLIGHT, 0.1)
        wall, cpu = await run(session, url, IN_FLIGHT, seconds)
        lone, _ = await run(session, url, 1, 0.1)
    print(wall, cpu, 1e6 / lone)


asyncio.run(main())
