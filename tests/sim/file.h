/* SPDX-License-Identifier: MIT */
/*
 * Files in memory, linked in place of the system below io/file_op.h: the requests on files are the
 * real ones, time is the virtual one, and no disk is touched. A runtime has one tree; every root is
 * its top. Names, links and kinds are as on a disk; a mode is its
 * owner's, who is not the superuser: it counts as on a disk. A seed
 * (tests/sim/fate.h) has operations take their time and reads and writes move less than asked.
 *
 *     struct rv_sim_files *files = rv_sim_files_of(runtime);
 *     rv_sim_file_put(files, "src/main.c", "int main;\n", 10);
 *     rv_sim_file_latency_ms(files, 5);
 *     rv_sim_file_fail(files, RV_SIM_FILE_WRITE, 2, ENOSPC);
 *     …
 *     cr_assert_eq(rv_sim_file_open(files), 0);
 *
 * Its memory is not the runtime's: a sweep fails the library's allocations only.
 */
#ifndef RV_TESTS_SIM_FILE_H
#define RV_TESTS_SIM_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reeve/runtime.h>

struct rv_sim_files;

/* Of a runtime: made at the first call, freed with it. */
struct rv_sim_files *rv_sim_files_of(struct reeve_runtime *runtime);

/* ---- the tree: folders on the way are made ----------------------------------------------------
 */

void rv_sim_file_put(struct rv_sim_files *files, const char *path, const void *bytes, size_t len);
void rv_sim_file_folder(struct rv_sim_files *files, const char *path);
void rv_sim_file_link(struct rv_sim_files *files, const char *path, const char *target);
void rv_sim_file_fifo(struct rv_sim_files *files, const char *path);
/* Of what is there: the permissions, 0644 of a file and 0755 of a folder at first. */
void rv_sim_file_mode(struct rv_sim_files *files, const char *path, unsigned mode);

/* The bytes of a file, NUL-terminated, until it is written again; NULL if there is none. */
const char *rv_sim_file_text(struct rv_sim_files *files, const char *path, size_t *ret_len);
/* Entries of a folder, "." being the top; SIZE_MAX if there is none. */
size_t rv_sim_file_entries(struct rv_sim_files *files, const char *path);

/* ---- its weather ------------------------------------------------------------------------------
 */

enum rv_sim_file_verb {
    RV_SIM_FILE_OPEN,
    RV_SIM_FILE_PLACE,
    RV_SIM_FILE_RESOLVE,
    RV_SIM_FILE_CREATE,
    RV_SIM_FILE_READ,
    RV_SIM_FILE_WRITE,
    RV_SIM_FILE_SYNC,
    RV_SIM_FILE_RENAME,
    RV_SIM_FILE_UNLINK,
    RV_SIM_FILE_MKDIR,
    RV_SIM_FILE_SCAN,
    RV_SIM_FILE_VERBS,
};

/* Every operation takes so long [0: it is done in the next pass]. */
void rv_sim_file_latency_ms(struct rv_sim_files *files, uint64_t ms);
/* The nth of its kind from now (1: the next) fails so, once. */
void rv_sim_file_fail(struct rv_sim_files *files, enum rv_sim_file_verb verb, unsigned nth,
                      int os_errno);
/* The nth of its kind from now never ends by itself. */
void rv_sim_file_stall(struct rv_sim_files *files, enum rv_sim_file_verb verb, unsigned nth);
/* Reads and writes move no more than this at a time; 0: as they are asked. */
void rv_sim_file_shorten(struct rv_sim_files *files, size_t max_bytes);
/* Reads and writes hold the loop so long for each 4 KiB [0]. */
void rv_sim_file_page_cost_ns(struct rv_sim_files *files, uint64_t ns);
/* So many bytes more can be written, then ENOSPC. */
void rv_sim_file_room(struct rv_sim_files *files, uint64_t bytes);

/* ---- what was asked ---------------------------------------------------------------------------
 */

/* The longest that a read or a write has held the loop. */
uint64_t rv_sim_file_longest_ns(const struct rv_sim_files *files);
uint64_t rv_sim_file_count(const struct rv_sim_files *files, enum rv_sim_file_verb verb);
size_t rv_sim_file_pending(const struct rv_sim_files *files); /* operations under way */
size_t rv_sim_file_open(const struct rv_sim_files *files);    /* descriptors */

#endif
