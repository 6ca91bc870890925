/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/query.h"

#include <errno.h>
#include <stdlib.h>

#include <event2/http.h>

#include "report/time.h"

int query_read_limit(const struct evkeyvalq *query, size_t *ret)
{
    const char *text = evhttp_find_header(query, "limit");
    size_t limit;
    char *end;

    if (text == NULL)
        return 0;
    errno = 0;
    limit = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || text[0] < '0' || text[0] > '9')
        return -EINVAL;
    *ret = limit;
    return 0;
}

int query_read_instant(const struct evkeyvalq *query, const char *name, int64_t *ret_real_us)
{
    const char *text = evhttp_find_header(query, name);

    return text != NULL ? time_parse(text, ret_real_us) : 0;
}
