// SPDX-License-Identifier: LGPL-2.1-or-later
// The decision in DuckDB. Usage: node duckdb.mjs DIRECTORY MODULES; prints {"best": […], "us": median processor time}.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [directory, modules] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(`${modules}/node_modules/`)("@duckdb/node-api");
const { weights, failures, limit } = JSON.parse(readFileSync(`${directory}/duckdb.json`, "utf8"));
const words = weights.flatMap((_, kind) => [`m${2 * kind}`, `m${2 * kind + 1}`]);
const amounts = ["cpu", "memory", "disk"];

const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run("SET threads = 1");
const columns = [...words, "resources", ...amounts].map((name) => `'${name}': 'UBIGINT'`).join(", ");
await connection.run(`CREATE TABLE machines AS SELECT ${words.join(", ")}, resources::DOUBLE AS resources,
  ${amounts.map((name) => `${name}::DOUBLE AS ${name}`).join(", ")}
  FROM read_csv('${directory}/machines.csv', header = false, columns = {${columns}})`);

const placeholders = { shared: words.map((word, i) => `bit_count(${word} & $${word}::UBIGINT) * ${weights[i >> 1]}`).join(" + ") };
const smaller = amounts.map((name) => `least(${name}, $${name}) / greatest(${name}, $${name})`).join(" + ");
const own = amounts.map((name) => `$${name} / greatest(${name}, $${name})`).join(" + ");
const statement = await connection.prepare(`
  WITH shared AS (SELECT rowid AS machine, ${placeholders.shared} AS w, ${smaller} AS both_amounts, ${own} AS failed_amounts,
                         resources FROM machines),
       scored AS (SELECT machine, w, w + both_amounts AS kept, $own + failed_amounts AS failed,
                         $own + resources - w + 3 AS either FROM shared)
  SELECT kept / either AS overlap, kept / failed AS coverage, machine FROM scored
  WHERE w >= ${limit} * $own AND failed >= ${limit} * either AND kept >= ${limit} * failed
  ORDER BY overlap DESC, coverage DESC LIMIT 20`);

async function decide(failure) {
  const values = { own: failure.own };
  const types = {};
  words.forEach((word, i) => (values[word] = failure.masks[i]));
  amounts.forEach((name, i) => (values[name] = Number(failure.amounts[i])));
  statement.bind(values, types);
  const rows = await (await statement.runAndReadAll()).getRows();
  return rows.length > 0 ? rows[0][0] : 0;
}

await decide(failures[0]);
const best = [];
const times = [];
for (const failure of failures) {
  const began = process.cpuUsage();
  best.push(await decide(failure));
  const spent = process.cpuUsage(began);
  times.push(spent.user + spent.system);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ best, us: times[times.length >> 1] }));
