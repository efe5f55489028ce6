// SPDX-License-Identifier: MIT
// Many calls that do nothing, by promises: at most 16 at once, each with its arguments parsed.
const COUNT = 100000;
const PERMITS = 16;

const nothing = async (path) => (path ? 'done' : '');

async function batch(texts) {
  const results = new Array(texts.length);
  let next = 0;
  const runner = async () => {
    while (next < texts.length) {
      const index = next++;
      results[index] = await nothing(JSON.parse(texts[index]).path);
    }
  };
  await Promise.all(Array.from({ length: PERMITS }, runner));
  return results;
}

const texts = Array.from({ length: COUNT },
  (_, i) => `{"path":"so/f${String(i).padStart(5, '0')}.txt"}`);
await batch(texts);
await batch(texts);
const start = process.cpuUsage();
const results = await batch(texts);
const took = process.cpuUsage(start);
if (results.length !== COUNT || results.some((result) => result !== 'done')) process.exit(1);
console.log(((took.user + took.system) * 1000) / COUNT);
