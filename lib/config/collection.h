/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Maps whose keys are the administrator's own: weights by kind, facts by machine, options. As value.h. */
#ifndef UNDERSTUDY_CONFIG_COLLECTION_H
#define UNDERSTUDY_CONFIG_COLLECTION_H

#include "config/value.h"

value_read_function collection_read_environment_weights;

value_read_function collection_read_resource_weights;
value_release_function collection_release_resource_weights;
value_equal_function collection_equal_resource_weights;

/* Reads nothing at all as no machines. */
value_read_function collection_read_machines;
value_release_function collection_release_machines;
value_equal_function collection_equal_machines;

/* Names and values as they are given to a fence agent ("action" is not for a file to say), or to hooks. */
value_read_function collection_read_options;
value_release_function collection_release_options;
value_equal_function collection_equal_options;

#endif
