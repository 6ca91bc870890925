/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The store as daemon/store behaves: what is to be written waits, the latest of each key; all that
 * waits becomes one transaction; one that fails goes back and is tried again. A crash of the daemon
 * loses what waits, and perhaps the transaction under way.
 */
#include <errno.h>
#include <string.h>

#include "simulation.h"

#define RETRY_DELAY_US (2 * USEC_PER_SEC)

static void page_free(struct page *page)
{
    free(page->document);
    free(page);
}

static void pages_free(struct page **pages)
{
    while (*pages != NULL) {
        struct page *page = *pages;

        *pages = page->next;
        page_free(page);
    }
}

static struct page **find_place(struct page **pages, const char *key)
{
    while (*pages != NULL && strcmp((*pages)->key, key) != 0)
        pages = &(*pages)->next;
    return pages;
}

/* Replaces what stood under its key. */
static void put(struct page **pages, struct page *page)
{
    struct page **place = find_place(pages, page->key), *old = *place;

    page->next = old != NULL ? old->next : NULL;
    *place = page;
    if (old != NULL)
        page_free(old);
}

void disk_make_key(const struct machine_ref *ref, char *ret_key)
{
    snprintf(ret_key, DISK_KEY_SIZE, "%s %.15s", ref->uuid, ref->hypervisor);
}

const struct page *disk_find_machine(const struct simulation *simulation, const struct domain *domain)
{
    struct machine_ref ref = {0};
    char key[DISK_KEY_SIZE];

    strcpy(ref.hypervisor, simulation->hosts[domain->host].name);
    strcpy(ref.uuid, domain->uuid);
    disk_make_key(&ref, key);
    return disk_find(simulation, key);
}

const struct page *disk_find(const struct simulation *simulation, const char *key)
{
    struct page *durable = simulation->disk.durable;

    return *find_place(&durable, key);
}

static void answer(struct simulation *simulation, struct page *page, int error)
{
    struct action action = {.id = page->ticket, .kind = page->is_machine ? ACTION_REMEMBER : ACTION_RECORD};

    if (page->ticket == 0)
        return;
    if (!page->is_machine)
        memcpy(action.recovery_id, page->key, sizeof(action.recovery_id));
    page->ticket = 0;
    shell_answer(simulation, &action, error, error == 0 ? "" : "the disk is full");
}

static void settle(struct simulation *simulation)
{
    struct disk_model *disk = &simulation->disk;

    while (disk->batch != NULL) {
        struct page *page = disk->batch;

        disk->batch = page->next;
        say(simulation, "on disk  %s", page->key);
        if (page->document == NULL) {
            struct page **place = find_place(&disk->durable, page->key), *old = *place;

            if (old != NULL) {
                *place = old->next;
                page_free(old);
            }
            page_free(page);
        } else {
            put(&disk->durable, page);
        }
    }
}

/* What is newer already waits stays. */
static void put_back(struct simulation *simulation)
{
    struct disk_model *disk = &simulation->disk;

    while (disk->batch != NULL) {
        struct page *page = disk->batch;

        disk->batch = page->next;
        page->ticket = page->other_ticket = 0;
        if (*find_place(&disk->waiting, page->key) != NULL)
            page_free(page);
        else
            put(&disk->waiting, page);
    }
}

#define TICKETS_MAX 16

static void work(struct simulation *simulation);

static void end_work(struct simulation *simulation, const struct thing *thing)
{
    struct disk_model *disk = &simulation->disk;
    struct page tickets[TICKETS_MAX];
    bool fails = disk->is_full || spot_is(simulation, SPOT_WRITE_FAILS, (unsigned)thing->number);
    size_t n = 0;

    if (!shell_is_up(simulation, thing->epoch) || !disk->is_busy)
        return;
    if (disk->hangs) {
        agenda_add(simulation, 100 * USEC_PER_MSEC, *thing);
        return;
    }
    disk->is_busy = false;
    for (const struct page *page = disk->batch; page != NULL; page = page->next) {
        if (page->ticket != 0 && n < TICKETS_MAX)
            tickets[n++] = *page;
        if (page->other_ticket != 0 && n < TICKETS_MAX) {
            tickets[n] = *page;
            tickets[n++].ticket = page->other_ticket;
        }
    }
    if (fails) {
        put_back(simulation);
        disk->retry_us = simulation->now.mono_us + RETRY_DELAY_US;
    } else {
        settle(simulation);
        disk->retry_us = 0;
    }
    if (fails != disk->said_trouble) {
        disk->said_trouble = fails;
        coordinator_note(simulation->coordinator, fails ? NOTICE_STORE_FAILED : NOTICE_STORE_WORKS, NULL, "the disk",
                         simulation->now);
    }
    if (spot_is(simulation, SPOT_CRASH_AFTER_WRITE, (unsigned)thing->number))
        simulation->crash_is_due = true;
    for (size_t i = 0; i < n && shell_is_up(simulation, thing->epoch); i++)
        answer(simulation, &tickets[i], fails ? -ENOSPC : 0);
    if (shell_is_up(simulation, thing->epoch))
        shell_pump(simulation);
    if (shell_is_up(simulation, thing->epoch))
        work(simulation);
}

