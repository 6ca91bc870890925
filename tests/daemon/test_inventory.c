/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A listing on libvirt's test driver, with some of libvirt's functions in between: they count, and tell less or other things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "hypervisor/inventory.h"
#include "model/domain_xml.h"

#define N_DOMAINS 40

enum states_told {
    ALL_STATES,
    NO_STATES,    /* as a driver that cannot */
    ALL_BUT_ONE,  /* as when a domain comes to be meanwhile */
    OFF_BY_STATE, /* as when it was started between this and its definition */
};

static struct {
    pthread_mutex_t lock;
    enum states_told told;
    unsigned n_states;     /* that were asked for one by one */
    unsigned n_reading;    /* definitions that are being read now */
    unsigned most_reading; /* and have been at a time */
    unsigned fails_at;     /* the definition that cannot be read, counted from 1; 0: none */
    bool vanishes;         /* since there is no such domain any more */
    unsigned n_read;
} world = {.lock = PTHREAD_MUTEX_INITIALIZER};

int virConnectGetAllDomainStats(virConnectPtr connection, unsigned stats, virDomainStatsRecordPtr **records,
                                unsigned flags)
{
    int (*real)(virConnectPtr, unsigned, virDomainStatsRecordPtr **, unsigned) =
        (__typeof__(real))dlsym(RTLD_NEXT, "virConnectGetAllDomainStats");
    int n = world.told == NO_STATES ? -1 : real(connection, stats, records, flags);

    for (int i = 0; i < n && world.told == OFF_BY_STATE; i++)
        for (int k = 0; k < (*records)[i]->nparams; k++)
            if (strcmp((*records)[i]->params[k].field, "state.state") == 0)
                (*records)[i]->params[k].value.i = VIR_DOMAIN_SHUTOFF;
    if (n > 0 && world.told == ALL_BUT_ONE)
        (*records)[n - 1]->nparams = 0;
    return n;
}

int virDomainGetState(virDomainPtr domain, int *state, int *reason, unsigned flags)
{
    int (*real)(virDomainPtr, int *, int *, unsigned) = (__typeof__(real))dlsym(RTLD_NEXT, "virDomainGetState");

    pthread_mutex_lock(&world.lock);
    world.n_states++;
    pthread_mutex_unlock(&world.lock);
    return real(domain, state, reason, flags);
}

/* Takes long enough for another thread to come, if there is one. */
char *virDomainGetXMLDesc(virDomainPtr domain, unsigned flags)
{
    char *(*real)(virDomainPtr, unsigned) = (__typeof__(real))dlsym(RTLD_NEXT, "virDomainGetXMLDesc");
    char *xml;
    bool fails;

    pthread_mutex_lock(&world.lock);
    fails = ++world.n_read == world.fails_at;
    if (++world.n_reading > world.most_reading)
        world.most_reading = world.n_reading;
    pthread_mutex_unlock(&world.lock);
    usleep(2000);
    xml = fails ? NULL : real(domain, flags);
    if (fails && world.vanishes) /* which leaves the error of libvirt that it should */
        assert_null(virDomainLookupByName(virDomainGetConnect(domain), "none"));
    else if (fails)
        assert_null(virDomainLookupByUUIDString(virDomainGetConnect(domain), "none"));
    pthread_mutex_lock(&world.lock);
    world.n_reading--;
    pthread_mutex_unlock(&world.lock);
    return xml;
}

static void ignore_error(void *context, virErrorPtr error)
{
    (void)context;
    (void)error;
}

struct fixture {
    char path[64];
    virConnectPtr connection;
};

/* Every second one runs. */
static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    char uri[96];
    FILE *file;
    int fd;

    if (fixture == NULL)
        return -1;
    strcpy(fixture->path, "/tmp/us-inventory-XXXXXX");
    fd = mkstemp(fixture->path);
    file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file == NULL)
        return -1;
    fprintf(file, "<node>");
    for (int i = 0; i < N_DOMAINS; i++)
        fprintf(file,
                "<domain type='test'><name>vm-%d</name><uuid>00000000-0000-4000-8000-%012d</uuid>"
                "<memory>1024</memory><os><type>hvm</type></os>"
                "<test:runstate xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>%d</test:runstate></domain>",
                i, i, i % 2 == 0 ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_SHUTOFF);
    fprintf(file, "</node>");
    fclose(file);
    virSetErrorFunc(NULL, ignore_error);
    domain_xml_prepare();
    snprintf(uri, sizeof(uri), "test://%s", fixture->path);
    fixture->connection = virConnectOpen(uri);
    world.told = ALL_STATES;
    world.n_states = world.most_reading = 0;
    world.fails_at = world.n_read = 0;
    world.vanishes = false;
    *state = fixture;
    return fixture->connection != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    virConnectClose(fixture->connection);
    unlink(fixture->path);
    free(fixture);
    return 0;
}

