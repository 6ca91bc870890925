#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# seeds.sh SIMULATE: the suite's seeds, or as many as SIMULATION_SEEDS says, from SIMULATION_FROM on.
exec "$1" --seeds "${SIMULATION_SEEDS:-500}" --from "${SIMULATION_FROM:-1}"
