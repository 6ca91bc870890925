/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A disk that fails or hangs on command: a layer over sqlite3's own, which the store uses without knowing.
 * It also watches the promises that no result shows: what is synced, and that nothing is synced twice in hope.
 */
#ifndef UNDERSTUDY_TESTS_STORE_DISK_H
#define UNDERSTUDY_TESTS_STORE_DISK_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <sqlite3.h>

/* All under the lock; the changed condition tells of every change. */
static struct disk {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    sqlite3_vfs *real;
    int fail_sync;          /* what a sync returns; 0: as it comes */
    int fail_write;         /* what a write returns */
    int only;               /* SQLITE_OPEN_MAIN_DB or SQLITE_OPEN_WAL: failures are of this file only; 0: of any */
    bool hangs;             /* every sync waits until it is false */
    bool open_hangs;        /* every opening likewise */
    unsigned hanging;       /* how many wait */
    unsigned syncs;         /* asked for */
    unsigned open_files;    /* files not closed */
    unsigned unsynced;      /* writes to the log since it was synced last */
    unsigned syncs_in_hope; /* of a file whose sync failed before */
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

struct disk_file {
    sqlite3_file base;
    int type;
    bool has_failed;
    sqlite3_file *real; /* stands behind this in the same memory */
};

static inline struct disk_file *file_of(sqlite3_file *file)
{
    return (struct disk_file *)file;
}

static inline sqlite3_file *real_of(sqlite3_file *file)
{
    return file_of(file)->real;
}

static inline bool is_meant(const struct disk_file *file)
{
    return disk.only == 0 || disk.only == file->type;
}

static int disk_close(sqlite3_file *file)
{
    int code = real_of(file)->pMethods->xClose(real_of(file));

    pthread_mutex_lock(&disk.lock);
    disk.open_files--;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
    return code;
}

static int disk_read(sqlite3_file *file, void *to, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), to, size, offset);
}

static int disk_write(sqlite3_file *file, const void *from, int size, sqlite3_int64 offset)
{
    int code;

    pthread_mutex_lock(&disk.lock);
    code = is_meant(file_of(file)) ? disk.fail_write : 0;
    disk.unsynced += file_of(file)->type == SQLITE_OPEN_WAL;
    pthread_mutex_unlock(&disk.lock);
    errno = EIO;
    return code != 0 ? code : real_of(file)->pMethods->xWrite(real_of(file), from, size, offset);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    int code;

    pthread_mutex_lock(&disk.lock);
    disk.syncs++;
    disk.hanging++;
    pthread_cond_broadcast(&disk.changed);
    while (disk.hangs)
        pthread_cond_wait(&disk.changed, &disk.lock);
    disk.hanging--;
    disk.syncs_in_hope += file_of(file)->has_failed;
    code = is_meant(file_of(file)) ? disk.fail_sync : 0;
    file_of(file)->has_failed |= code != 0;
    if (file_of(file)->type == SQLITE_OPEN_WAL && code == 0)
        disk.unsynced = 0;
    pthread_mutex_unlock(&disk.lock);
    errno = EIO;
    return code != 0 ? code : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret);
}

static int disk_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int disk_check_lock(sqlite3_file *file, int *ret)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret);
}

static int disk_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int disk_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int disk_device(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int disk_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_lock,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector_size,
    .xDeviceCharacteristics = disk_device,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
    struct disk_file *own = file_of(file);
    int code;

    (void)vfs;
    *own = (struct disk_file){
        .type = flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL),
        .real = (sqlite3_file *)(void *)((char *)file + sizeof(*own)),
    };
    pthread_mutex_lock(&disk.lock);
    while (disk.open_hangs)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
    code = disk.real->xOpen(disk.real, name, own->real, flags, ret_flags);
    if (code != SQLITE_OK)
        return code;
    own->base.pMethods = &disk_methods;
    pthread_mutex_lock(&disk.lock);
    disk.open_files++;
    pthread_mutex_unlock(&disk.lock);
    return SQLITE_OK;
}

/* Makes it sqlite3's disk, for the rest of the process. */
static void disk_install(void)
{
    static sqlite3_vfs vfs;

    disk.real = sqlite3_vfs_find(NULL);
    vfs = *disk.real;
    vfs.zName = "disk-on-command";
    vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
    vfs.xOpen = disk_open;
    sqlite3_vfs_register(&vfs, 1);
}

static void disk_set(int fail_write, int fail_sync, int only)
{
    pthread_mutex_lock(&disk.lock);
    disk.fail_write = fail_write;
    disk.fail_sync = fail_sync;
    disk.only = only;
    pthread_mutex_unlock(&disk.lock);
}

static void disk_hang(bool in_sync, bool in_open)
{
    pthread_mutex_lock(&disk.lock);
    disk.hangs = in_sync;
    disk.open_hangs = in_open;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
}

static void disk_wait_until_hanging(void)
{
    pthread_mutex_lock(&disk.lock);
    while (disk.hanging == 0)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
}

static void disk_wait_until_closed(void)
{
    pthread_mutex_lock(&disk.lock);
    while (disk.open_files > 0)
        pthread_cond_wait(&disk.changed, &disk.lock);
    pthread_mutex_unlock(&disk.lock);
}

/* One of the counters, as it is now. */
static unsigned disk_count(const unsigned *counter)
{
    unsigned count;

    pthread_mutex_lock(&disk.lock);
    count = *counter;
    pthread_mutex_unlock(&disk.lock);
    return count;
}

#endif
