/* SPDX-License-Identifier: MIT */
/* Operations on files in memory, and what goes wrong with them. See file.h. */
#include "tests/sim/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "io/file_op.h"
#include "io/path.h"
#include "loop/runtime.h"
#include "tests/sim/fate.h"
#include "tests/sim/file_tree.h"
#include "tests/sim/sim.h"

#include <reeve/error.h>

enum {
    FDS = 1024,
    FIRST_FD = 1000000, /* no descriptor of the system's */
    SCAN_ENTRIES = 64,
    MAX_FATE_LATENCY_MS = 4,
};

struct weather {
    uint64_t count;
    uint64_t fail_at;
    int os_errno; /* 0: it stalls */
};

struct rv_sim_files {
    struct reeve_runtime *runtime;
    struct rv_sim_tree tree;
    struct rv_sim_node *fds[FDS];
    bool appends[FDS];
    struct weather weather[RV_SIM_FILE_VERBS];
    uint64_t latency_ms;
    size_t max_bytes;
    struct rv_file_pace pace;
    uint64_t page_ns;
    uint64_t longest_ns;
    uint64_t room;
    size_t pending;
};

/* An operation under way. */
struct flight {
    struct rv_sim_event event;
    struct rv_sim_files *files;
    struct rv_file_op *op;
    enum rv_sim_file_verb verb;
    int os_errno;
    int flags;
    int folder_fd;
    mode_t mode;
};

