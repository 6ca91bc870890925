/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Directories of templates: what is read, what is left out, and which hypervisor gets which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "files/config_file.h"
#include "files/template_files.h"

#define PLAIN  "<domain><memory>1</memory></domain>"
#define BROKEN "<domain>\n<memory>1</memory>\n<devices>\n<disk type='file'/></devices></domain>"
#define ODD    "<domain>\n<memory>1</memory><on_crash>perhaps</on_crash></domain>"

struct world {
    char directory[64];
    struct diags diags;
    struct template_set *set;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));

    assert_non_null(world);
    strcpy(world->directory, "/tmp/understudy-templates-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    assert_int_equal(template_set_new(&world->set), 0);
    *state = world;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct world *world = *state;

    nftw(world->directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    template_set_free(world->set);
    diags_done(&world->diags);
    free(world);
    return 0;
}

static void write_bytes(const struct world *world, const char *name, const void *bytes, size_t size)
{
    _cleanup_(freep) char *path = text_print("%s/%s", world->directory, name);
    _cleanup_(fclosep) FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
}

static void write_text(const struct world *world, const char *name, const char *text)
{
    write_bytes(world, name, text, strlen(text));
}

static void make_directory(const struct world *world, const char *name)
{
    _cleanup_(freep) char *path = text_print("%s/%s", world->directory, name);

    assert_int_equal(mkdir(path, 0700), 0);
}

static void load(struct world *world, const char *under)
{
    _cleanup_(freep) char *path = text_print("%s%s", world->directory, under);

    assert_int_equal(template_files_load(path, &world->diags, world->set), 0);
}

/* The only fault, and the only finding. */
static void assert_fault(const struct world *world, const char *file, const char *place, const char *words)
{
    _cleanup_(freep) char *path = text_print("%s%s", world->directory, file);
    _cleanup_(freep) char *begin = text_print("%s%s", world->directory, place);
    const char *text;

    assert_int_equal(world->set->n_faults, 1);
    text = world->set->faults[0].text;
    assert_string_equal(world->set->faults[0].file, path);
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_non_null(strstr(text, words));
    assert_int_equal(world->diags.items[world->diags.count - 1].severity, DIAG_WARNING);
    assert_non_null(strstr(world->diags.items[world->diags.count - 1].message, words));
    assert_false(diags_have_errors(&world->diags));
}

static void templates_are_read_in_the_order_of_their_names(void **state)
{
    struct world *world = *state;
    _cleanup_(freep) char *path = text_print("%s/a.1_b-C.xml", world->directory);

    write_text(world, "web.xml", PLAIN);
    write_text(world, "a.1_b-C.xml", PLAIN);
    write_text(world, ".hidden.xml", BROKEN);
    write_text(world, "web.xml~", BROKEN);
    write_text(world, "notes.txt", BROKEN);
    write_text(world, "orphan.user-data", "x");
    write_text(world, "web.user-data", "#cloud-config\n");
    write_text(world, "web.meta-data", "{}");
    load(world, "");
    assert_int_equal(world->diags.count, 0);
    assert_int_equal(world->set->n_faults, 0);
    assert_int_equal(world->set->count, 2);
    assert_string_equal(world->set->all[0]->name, "a.1_b-C");
    assert_string_equal(world->set->all[0]->file, path);
    assert_null(world->set->all[0]->user_data);
    assert_null(world->set->all[0]->meta_data);
    assert_string_equal(world->set->all[1]->name, "web");
    assert_string_equal(world->set->all[1]->xml, PLAIN);
    assert_string_equal(world->set->all[1]->user_data, "#cloud-config\n");
    assert_string_equal(world->set->all[1]->meta_data, "{}");
}

static void a_wrong_template_costs_no_other(void **state)
{
    struct world *world = *state;

    write_text(world, "a.xml", PLAIN);
    write_text(world, "b.xml", BROKEN);
    write_text(world, "c.xml", PLAIN);
    load(world, "");
    assert_int_equal(world->set->count, 2);
    assert_non_null(template_set_find(world->set, "a"));
    assert_null(template_set_find(world->set, "b"));
    assert_non_null(template_set_find(world->set, "c"));
    assert_fault(world, "/b.xml", "/b.xml:4: ", "no target");
    assert_int_equal(world->diags.items[world->diags.count - 1].line, 4);
}

static void what_is_odd_is_told_and_is_no_fault(void **state)
{
    struct world *world = *state;

    write_text(world, "a.xml", ODD);
    load(world, "");
    assert_int_equal(world->set->count, 1);
    assert_int_equal(world->set->n_faults, 0);
    assert_int_equal(world->diags.count, 1);
    assert_int_equal(world->diags.items[0].severity, DIAG_WARNING);
    assert_int_equal(world->diags.items[0].line, 2);
}

static void a_directory_that_is_not_there_is_empty(void **state)
{
    struct world *world = *state;

    load(world, "/nothing");
    assert_int_equal(world->set->count, 0);
    assert_int_equal(world->set->n_faults, 0);
    assert_int_equal(world->diags.count, 0);
}

static void a_directory_that_cannot_be_read_is_a_fault(void **state)
{
    struct world *world = *state;

    write_text(world, "file", "");
    load(world, "/file");
    assert_int_equal(world->diags.count, 1);
    assert_fault(world, "/file", "/file: ", "cannot be read: Not a directory");
}

static void a_file_that_cannot_be_read_is_a_fault(void **state)
{
    struct world *world = *state;

    make_directory(world, "a.xml");
    load(world, "");
    assert_int_equal(world->diags.count, 1);
    assert_fault(world, "/a.xml", "/a.xml: ", "cannot be read: ");
}

static void a_name_that_no_template_can_have_is_a_fault(void **state)
{
    struct world *world = *state;

    write_text(world, "web server.xml", PLAIN);
    load(world, "");
    assert_int_equal(world->set->count, 0);
    assert_fault(world, "/web server.xml", "/web server.xml: ", "letters, digits");
}

/* A machine without its seed would come up with other settings than were meant. */
static void a_template_without_the_seed_that_it_has_is_left_out(void **state)
{
    struct world *world = *state;

    write_text(world, "a.xml", PLAIN);
    make_directory(world, "a.user-data");
    load(world, "");
    assert_int_equal(world->set->count, 0);
    assert_fault(world, "/a.xml", "/a.user-data: ", "cannot be read: ");
}

static void a_seed_that_is_no_text_is_a_fault(void **state)
{
    struct world *world = *state;

    write_text(world, "a.xml", PLAIN);
    write_bytes(world, "a.meta-data", "x\0y", 3);
    load(world, "");
    assert_int_equal(world->set->count, 0);
    assert_fault(world, "/a.xml", "/a.meta-data: ", "is no text");
}

static void a_fault_is_told_once_for_each_file(void **state)
{
    struct world *world = *state;

    write_text(world, "a.xml", "<domain>\n<devices>\n<disk type='file'/></devices></domain>");
    load(world, "");
    load(world, "");
    assert_int_equal(world->set->n_faults, 1);
    assert_non_null(strstr(world->set->faults[0].text, "/a.xml:1: the template has no memory"));
    assert_non_null(strstr(world->diags.items[world->diags.count - 1].message, "no target")); /* each one is here */
}

/* ---- of a configuration ---- */

static struct templates *load_configured(struct world *world, const char *hypervisors)
{
    _cleanup_(freep) char *text = text_print("hypervisors: [%s]\npool: {templates: %s/all}\n"
                                             "discovery: {catalog: %s/none}\nhooks: {directory: %s/none}\n",
                                             hypervisors, world->directory, world->directory, world->directory);
    _cleanup_(freep) char *path = text_print("%s/understudy.yaml", world->directory);
    struct config *config = NULL;
    struct catalog *catalog = NULL;
    struct templates *templates = NULL;

    write_text(world, "understudy.yaml", text);
    assert_int_equal(config_file_load(path, &world->diags, &config, &catalog, &templates), 0);
    config_free(config);
    catalog_free(catalog);
    return templates;
}

static void each_hypervisor_has_those_for_all_and_its_own(void **state)
{
    struct world *world = *state;
    _cleanup_(templates_freep) struct templates *templates = NULL;
    _cleanup_(freep) char *own = text_print("{name: a, uri: \"test:///a\", templates: %s/own}, {name: b, uri: "
                                            "\"test:///b\"}, {name: c, uri: \"test:///c\", templates: %s/own}",
                                            world->directory, world->directory);
    const struct template_set *a, *b;

    make_directory(world, "all");
    make_directory(world, "own");
    write_text(world, "all/web.xml", PLAIN);
    write_text(world, "all/db.xml", PLAIN);
    write_text(world, "own/web.xml", "<domain><memory>2</memory></domain>");
    write_text(world, "own/mail.xml", PLAIN);
    templates = load_configured(world, own);
    a = templates_of(templates, "a");
    b = templates_of(templates, "b");
    assert_int_equal(a->count, 3);
    assert_int_equal(b->count, 2);
    assert_non_null(strstr(template_set_find(a, "web")->xml, ">2<"));
    assert_non_null(strstr(template_set_find(b, "web")->xml, ">1<"));
    assert_ptr_equal(template_set_find(a, "db"), template_set_find(b, "db"));
    assert_non_null(template_set_find(a, "mail"));
    assert_null(template_set_find(b, "mail"));
    assert_ptr_equal(templates_of(templates, "c"), a); /* read once */
    assert_null(templates_of(templates, "d"));
    assert_int_equal(templates->everywhere->n_faults, 0);
}

static void a_wrong_template_does_not_make_a_configuration_wrong(void **state)
{
    struct world *world = *state;
    _cleanup_(templates_freep) struct templates *templates = NULL;
    _cleanup_(freep) char *own = text_print("{name: a, uri: \"test:///a\", templates: %s/own}, {name: b, uri: "
                                            "\"test:///b\"}, {name: c, uri: \"test:///c\", templates: %s/all}",
                                            world->directory, world->directory);
    size_t n_told = 0;

    make_directory(world, "all");
    make_directory(world, "own");
    write_text(world, "all/web.xml", PLAIN);
    write_text(world, "all/broken.xml", BROKEN);
    write_text(world, "own/ill.xml", BROKEN);
    templates = load_configured(world, own);
    for (size_t i = 0; i < world->diags.count; i++)
        n_told += strstr(world->diags.items[i].file, "/all/broken.xml") != NULL &&
                  strstr(world->diags.items[i].message, "no target") != NULL;
    assert_int_equal(n_told, 1); /* read once */
    assert_int_equal(templates_of(templates, "a")->count, 1);
    assert_int_equal(templates_of(templates, "c")->count, 1);
    assert_int_equal(templates->everywhere->n_faults, 2);
    assert_non_null(strstr(templates->everywhere->faults[0].text, "/all/broken.xml:4: "));
    assert_non_null(strstr(templates->everywhere->faults[1].text, "/own/ill.xml:4: "));
    assert_false(diags_have_errors(&world->diags));
}

static void templates_live_as_long_as_one_owner(void **state)
{
    struct world *world = *state;
    struct templates *templates = load_configured(world, "{name: a, uri: \"test:///a\"}");
    struct template_set *set = template_set_ref(templates_of(templates, "a"));

    assert_ptr_equal(templates_ref(templates), templates);
    templates_free(templates);
    assert_int_equal(templates->count, 1);
    templates_free(templates);
    assert_int_equal(set->count, 0); /* the directory is not there */
    template_set_free(set);
    assert_null(templates_ref(NULL));
    templates_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(templates_are_read_in_the_order_of_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_template_costs_no_other, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_odd_is_told_and_is_no_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_that_is_not_there_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_that_cannot_be_read_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_read_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_that_no_template_can_have_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(a_template_without_the_seed_that_it_has_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(a_seed_that_is_no_text_is_a_fault, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fault_is_told_once_for_each_file, setup, teardown),
        cmocka_unit_test_setup_teardown(each_hypervisor_has_those_for_all_and_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_template_does_not_make_a_configuration_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(templates_live_as_long_as_one_owner, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
