# SPDX-License-Identifier: LGPL-2.1-or-later
"""
The same decision by other means, each as one who knows it well would write it, on the machines that bench_decision wrote
down. Each returns the overlap of the best eligible machine for each failure, and processor time in microseconds. What
they prepare beforehand is not measured, caches are warm, and the SQL ones do less: no tally and no ineligible ones.
"""

import json
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy

EACH, KINDS, UNIT, THRESHOLD, ENVIRONMENT_WEIGHT, BEST = 16, 6, 50000, 0.5, 1, 20  # weights in units of 0.05
MACHINE = numpy.dtype([("features", "<u2", EACH), ("amounts", "<u8", 3)])
HERE = Path(__file__).resolve().parent


class Data:
    def __init__(self, directory):
        self.machines = numpy.fromfile(directory / "machines.bin", MACHINE)
        self.failures = numpy.fromfile(directory / "failures.bin", MACHINE)
        self.weights = numpy.fromfile(directory / "weights.bin", "<u4") // UNIT
        # Where only the OS of a failed machine is known, there is no candidate. The first kind is the OS, and with so many
        # features no machine has nothing else, so that nothing below looks at it.
        assert (self.failures["features"] % KINDS != 0).any(axis=1).all()
        self.resources = self.weights[self.machines["features"]].sum(axis=1).astype(numpy.uint8)


