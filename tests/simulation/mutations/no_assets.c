/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* In place of the files of the dashboard, of which CMake makes this table. */
#include "api/assets.h"

const struct asset assets[] = {{0}};
