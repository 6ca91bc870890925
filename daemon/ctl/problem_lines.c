/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl/problem_lines.h"

#include "ctl/field.h"
#include "ctl/print.h"

static void print_problem(const json_t *problem)
{
    _cleanup_(freep) char *age = field_age(problem, "since");
    enum style style = field_integer(problem, "severity") > 1 ? STYLE_ALARM : STYLE_NOTABLE;

    print_paragraph(style, 2, "%s: %s (began %s)", field_word(problem, "kind"), field_word(problem, "text"), age);
    print_paragraph(STYLE_PLAIN, 4, "%s", field_word(problem, "remedy"));
}

void problem_lines_print(const json_t *problems, size_t most)
{
    size_t count = json_array_size(problems);

    for (size_t i = 0; i < count && i < most; i++)
        print_problem(json_array_get(problems, i));
    if (count > most)
        print_paragraph(STYLE_NOTABLE, 2, "%zu more: understudyctl problems", count - most);
}
