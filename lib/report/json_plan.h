/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* As json.h: what would happen. Both may take long in a large room, and are made in a copy of the daemon. */
#ifndef UNDERSTUDY_REPORT_JSON_PLAN_H
#define UNDERSTUDY_REPORT_JSON_PLAN_H

#include "forecast/forecast.h"

/*
 * {"services": […], "rules": {…}}: who serves each, and who would take over now. Those from which none would come first, with why and the
 * nearest; then the most important first. "rules": the limits and weights by which that is so. -ENOMEM.
 */
int json_format_plan(const struct coordinator *coordinator, struct moment now, char **ret) _must_check_;

/*
 * {"rehearsals": […], "next_page": null}: of each service when it was rehearsed and is next, and what stands against it.
 * -ENOMEM.
 */
int json_format_rehearsals(const struct coordinator *coordinator, struct moment now, char **ret) _must_check_;

/*
 * What becomes of the services of a host: of a coordinator that went through forecast_host_loss. {"host": …, "fencing": …,
 * "recovered": N, "down": N, "services": […]} and more. -ENOMEM.
 */
int json_format_forecast(const struct coordinator *coordinator, const char *host, const struct forecast *forecast,
                         char **ret) _must_check_;

#endif