static void *must(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

void rv_sim_file_put(struct rv_sim_files *files, const char *path, const void *bytes, size_t len)
{
    rv_sim_node_set_bytes(&files->tree, rv_sim_tree_make(&files->tree, path, S_IFREG | 0644), bytes,
                          len);
}

void rv_sim_file_folder(struct rv_sim_files *files, const char *path)
{
    rv_sim_tree_make(&files->tree, path, S_IFDIR | 0755);
}

void rv_sim_file_link(struct rv_sim_files *files, const char *path, const char *target)
{
    rv_sim_node_set_bytes(&files->tree, rv_sim_tree_make(&files->tree, path, S_IFLNK | 0777),
                          target, strlen(target));
}

void rv_sim_file_fifo(struct rv_sim_files *files, const char *path)
{
    rv_sim_tree_make(&files->tree, path, S_IFIFO | 0644);
}

void rv_sim_file_mode(struct rv_sim_files *files, const char *path, unsigned mode)
{
    struct rv_sim_node *node = rv_sim_tree_make(&files->tree, path, S_IFREG);

    node->mode = (node->mode & (mode_t)S_IFMT) | (mode_t)mode;
}

const char *rv_sim_file_text(struct rv_sim_files *files, const char *path, size_t *ret_len)
{
    struct rv_sim_walk walk = {0};

    if (rv_sim_tree_walk(&files->tree, files->tree.top, path, true, &walk) != 0 ||
        !S_ISREG(walk.node->mode))
        return NULL;
    if (ret_len)
        *ret_len = walk.node->len;
    return walk.node->bytes ? walk.node->bytes : "";
}

size_t rv_sim_file_entries(struct rv_sim_files *files, const char *path)
{
    struct rv_sim_walk walk = {0};
    struct rv_sim_node *node;
    size_t count = 0;

    if (rv_sim_tree_walk(&files->tree, files->tree.top, path, true, &walk) != 0 ||
        !S_ISDIR(walk.node->mode))
        return SIZE_MAX;
    for (node = walk.node->first; node; node = node->next)
        count++;
    return count;
}

/* ---- descriptors -------------------------------------------------------------------------- */

static int fd_new(struct rv_sim_files *files, struct rv_sim_node *node, bool appends)
{
    size_t i;

    for (i = 0; i < FDS; i++) {
        if (files->fds[i])
            continue;
        files->fds[i] = node;
        files->appends[i] = appends;
        return FIRST_FD + (int)i;
    }
    return -EMFILE;
}

static struct rv_sim_node *node_of(struct rv_sim_files *files, int fd)
{
    struct rv_sim_node *node = fd < 0 ? files->tree.top : files->fds[fd - FIRST_FD];

    assert(node && "a descriptor that is not open");
    return node;
}

static void fill_status(const struct rv_sim_node *node, struct stat *status)
{
    memset(status, 0, sizeof *status);
    status->st_mode = node->mode;
    status->st_size = (off_t)node->len;
    status->st_ino = node->inode;
    status->st_mtim.tv_sec = (time_t)node->changes;
    status->st_ctim.tv_sec = (time_t)node->changes;
}

static size_t existing_len(struct rv_sim_files *files, const char *path)
{
    char parent[4096];
    size_t len = strlen(path);
    struct rv_sim_walk walk;

    while ((len = rv_path_parent_len(path, len)) && len < sizeof parent) {
        memcpy(parent, path, len);
        parent[len] = '\0';
        walk = (struct rv_sim_walk){0};
        if (rv_sim_tree_walk(&files->tree, files->tree.top, parent, true, &walk) == 0)
            return len;
    }
    return 0;
}

/* ---- what an operation does when its time has come ------------------------------------------- */

static int refuse_path(struct flight *flight, int os_errno)
{
    struct rv_file_op *op = flight->op;

    op->opened.problem.os_errno = os_errno;
    if (os_errno == ENOENT && flight->folder_fd < 0)
        op->opened.problem.existing_len = existing_len(flight->files, op->path);
    op->os_errno = os_errno;
    return rv_file_error_of_errno(os_errno);
}

static int do_open(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct rv_sim_walk walk = {0};
    int error = rv_sim_tree_walk(&flight->files->tree, node_of(flight->files, flight->folder_fd),
                                 op->path, op->want != RV_WANT_FOLDER_SANS_LINK, &walk);

    if (error)
        return refuse_path(flight, error);
    fill_status(walk.node, &op->opened.status);
    if (!rv_want_is(op->want, walk.node->mode))
        return rv_want_error(op->want, walk.node->mode, &op->opened.problem);
    if (op->want == RV_WANT_LOOK)
        return 0;
    if (!rv_sim_node_allows(walk.node, R_OK))
        return refuse_path(flight, EACCES);
    op->opened.fd = fd_new(flight->files, walk.node, false);
    return op->opened.fd < 0 ? refuse_path(flight, EMFILE) : 0;
}

static int do_place(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct rv_place *place = &op->place;
    size_t len = strlen(op->path), parent_len = rv_path_parent_len(op->path, len);
    const char *last = op->path + parent_len + strspn(op->path + parent_len, "/");
    size_t last_len = strcspn(last, "/");
    struct rv_sim_walk walk = {0};
    int error;

    if ((last_len == 1 && last[0] == '.') || (last_len == 2 && !memcmp(last, "..", 2))) {
        op->opened.problem.kind = rv_file_kind(S_IFDIR);
        return REEVE_ENOTFILE;
    }
    place->is_folder = op->path[len - 1] == '/';
    error = rv_sim_tree_walk(&flight->files->tree, flight->files->tree.top, op->path, op->follow,
                             &walk);
    if (error == ENOTDIR && place->is_folder && walk.node)
        error = 0; /* the request says so */
    if (error && (error != ENOENT || !walk.folder))
        return refuse_path(flight, error);
    place->exists = walk.node != NULL;
    if (walk.node)
        fill_status(walk.node, &place->status);
    memcpy(place->name, walk.name, sizeof place->name);
    place->folder_fd = fd_new(flight->files, walk.folder, false);
    return place->folder_fd < 0 ? refuse_path(flight, EMFILE) : 0;
}

/* Whether names in the folder may come and go: an errno. */
static int may_change(const struct rv_sim_node *folder)
{
    return rv_sim_node_allows(folder, W_OK | X_OK) ? 0 : EACCES;
}

static int do_resolve(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    int error = rv_sim_tree_canonical(&flight->files->tree, op->path, op->anywhere, op->canonical,
                                      RV_FILE_PATH_BYTES);

    if (!error)
        return 0;
    rv_path_clean("", op->path, op->canonical, RV_FILE_PATH_BYTES);
    return refuse_path(flight, error);
}

static int do_create(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct rv_sim_node *folder = node_of(flight->files, flight->folder_fd);
    struct rv_sim_node *node = rv_sim_node_child(folder, op->path, strlen(op->path));

    if (node && (flight->flags & O_EXCL))
        return refuse_path(flight, EEXIST);
    if (node && !S_ISREG(node->mode))
        return rv_want_error(RV_WANT_FILE, node->mode, &op->opened.problem);
    if (node ? !rv_sim_node_allows(node, W_OK) : may_change(folder))
        return refuse_path(flight, EACCES);
    if (!node) {
        node = rv_sim_node_new(&flight->files->tree, op->path, strlen(op->path),
                               S_IFREG | flight->mode);
        rv_sim_node_adopt(folder, node);
    }
    if (op->alike)
        node->mode = op->like.st_mode;
    if (flight->flags & O_TRUNC)
        rv_sim_node_set_bytes(&flight->files->tree, node, "", 0);
    fill_status(node, &op->opened.status);
    op->opened.fd = fd_new(flight->files, node, flight->flags & O_APPEND);
    return op->opened.fd < 0 ? refuse_path(flight, EMFILE) : 0;
}

/* As file_op.c does it: what it moves follows what it costs. */
static size_t paced(struct rv_sim_files *files, size_t len)
{
    const bool shows = len > RV_FILE_PACE_SMALL_BYTES;
    uint64_t took_ns;

    len = rv_file_pace_len(&files->pace, len);
    took_ns = (len + 4095) / 4096 * files->page_ns;
    rv_sim_advance_ns(files->runtime, took_ns);
    if (shows)
        rv_file_pace_learn(&files->pace, len, took_ns);
    if (took_ns > files->longest_ns)
        files->longest_ns = took_ns;
    return len;
}

static size_t shortened(const struct rv_sim_files *files, size_t len)
{
    if (files->max_bytes && len > files->max_bytes)
        len = files->max_bytes;
    return rv_fate()->seed && len ? 1 + (size_t)(rv_fate_random() % len) : len;
}

static int do_read(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct rv_sim_node *node = node_of(flight->files, call->fd);
    size_t len = call->offset < node->len ? node->len - (size_t)call->offset : 0;

    if (len > call->len)
        len = call->len;
    len = paced(flight->files, shortened(flight->files, len));
    if (len)
        memcpy(call->bytes, node->bytes + call->offset, len);
    flight->op->got = len;
    return 0;
}

static int do_write(struct flight *flight)
{
    struct rv_sim_files *files = flight->files;
    struct rv_file_call *call = &flight->op->call;
    struct rv_sim_node *node = node_of(files, call->fd);
    size_t len = paced(files, shortened(files, call->len));
    size_t offset = files->appends[call->fd - FIRST_FD] ? node->len : (size_t)call->offset;

    if (!files->room)
        return refuse_path(flight, ENOSPC);
    if (len > files->room)
        len = (size_t)files->room;
    files->room -= len;
    if (offset + len > node->len) {
        node->bytes = must(realloc(node->bytes, offset + len + 1));
        if (offset > node->len)
            memset(node->bytes + node->len, 0, offset - node->len);
        node->len = offset + len;
        node->bytes[node->len] = '\0';
    }
    memcpy(node->bytes + offset, call->from, len);
    node->changes = ++files->tree.clock;
    flight->op->got = len;
    return 0;
}

/* Whether `node` is `folder` or has it below it. */
static bool holds(const struct rv_sim_node *node, const struct rv_sim_node *folder)
{
    while (folder && folder != node)
        folder = folder->parent;
    return folder != NULL;
}

static int do_rename(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct rv_sim_node *folder = node_of(flight->files, call->fd);
    struct rv_sim_node *to_folder = node_of(flight->files, call->to_fd);
    struct rv_sim_node *node = rv_sim_node_child(folder, call->path, strlen(call->path));
    struct rv_sim_node *old = rv_sim_node_child(to_folder, call->to, strlen(call->to));

    if (!node)
        return refuse_path(flight, ENOENT);
    if (old && (call->flags & RENAME_NOREPLACE))
        return refuse_path(flight, EEXIST);
    if (may_change(folder) || may_change(to_folder))
        return refuse_path(flight, EACCES);
    if (old == node)
        return 0;
    if (holds(node, to_folder))
        return refuse_path(flight, EINVAL);
    if (old && S_ISDIR(old->mode) != S_ISDIR(node->mode))
        return refuse_path(flight, S_ISDIR(old->mode) ? EISDIR : ENOTDIR);
    if (old && old->first)
        return refuse_path(flight, ENOTEMPTY);
    if (old)
        rv_sim_node_orphan(old);
    rv_sim_node_orphan(node);
    snprintf(node->name, sizeof node->name, "%s", call->to);
    rv_sim_node_adopt(to_folder, node);
    return 0;
}

static int do_unlink(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct rv_sim_node *node =
        rv_sim_node_child(node_of(flight->files, call->fd), call->path, strlen(call->path));

    if (!node)
        return refuse_path(flight, ENOENT);
    if (may_change(node->parent))
        return refuse_path(flight, EACCES);
    if ((call->flags & AT_REMOVEDIR) && !S_ISDIR(node->mode))
        return refuse_path(flight, ENOTDIR);
    if (!(call->flags & AT_REMOVEDIR) && S_ISDIR(node->mode))
        return refuse_path(flight, EISDIR);
    if (node->first)
        return refuse_path(flight, ENOTEMPTY);
    rv_sim_node_orphan(node);
    return 0;
}

static int do_mkdir(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct rv_sim_node *folder = node_of(flight->files, call->fd);

    if (rv_sim_node_child(folder, call->path, strlen(call->path)))
        return refuse_path(flight, EEXIST);
    if (may_change(folder))
        return refuse_path(flight, EACCES);
    rv_sim_node_adopt(folder, rv_sim_node_new(&flight->files->tree, call->path, strlen(call->path),
                                              S_IFDIR | call->mode));
    return 0;
}

static int do_scan(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct rv_sim_node *node = node_of(flight->files, op->call.fd)->first;
    size_t i;

    for (i = 0; node && i < op->scan->position; i++)
        node = node->next;
    for (i = 0; node && i < SCAN_ENTRIES && !op->error; i++, node = node->next) {
        char type = rv_file_type(node->mode);

        op->scan->position++;
        op->got++;
        op->error = op->take(op, node->name, type, type == 'f' ? node->len : 0);
    }
    return op->error;
}

static int do_sync(struct flight *flight)
{
    node_of(flight->files, flight->op->call.fd);
    return 0;
}

static int (*const doers[RV_SIM_FILE_VERBS])(struct flight *flight) = {
    [RV_SIM_FILE_OPEN] = do_open,       [RV_SIM_FILE_PLACE] = do_place,
    [RV_SIM_FILE_RESOLVE] = do_resolve, [RV_SIM_FILE_CREATE] = do_create,
    [RV_SIM_FILE_READ] = do_read,       [RV_SIM_FILE_WRITE] = do_write,
    [RV_SIM_FILE_SYNC] = do_sync,       [RV_SIM_FILE_RENAME] = do_rename,
    [RV_SIM_FILE_UNLINK] = do_unlink,   [RV_SIM_FILE_MKDIR] = do_mkdir,
    [RV_SIM_FILE_SCAN] = do_scan,
};

static void land(struct flight *flight)
{
    flight->op->under = NULL;
    flight->files->pending--;
    rv_sim_unschedule(flight->files->runtime, &flight->event);
    free(flight);
}

static void happen(struct rv_sim_event *event)
{
    struct flight *flight = rv_container_of(event, struct flight, event);
    struct rv_file_op *op = flight->op;

    if (flight->os_errno && flight->verb == RV_SIM_FILE_RESOLVE)
        rv_path_clean("", op->path, op->canonical, RV_FILE_PATH_BYTES);
    op->error =
        flight->os_errno ? refuse_path(flight, flight->os_errno) : doers[flight->verb](flight);
    land(flight);
    op->done(op);
}

/* What weather or fate have in store for it: false if it is never to end by itself. */
static bool meet_fault(struct flight *flight)
{
    struct weather *weather = &flight->files->weather[flight->verb];
    struct rv_fate *fate = rv_fate();

    fate->file_ops++;
    if (fate->file_ops == fate->file_fault_at)
        flight->os_errno = fate->file_errno;
    else if (++weather->count == weather->fail_at)
        flight->os_errno = weather->os_errno;
    else
        return true;
    return flight->os_errno != 0;
}

static struct flight *take_off(struct rv_file_op *op, enum rv_sim_file_verb verb)
{
    struct rv_sim_files *files = rv_sim_files_of(op->root->runtime);
    struct flight *flight = must(calloc(1, sizeof *flight));
    uint64_t late_ms = rv_fate_random() % (MAX_FATE_LATENCY_MS + 1);

    op->error = 0;
    op->os_errno = 0;
    op->got = 0;
    op->under = flight;
    flight->files = files;
    flight->op = op;
    flight->verb = verb;
    files->pending++;
    rv_sim_event_init(&flight->event, happen);
    if (meet_fault(flight))
        rv_sim_schedule_ms(files->runtime, &flight->event, files->latency_ms + late_ms);
    return flight;
}

/* ---- the seam ----------------------------------------------------------------------------- */

void rv_file_op_init(struct rv_file_op *op, struct rv_root *root,
                     void (*done)(struct rv_file_op *op))
{
    memset(op, 0, sizeof *op);
    op->root = root;
    op->done = done;
    op->opened.fd = -1;
    op->place.folder_fd = -1;
}

static void nothing_opened(struct rv_file_op *op)
{
    op->opened = (struct rv_opened){.fd = -1, .problem = {.kind = "", .outside = ""}};
}

void rv_file_op_open(struct rv_file_op *op, int folder_fd, const char *path, enum rv_want want)
{
    nothing_opened(op);
    op->path = path;
    op->want = want;
    take_off(op, RV_SIM_FILE_OPEN)->folder_fd = folder_fd;
}

void rv_file_op_place(struct rv_file_op *op, char *path, bool follow)
{
    nothing_opened(op);
    memset(&op->place, 0, sizeof op->place);
    op->place.folder_fd = -1;
    op->path = path;
    op->follow = follow;
    take_off(op, RV_SIM_FILE_PLACE)->folder_fd = -1;
}

void rv_file_op_resolve(struct rv_file_op *op, char *path, bool anywhere, char *canonical)
{
    nothing_opened(op);
    op->path = path;
    op->anywhere = anywhere;
    op->canonical = canonical;
    take_off(op, RV_SIM_FILE_RESOLVE)->folder_fd = -1;
}

void rv_file_op_create(struct rv_file_op *op, int folder_fd, const char *name, int flags,
                       mode_t mode, const struct stat *like)
{
    struct flight *flight;

    nothing_opened(op);
    op->path = name;
    op->alike = like != NULL;
    if (like)
        op->like = *like;
    flight = take_off(op, RV_SIM_FILE_CREATE);
    flight->folder_fd = folder_fd;
    flight->flags = flags;
    flight->mode = mode & 0755;
}

static void call(struct rv_file_op *op, enum rv_sim_file_verb verb, struct rv_file_call asked)
{
    op->call = asked;
    take_off(op, verb)->folder_fd = asked.fd;
}

void rv_file_op_read(struct rv_file_op *op, int fd, char *bytes, size_t len, uint64_t offset)
{
    if (len > RV_FILE_OP_MAX_BYTES)
        len = RV_FILE_OP_MAX_BYTES;
    call(op, RV_SIM_FILE_READ,
         (struct rv_file_call){.fd = fd, .bytes = bytes, .len = len, .offset = offset});
}

void rv_file_op_write(struct rv_file_op *op, int fd, const char *bytes, size_t len, uint64_t offset)
{
    if (len > RV_FILE_OP_MAX_BYTES)
        len = RV_FILE_OP_MAX_BYTES;
    call(op, RV_SIM_FILE_WRITE,
         (struct rv_file_call){.fd = fd, .from = bytes, .len = len, .offset = offset});
}

void rv_file_op_sync(struct rv_file_op *op, int fd)
{
    call(op, RV_SIM_FILE_SYNC, (struct rv_file_call){.fd = fd});
}

void rv_file_op_rename(struct rv_file_op *op, int folder_fd, const char *name, int to_folder_fd,
                       const char *to_name, int flags)
{
    call(op, RV_SIM_FILE_RENAME,
         (struct rv_file_call){
             .fd = folder_fd, .path = name, .to_fd = to_folder_fd, .to = to_name, .flags = flags});
}

void rv_file_op_unlink(struct rv_file_op *op, int folder_fd, const char *name, int flags)
{
    call(op, RV_SIM_FILE_UNLINK,
         (struct rv_file_call){.fd = folder_fd, .path = name, .flags = flags});
}

void rv_file_op_mkdir(struct rv_file_op *op, int folder_fd, const char *name, mode_t mode)
{
    call(op, RV_SIM_FILE_MKDIR,
         (struct rv_file_call){.fd = folder_fd, .path = name, .mode = mode & 0755});
}

void rv_file_op_scan(struct rv_file_op *op, int fd, struct rv_file_scan *scan, rv_file_take_fn take)
{
    op->scan = scan;
    op->take = take;
    call(op, RV_SIM_FILE_SCAN, (struct rv_file_call){.fd = fd});
}

void rv_file_op_cancel(struct rv_file_op *op)
{
    if (op->under)
        land(op->under);
}

void rv_file_close(struct rv_root *root, int *fd)
{
    struct rv_sim_files *files = rv_sim_files_of(root->runtime);

    if (*fd >= 0) {
        node_of(files, *fd);
        files->fds[*fd - FIRST_FD] = NULL;
    }
    *fd = -1;
}

int rv_file_may_write(struct rv_root *root, int folder_fd, const char *name)
{
    struct rv_sim_node *folder = node_of(rv_sim_files_of(root->runtime), folder_fd);
    struct rv_sim_node *node = rv_sim_node_child(folder, name, strlen(name));

    if (!node)
        return ENOENT;
    return rv_sim_node_allows(node, W_OK) ? 0 : EACCES;
}

void rv_file_discard(struct rv_root *root, int folder_fd, const char *name)
{
    struct rv_sim_node *folder = node_of(rv_sim_files_of(root->runtime), folder_fd);
    struct rv_sim_node *node = rv_sim_node_child(folder, name, strlen(name));

    if (node)
        rv_sim_node_orphan(node);
}

bool rv_file_force_backend(struct reeve_runtime *runtime, enum rv_file_backend backend)
{
    (void)runtime;
    return backend != RV_FILE_BACKEND_URING;
}

int rv_root_new(struct reeve_runtime *runtime, const char *path, struct rv_root **ret_root)
{
    struct rv_mem *mem = rv_runtime_mem(runtime);
    struct rv_root *root = rv_zalloc(mem, sizeof *root);

    (void)path;
    if (!root)
        return REEVE_ENOMEM;
    root->runtime = runtime;
    root->mem = rv_mem_ref(mem);
    root->refs = 1;
    root->fd = -1;
    *ret_root = root;
    return 0;
}

struct rv_root *rv_root_ref(struct rv_root *root)
{
    root->refs++;
    return root;
}

void rv_root_free(struct rv_root *root)
{
    struct rv_mem *mem;

    if (!root || --root->refs)
        return;
    mem = root->mem;
    rv_free(mem, root);
    rv_mem_unref(mem);
}

bool rv_root_force_walk(struct rv_root *root, bool on)
{
    (void)root;
    return on;
}

/* ---- the world ---------------------------------------------------------------------------- */

static void free_files(void *value)
{
    struct rv_sim_files *files = value;

    assert(!files->pending);
    rv_sim_tree_done(&files->tree);
    free(files);
}

struct rv_sim_files *rv_sim_files_of(struct reeve_runtime *runtime)
{
    struct rv_sim_files *files = rv_runtime_slot(runtime, RV_SLOT_FILE);

    if (files)
        return files;
    files = must(calloc(1, sizeof *files));
    files->runtime = runtime;
    files->room = UINT64_MAX;
    rv_file_pace_init(&files->pace);
    rv_sim_tree_init(&files->tree);
    rv_runtime_slot_set(runtime, RV_SLOT_FILE, files, free_files);
    return files;
}

void rv_sim_file_latency_ms(struct rv_sim_files *files, uint64_t ms)
{
    files->latency_ms = ms;
}

void rv_sim_file_fail(struct rv_sim_files *files, enum rv_sim_file_verb verb, unsigned nth,
                      int os_errno)
{
    files->weather[verb].fail_at = files->weather[verb].count + nth;
    files->weather[verb].os_errno = os_errno;
}

void rv_sim_file_stall(struct rv_sim_files *files, enum rv_sim_file_verb verb, unsigned nth)
{
    rv_sim_file_fail(files, verb, nth, 0);
}

void rv_sim_file_shorten(struct rv_sim_files *files, size_t max_bytes)
{
    files->max_bytes = max_bytes;
}

void rv_sim_file_room(struct rv_sim_files *files, uint64_t bytes)
{
    files->room = bytes;
}

void rv_sim_file_page_cost_ns(struct rv_sim_files *files, uint64_t ns)
{
    files->page_ns = ns;
}

uint64_t rv_sim_file_longest_ns(const struct rv_sim_files *files)
{
    return files->longest_ns;
}

uint64_t rv_sim_file_count(const struct rv_sim_files *files, enum rv_sim_file_verb verb)
{
    return files->weather[verb].count;
}

size_t rv_sim_file_pending(const struct rv_sim_files *files)
{
    return files->pending;
}

size_t rv_sim_file_open(const struct rv_sim_files *files)
{
    size_t i, count = 0;

    for (i = 0; i < FDS; i++)
        count += files->fds[i] != NULL;
    return count;
}