static void check_all(const struct inventory *inventory)
{
    assert_int_equal(inventory->n_reports, N_DOMAINS);
    for (size_t i = 0; i < inventory->n_reports; i++) {
        const struct domain_report *report = &inventory->reports[i];
        int number = atoi(report->description->name + strlen("vm-"));

        assert_int_equal(report->state, number % 2 == 0 ? MACHINE_RUNNING : MACHINE_SHUT_OFF);
        assert_int_equal(report->id != 0, number % 2 == 0);
        assert_true(report->persistent);
        assert_false(report->has_managed_save);
    }
}

static struct inventory *list_briefly(struct fixture *fixture, size_t n_calls, size_t brief_from)
{
    _cleanup_(faults_done) struct faults faults = {0};
    struct inventory *inventory = NULL;
    char message[256] = "";

    assert_int_equal(
        inventory_list(fixture->connection, n_calls, brief_from, &faults, &inventory, message, sizeof(message)), 0);
    assert_int_equal(faults.count, 0);
    return inventory;
}

static struct inventory *list(struct fixture *fixture, size_t n_calls)
{
    return list_briefly(fixture, n_calls, SIZE_MAX);
}

static void the_states_are_told_by_one_call(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = list(*state, 1);

    check_all(inventory);
    assert_int_equal(world.n_states, 0);
    assert_int_equal(world.most_reading, 1);
}

static void a_driver_that_cannot_tell_all_states_is_asked_for_each(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;

    world.told = NO_STATES;
    inventory = list(*state, 1);
    check_all(inventory);
    assert_int_equal(world.n_states, N_DOMAINS);
}

static void a_state_that_is_left_out_is_asked_for(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;

    world.told = ALL_BUT_ONE;
    inventory = list(*state, 1);
    check_all(inventory);
    assert_int_equal(world.n_states, 1);
}

static void a_machine_that_was_started_meanwhile_is_asked_for_its_state_again(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;

    world.told = OFF_BY_STATE;
    inventory = list(*state, 1);
    check_all(inventory);
    assert_int_equal(world.n_states, N_DOMAINS / 2);
}

static void definitions_are_read_by_as_many_calls_as_there_may_be(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = list(*state, 3);

    check_all(inventory);
    assert_int_equal(world.most_reading, 3);
}

static void a_brief_listing_reads_the_definitions_of_what_runs(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = list_briefly(*state, 2, N_DOMAINS);
    size_t n_off = 0;

    assert_true(inventory->is_brief);
    assert_int_equal(inventory->n_reports, N_DOMAINS);
    for (size_t i = 0; i < inventory->n_reports; i++) {
        const struct domain_report *report = &inventory->reports[i];

        assert_int_equal(report->description == NULL, report->state == MACHINE_SHUT_OFF);
        assert_true(report->persistent);
        n_off += report->description == NULL;
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(domain_report_uuid(report), domain_report_uuid(&inventory->reports[j]), UUID_SIZE);
    }
    assert_int_equal(n_off, N_DOMAINS / 2);
}

static void a_listing_of_few_is_not_brief(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = list_briefly(*state, 2, N_DOMAINS + 1);

    assert_false(inventory->is_brief);
    check_all(inventory);
}

static void a_definition_is_left_out_only_where_the_state_is_told(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;

    world.told = NO_STATES;
    inventory = list_briefly(*state, 2, N_DOMAINS);
    check_all(inventory);
}

static void one_that_vanishes_meanwhile_is_left_out(void **state)
{
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;

    world.fails_at = 7;
    world.vanishes = true;
    inventory = list(*state, 2);
    assert_int_equal(inventory->n_reports, N_DOMAINS - 1);
    assert_int_equal(inventory->n_unread, 0);
}

static void one_that_cannot_be_read_is_told(void **state)
{
    struct fixture *fixture = *state;
    _cleanup_(faults_done) struct faults faults = {0};
    _cleanup_(inventory_freep) struct inventory *inventory = NULL;
    char message[256] = "";

    world.fails_at = 7;
    assert_int_equal(inventory_list(fixture->connection, 2, SIZE_MAX, &faults, &inventory, message, sizeof(message)),
                     0);
    assert_int_equal(inventory->n_reports, N_DOMAINS - 1);
    assert_int_equal(inventory->n_unread, 1);
    assert_int_equal(faults.count, 1);
    assert_string_equal(faults.items[0].uuid, inventory->unread[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_states_are_told_by_one_call, setup, teardown),
        cmocka_unit_test_setup_teardown(a_driver_that_cannot_tell_all_states_is_asked_for_each, setup, teardown),
        cmocka_unit_test_setup_teardown(a_state_that_is_left_out_is_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_machine_that_was_started_meanwhile_is_asked_for_its_state_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(definitions_are_read_by_as_many_calls_as_there_may_be, setup, teardown),
        cmocka_unit_test_setup_teardown(a_brief_listing_reads_the_definitions_of_what_runs, setup, teardown),
        cmocka_unit_test_setup_teardown(a_listing_of_few_is_not_brief, setup, teardown),
        cmocka_unit_test_setup_teardown(a_definition_is_left_out_only_where_the_state_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_vanishes_meanwhile_is_left_out, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_read_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
