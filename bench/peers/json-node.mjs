// SPDX-License-Identifier: MIT
// Node's JSON: json-node.mjs parse|write FILE quick|full. Text is bytes on both sides, as it is
// for the others.
import { readFileSync } from 'node:fs';

const [what, path, length] = process.argv.slice(2);
const bytes = readFileSync(path);
const value = JSON.parse(bytes.toString());
let seen = 0;

const parse = () => { seen += Object.keys(JSON.parse(bytes.toString())).length; };
const write = () => { seen += Buffer.from(JSON.stringify(value)).length; };
const work = what === 'parse' ? parse : write;

function bunch(count) {
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) work();
  const took = process.cpuUsage(start);
  return (took.user + took.system) * 1000;
}

bunch(100);
const count = bytes.length < 1000 ? 100000 : 100;
const longEnough = length === 'quick' ? 50e6 : 300e6;
let spent = 0;
let least = Infinity;
while (spent < longEnough) {
  const took = bunch(count);
  spent += took;
  least = Math.min(least, took / count);
}
const alone = [];
for (let i = 0; i < 201; i++) {
  const start = process.hrtime.bigint();
  work();
  alone.push(Number(process.hrtime.bigint() - start));
}
alone.sort((a, b) => a - b);
console.log(seen ? `${least} ${alone[100]}` : 'nothing');
