/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "api/check.h"

#include <errno.h>
#include <string.h>

#include <event2/http.h>

#include "api/body.h"
#include "api/copy.h"
#include "api/exchange.h"
#include "report/json.h"

/* What is to be checked, and by what. */
struct checked {
    const struct routes *routes;
    const struct body *body;
};

/* In a copy: patterns can be made that take long to be compared. */
static int make_check(void *context, char **ret_text)
{
    const struct checked *checked = context;
    struct problems problems = {0};
    int r = checked->routes->backend->check(checked->routes->context,
                                            checked->body->text != NULL ? checked->body->text : "",
                                            checked->body->length, &problems);

    if (r == -EINVAL) {
        *ret_text = strdup("the configuration has errors: understudyd --check lists them");
        return HTTP_BADREQUEST;
    }
    if (r == 0)
        r = json_format_problems(&problems, ret_text);
    problems_done(&problems);
    return r;
}

void check_answer(struct exchange *exchange)
{
    struct body body;
    struct checked checked = {exchange->routes, &body};
    int r = body_read(exchange->request, &body);

    if (r < 0)
        body_refuse(exchange->request, r, &body);
    else
        copies_answer(exchange->routes->copies, exchange->request, exchange->rights, make_check, &checked);
}
