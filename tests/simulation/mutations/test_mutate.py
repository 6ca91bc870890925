# SPDX-License-Identifier: LGPL-2.1-or-later
"""The tool that plants bugs finds what it is to change, whatever its format, and says so where it does not."""

import pytest

from source import NotFound, Sources, definitions

SOURCE = '''\
/* choose(here) { */
#define LEAVES(x) { x }
static const struct {
    int a;
} table[TWO] = {
    [ONE] = {1, "a } in a string"},
    [TWO] = {2, NULL},
};

static int settle(struct step *step)
{
    /* settle(step) is in a comment */
    if (step->is_late &&
        step->due_us<now)
        return give_up(step, "it is late; (sorry)");
    return 0;
}

bool settle_all(void)
{
    return settle(first) || settle(second);
}
'''


@pytest.fixture
def sources(tmp_path):
    (tmp_path / "one.c").write_text(SOURCE)
    (tmp_path / "two.c").write_text("static void settle(void)\n{\n    other();\n}\n")
    return Sources([tmp_path / "one.c", tmp_path / "two.c"])


def edit(where, pattern, replacement=""):
    return {"in": where, "pattern": pattern, "replacement": replacement}


def planted(sources, *edits):
    return {file.name: text for file, text in sources.planted(edits).items()}


def test_functions_and_tables_are_found_by_name():
    assert [name for name, _, _ in definitions(SOURCE)] == ["table", "settle", "settle_all"]


def test_the_format_does_not_matter(sources):
    text = planted(sources, edit("settle", "step->is_late && step->due_us < now", "false"))["one.c"]
    assert "if (false)\n" in text and text.count("settle(step)") == 1


def test_the_pattern_tells_which_of_one_name(sources):
    assert "nothing();" in planted(sources, edit("settle", "other()", "nothing()"))["two.c"]


def test_what_dots_stand_for_is_kept_or_dropped(sources):
    assert 'return stay("it is late; (sorry)");' in \
        planted(sources, edit("settle", "return give_up(step, …);", "return stay(…);"))["one.c"]
    assert "    return 1;\n    return 0;" in planted(sources, edit("settle", "if (…) return …;", "return 1;"))["one.c"]


def test_a_table(sources):
    assert "[TWO] = {3, NULL}" in planted(sources, edit("table", "[TWO] = {2", "[TWO] = {3"))["one.c"]


def test_several_edits(sources):
    texts = planted(sources, edit("settle_all", "settle(first)", "a"), edit("settle_all", "settle(second)", "b"),
                    edit("settle", "other()", "c()"))
    assert "return a || b;" in texts["one.c"] and "c();" in texts["two.c"]


@pytest.mark.parametrize("bad, message", [
    (edit("setle", "other()"), "no function and no table setle; there is settle"),
    (edit("settle", "missing()"), r"0 places, not 1, match in settle \(one.c:10, two.c:1\)"),
    (edit("settle_all", "settle(…)"), "2 places, not 1"),
    (edit("settle", "settle(step)"), "0 places, not 1"),
    (edit("settle", "other(…)", "… …"), "more … than the pattern"),
])
def test_what_is_not_found_once_is_said(sources, bad, message):
    with pytest.raises(NotFound, match=message):
        sources.planted([bad])