static void retry(struct simulation *simulation, const struct thing *thing)
{
    if (shell_is_up(simulation, thing->epoch))
        work(simulation);
}

static void work(struct simulation *simulation)
{
    struct disk_model *disk = &simulation->disk;
    unsigned place;

    if (disk->is_busy || disk->is_held || disk->waiting == NULL)
        return;
    if (disk->retry_us > simulation->now.mono_us) {
        agenda_add(simulation, disk->retry_us - simulation->now.mono_us,
                   (struct thing){.happen = retry, .epoch = simulation->epoch});
        return;
    }
    place = simulation->places[2]++;
    if (spot_is(simulation, SPOT_CRASH_BEFORE_WRITE, place))
        simulation->crash_is_due = true;
    disk->batch = steal_pointer(&disk->waiting);
    disk->is_busy = true;
    agenda_add(simulation, random_between(&simulation->random_calls, 500, 15000),
               (struct thing){.happen = end_work, .epoch = simulation->epoch, .number = place});
}

static void be_overdue(struct simulation *simulation, const struct thing *thing)
{
    struct page *lists[] = {simulation->disk.waiting, simulation->disk.batch};
    struct action action = {.id = thing->number, .kind = ACTION_RECORD};

    if (!shell_is_up(simulation, thing->epoch))
        return;
    for (size_t i = 0; i < ELEMENTS_OF(lists); i++)
        for (struct page *page = lists[i]; page != NULL; page = page->next)
            if (page->ticket == thing->number || page->other_ticket == thing->number) {
                *(page->ticket == thing->number ? &page->ticket : &page->other_ticket) = 0;
                if (page->is_machine)
                    action.kind = ACTION_REMEMBER;
                else
                    memcpy(action.recovery_id, page->key, sizeof(action.recovery_id));
                shell_answer(simulation, &action, -ETIMEDOUT, "the disk hangs");
                return;
            }
}

void disk_put(struct simulation *simulation, struct page *page)
{
    bool is_awaited = page->ticket != 0 && (page->is_machine || promises_book(simulation, page->key) != NULL);
    uint64_t ticket = page->ticket;
    struct page *old = *find_place(&simulation->disk.waiting, page->key);

    /* The later form of a document says what the earlier one was to say. Two wait for one machine's at most. */
    if (old != NULL) {
        page->other_ticket = old->ticket != 0 && old->other_ticket == 0 ? old->ticket : old->other_ticket;
        if (old->ticket != 0 && old->other_ticket != 0 && ticket == 0)
            page->ticket = old->ticket;
    }
    put(&simulation->disk.waiting, page);
    simulation->disk.retry_us = 0;
    if (is_awaited)
        agenda_add(simulation, simulation->config->recovery.intent_timeout_us,
                   (struct thing){.happen = be_overdue, .epoch = simulation->epoch, .number = ticket});
    work(simulation);
}

void disk_hold(struct simulation *simulation)
{
    simulation->disk.is_held = true;
}

void disk_let_go(struct simulation *simulation)
{
    simulation->disk.is_held = false;
    work(simulation);
}

void disk_forget_daemon(struct simulation *simulation)
{
    struct disk_model *disk = &simulation->disk;

    /* The transaction under way may have made it. */
    if (disk->is_busy && !disk->is_full && !disk->hangs && random_hits(&simulation->random_calls, 50))
        settle(simulation);
    pages_free(&disk->batch);
    pages_free(&disk->waiting);
    disk->is_busy = false;
    disk->said_trouble = false;
    disk->retry_us = 0;
}

void disk_trouble(struct simulation *simulation, bool is_full, bool hangs)
{
    say(simulation, "disk     %s%s%s", is_full ? "full" : "", hangs ? "hangs" : "", !is_full && !hangs ? "works" : "");
    simulation->disk.is_full = is_full;
    simulation->disk.hangs = hangs;
}

void disk_free(struct simulation *simulation)
{
    pages_free(&simulation->disk.waiting);
    pages_free(&simulation->disk.batch);
    pages_free(&simulation->disk.durable);
}
