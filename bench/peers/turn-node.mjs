// SPDX-License-Identifier: MIT
// 64 small POSTs in flight by Node's fetch: turn-node.mjs URL SECONDS. The texts are those of
// bench/server.h.
const IN_FLIGHT = 64;
const ANSWER = '{"id":"answer-0123456789","object":"bench.answer","text":"Two hundred bytes are '
  + 'what the answer to a small request has; it is compared with what was expected, byte by byte, '
  + 'by all who ask.","more":false}';
const QUESTION = '{"id":"question-0123456789","object":"bench.question","text":"A small request, '
  + 'about as long as its answer is.","more":false}';
const [url, seconds] = process.argv.slice(2);

async function turns(end) {
  let done = 0;
  while (performance.now() < end) {
    const response = await fetch(url, {
      method: 'POST', body: QUESTION, headers: { 'Content-Type': 'application/json' },
    });
    if (response.status !== 200 || await response.text() !== ANSWER) process.exit(1);
    done++;
  }
  return done;
}

async function run(count, length) {
  const wall = performance.now();
  const cpu = process.cpuUsage();
  const all = await Promise.all(Array.from({ length: count }, () => turns(wall + length * 1000)));
  const done = all.reduce((a, b) => a + b, 0);
  const took = process.cpuUsage(cpu);
  return [done * 1000 / (performance.now() - wall), done * 1e6 / (took.user + took.system)];
}

await run(IN_FLIGHT, 0.1);
const [wall, cpu] = await run(IN_FLIGHT, Number(seconds));
const [lone] = await run(1, 0.1);
console.log(`${wall} ${cpu} ${1e6 / lone}`);
process.exit(0);