def measured(decide, failures, count):
    best, times = [], []
    decide(failures[0])
    for failure in failures[:count]:
        began = time.thread_time_ns()
        best.append(decide(failure))
        times.append((time.thread_time_ns() - began) / 1e3)
    return best, sorted(times)[len(times) // 2]


def numpy_columns(data, count=21):
    """A byte column a feature that holds its weight, so that a sum of columns is all there is to do; the amounts of a
    machine as the number of a combination, which are few."""
    n = len(data.machines)
    columns = numpy.zeros((len(data.weights), n), numpy.uint8)
    for place in range(EACH):
        features = data.machines["features"][:, place]
        columns[features, numpy.arange(n)] = data.weights[features]
    combinations, hardware = numpy.unique(data.machines["amounts"], axis=0, return_inverse=True)
    combinations, hardware = combinations.astype(float), hardware.astype(numpy.int32).ravel()
    all_amounts = numpy.float32(3 * ENVIRONMENT_WEIGHT)

    def decide(failure):
        own = numpy.float32(data.weights[failure["features"]].sum())
        amounts = failure["amounts"].astype(float)
        larger = numpy.maximum(combinations, amounts)
        failed_amounts = (amounts / larger).sum(axis=1).astype(numpy.float32)
        both_amounts = (numpy.minimum(combinations, amounts) / larger).sum(axis=1).astype(numpy.float32)
        shared = columns[failure["features"][0]].copy()
        for feature in failure["features"][1:]:
            shared += columns[feature]
        either = numpy.subtract(data.resources, shared, dtype=numpy.float32)
        either += own + all_amounts
        failed = failed_amounts.take(hardware)
        failed += own
        both = both_amounts.take(hardware)
        both += shared
        similar, covers = failed >= THRESHOLD * either, both >= THRESHOLD * failed
        offers = shared >= THRESHOLD * own
        eligible = similar & covers & offers
        tally = [numpy.count_nonzero(part) for part in (similar, similar & covers, eligible)]
        overlap = numpy.divide(both, either, out=both)
        ranked = numpy.where(eligible, overlap, -1)
        others = numpy.where(eligible, -1, overlap)
        best = numpy.argpartition(ranked, n - BEST)[-BEST:]
        nearest = numpy.argpartition(others, n - BEST)[-BEST:]
        best, nearest = best[numpy.argsort(-ranked[best])], nearest[numpy.argsort(-others[nearest])]
        return max(float(ranked[best[0]]), 0.0) if tally else None

    return measured(decide, data.failures, count)


SQLITE_QUERY = """
WITH shared AS MATERIALIZED
       (SELECT machine, sum(weight) AS w FROM offers JOIN need USING (feature) GROUP BY machine HAVING sum(weight) >= :least),
     scored AS
       (SELECT machine, shared.w, :own + resources - shared.w AS either,
               min(cpu, :cpu)*1.0/max(cpu, :cpu) + min(memory, :memory)*1.0/max(memory, :memory)
                 + min(disk, :disk)*1.0/max(disk, :disk) AS both_amounts,
               :cpu*1.0/max(cpu, :cpu) + :memory*1.0/max(memory, :memory) + :disk*1.0/max(disk, :disk) AS failed_amounts
        FROM shared JOIN machines ON machines.id = machine)
SELECT (w + both_amounts) / (either + 3) AS overlap, machine FROM scored
WHERE :own + failed_amounts >= :limit * (either + 3) AND w + both_amounts >= :limit * (:own + failed_amounts)
ORDER BY overlap DESC, (w + both_amounts) / (:own + failed_amounts) DESC LIMIT 20
"""


def sqlite(data, count=5):
    """An index of what is offered by feature, in memory; only machines that share something are looked at."""
    database = sqlite3.connect(":memory:")
    database.executescript("""
        PRAGMA temp_store = memory; PRAGMA cache_size = -2000000;
        CREATE TABLE machines (id INTEGER PRIMARY KEY, resources INTEGER, cpu INTEGER, memory INTEGER, disk INTEGER);
        CREATE TABLE offers (feature INTEGER, machine INTEGER, PRIMARY KEY (feature, machine)) WITHOUT ROWID;
        CREATE TEMP TABLE need (feature INTEGER PRIMARY KEY, weight INTEGER);""")
    database.executemany("INSERT INTO machines VALUES (?, ?, ?, ?, ?)",
                         ((n, int(data.resources[n]), *amounts) for n, amounts in
                          enumerate(data.machines["amounts"].tolist())))
    offers = data.machines["features"].ravel().astype(numpy.int64)
    order = numpy.argsort(offers, kind="stable")
    database.executemany("INSERT INTO offers VALUES (?, ?)", zip(offers[order].tolist(), (order // EACH).tolist()))
    database.execute("ANALYZE")

    def decide(failure):
        need = [(int(feature), int(data.weights[feature])) for feature in failure["features"]]
        own = sum(weight for _, weight in need)
        cpu, memory, disk = failure["amounts"].tolist()
        database.execute("DELETE FROM need")
        database.executemany("INSERT INTO need VALUES (?, ?)", need)
        rows = database.execute(SQLITE_QUERY, {"own": own, "least": THRESHOLD * own, "limit": THRESHOLD, "cpu": cpu,
                                               "memory": memory, "disk": disk}).fetchall()
        return rows[0][0] if rows else 0.0

    result = measured(decide, data.failures, count)
    database.close()
    return result


def masks_of(features):
    """Of each machine two 64-bit words a kind (feature f is the (f // 6)th of kind f % 6)."""
    masks = numpy.zeros((len(features), 2 * KINDS), numpy.uint64)
    rows = numpy.arange(len(features))
    for place in range(EACH):
        feature = features[:, place].astype(numpy.uint64)
        word = (feature % KINDS * 2 + feature // KINDS // 64).astype(int)
        masks[rows, word] |= numpy.uint64(1) << (feature // KINDS % 64)
    return masks


def duckdb(data, directory, modules, count=21):
    """Two words of bits a kind, whose features weigh the same: a vectorised bit_count replaces every join. One thread."""
    table = numpy.column_stack([masks_of(data.machines["features"]), data.resources.astype(numpy.uint64),
                                data.machines["amounts"]])
    numpy.savetxt(directory / "machines.csv", table, "%d", ",")
    failures = [{"masks": [str(mask) for mask in masks], "own": int(data.weights[failure["features"]].sum()),
                 "amounts": [str(amount) for amount in failure["amounts"].tolist()]}
                for masks, failure in zip(masks_of(data.failures["features"]).tolist(), data.failures[:count])]
    weights = [int(data.weights[kind]) for kind in range(KINDS)]
    (directory / "duckdb.json").write_text(json.dumps({"weights": weights, "failures": failures, "limit": THRESHOLD}))
    done = subprocess.run(["node", HERE / "duckdb.mjs", directory, modules], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout)
    return result["best"], result["us"]
