/* SPDX-License-Identifier: MIT */
/* Files in memory. See file.h. A node lives as long as the tree, so that what is open may be
 * removed.
 */
#include "tests/sim/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "io/file_op.h"
#include "io/path.h"
#include "loop/runtime.h"
#include "tests/sim/sim.h"

#include <reeve/error.h>

enum {
    FDS = 1024,
    FIRST_FD = 1000000, /* no descriptor of the system's */
    MAX_LINKS = 40,
    SCAN_ENTRIES = 64,
};

struct node {
    struct node *all;
    struct node *parent; /* NULL: the top, or removed */
    struct node *first;
    struct node *next;
    char name[256];
    mode_t mode;
    char *bytes; /* of a file or a link, NUL-terminated */
    size_t len;
    uint64_t inode;
    uint64_t changes;
};

struct weather {
    uint64_t count;
    uint64_t fail_at;
    int os_errno; /* 0: it stalls */
};

struct rv_sim_files {
    struct reeve_runtime *runtime;
    struct node *all;
    struct node *top;
    uint64_t inodes;
    uint64_t clock;
    struct node *fds[FDS];
    bool appends[FDS];
    struct weather weather[RV_SIM_FILE_VERBS];
    uint64_t latency_ms;
    size_t max_bytes;
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

/* ---- the tree ----------------------------------------------------------------------------- */

static struct node *node_new(struct rv_sim_files *files, const char *name, size_t len, mode_t mode)
{
    struct node *node = must(calloc(1, sizeof *node));

    assert(len < sizeof node->name);
    memcpy(node->name, name, len);
    node->mode = mode;
    node->inode = ++files->inodes;
    node->changes = ++files->clock;
    node->all = files->all;
    files->all = node;
    return node;
}

static void adopt(struct node *folder, struct node *node)
{
    struct node **at = &folder->first;

    while (*at)
        at = &(*at)->next;
    *at = node;
    node->next = NULL;
    node->parent = folder;
}

static void orphan(struct node *node)
{
    struct node **at = &node->parent->first;

    while (*at != node)
        at = &(*at)->next;
    *at = node->next;
    node->parent = NULL;
}

static struct node *child_of(const struct node *folder, const char *name, size_t len)
{
    struct node *node;

    for (node = folder->first; node; node = node->next) {
        if (strlen(node->name) == len && !memcmp(node->name, name, len))
            return node;
    }
    return NULL;
}

static void set_bytes(struct rv_sim_files *files, struct node *node, const void *bytes, size_t len)
{
    node->bytes = must(realloc(node->bytes, len + 1));
    if (len)
        memcpy(node->bytes, bytes, len);
    node->bytes[len] = '\0';
    node->len = len;
    node->changes = ++files->clock;
}

struct walk {
    struct node *folder; /* where the last name stands */
    struct node *node;   /* NULL: nothing of that name */
    char name[256];
    int links;
};

/* An errno; ENOENT also for a missing last name, with the folder and the name told. */
static int walk_to(struct rv_sim_files *files, struct node *from, const char *path, bool follow,
                   struct walk *walk)
{
    struct rv_path_part part;
    size_t position = 0;
    int error;

    walk->folder = from;
    walk->node = from;
    if (path[0] == '/')
        return EXDEV;
    while (rv_path_next(path, &position, &part)) {
        if (!walk->node)
            return walk->folder = NULL, ENOENT;
        if (!S_ISDIR(walk->node->mode))
            return ENOTDIR;
        if (rv_path_part_is(&part, "."))
            continue;
        if (rv_path_part_is(&part, "..")) {
            if (walk->node == files->top)
                return EXDEV;
            walk->node = walk->node->parent;
            continue;
        }
        if (part.len >= sizeof walk->name)
            return ENAMETOOLONG;
        memcpy(walk->name, part.name, part.len);
        walk->name[part.len] = '\0';
        walk->folder = walk->node;
        walk->node = child_of(walk->folder, part.name, part.len);
        if (walk->node && S_ISLNK(walk->node->mode) && (!part.last || part.slash_ends || follow)) {
            if (++walk->links > MAX_LINKS)
                return ELOOP;
            error = walk_to(files, walk->folder, walk->node->bytes, true, walk);
            if (error && (error != ENOENT || !part.last))
                return error;
        }
        if (walk->node && part.slash_ends && !S_ISDIR(walk->node->mode))
            return ENOTDIR;
    }
    return walk->node ? 0 : ENOENT;
}

static struct node *make(struct rv_sim_files *files, const char *path, mode_t mode)
{
    struct node *folder = files->top, *node;
    struct rv_path_part part;
    size_t position = 0;

    while (rv_path_next(path, &position, &part)) {
        node = child_of(folder, part.name, part.len);
        if (!node) {
            node = node_new(files, part.name, part.len, part.last ? mode : S_IFDIR | 0755);
            adopt(folder, node);
        }
        folder = node;
    }
    return folder;
}

void rv_sim_file_put(struct rv_sim_files *files, const char *path, const void *bytes, size_t len)
{
    set_bytes(files, make(files, path, S_IFREG | 0644), bytes, len);
}

void rv_sim_file_folder(struct rv_sim_files *files, const char *path)
{
    make(files, path, S_IFDIR | 0755);
}

void rv_sim_file_link(struct rv_sim_files *files, const char *path, const char *target)
{
    set_bytes(files, make(files, path, S_IFLNK | 0777), target, strlen(target));
}

void rv_sim_file_fifo(struct rv_sim_files *files, const char *path)
{
    make(files, path, S_IFIFO | 0644);
}

const char *rv_sim_file_text(struct rv_sim_files *files, const char *path, size_t *ret_len)
{
    struct walk walk = {0};

    if (walk_to(files, files->top, path, true, &walk) != 0 || !S_ISREG(walk.node->mode))
        return NULL;
    if (ret_len)
        *ret_len = walk.node->len;
    return walk.node->bytes ? walk.node->bytes : "";
}

size_t rv_sim_file_entries(struct rv_sim_files *files, const char *path)
{
    struct walk walk = {0};
    struct node *node;
    size_t count = 0;

    if (walk_to(files, files->top, path, true, &walk) != 0 || !S_ISDIR(walk.node->mode))
        return SIZE_MAX;
    for (node = walk.node->first; node; node = node->next)
        count++;
    return count;
}

/* ---- descriptors -------------------------------------------------------------------------- */

static int fd_new(struct rv_sim_files *files, struct node *node, bool appends)
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

static struct node *node_of(struct rv_sim_files *files, int fd)
{
    struct node *node = fd < 0 ? files->top : files->fds[fd - FIRST_FD];

    assert(node && "a descriptor that is not open");
    return node;
}

static void fill_status(const struct node *node, struct stat *status)
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
    struct walk walk;

    while ((len = rv_path_parent_len(path, len)) && len < sizeof parent) {
        memcpy(parent, path, len);
        parent[len] = '\0';
        walk = (struct walk){0};
        if (walk_to(files, files->top, parent, true, &walk) == 0)
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
    struct walk walk = {0};
    int error = walk_to(flight->files, node_of(flight->files, flight->folder_fd), op->path,
                        op->want != RV_WANT_FOLDER_SANS_LINK, &walk);

    if (error)
        return refuse_path(flight, error);
    fill_status(walk.node, &op->opened.status);
    if (!rv_want_is(op->want, walk.node->mode))
        return rv_want_error(op->want, walk.node->mode, &op->opened.problem);
    if (op->want == RV_WANT_LOOK)
        return 0;
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
    struct walk walk = {0};
    int error;

    if ((last_len == 1 && last[0] == '.') || (last_len == 2 && !memcmp(last, "..", 2))) {
        op->opened.problem.kind = rv_file_kind(S_IFDIR);
        return REEVE_ENOTFILE;
    }
    place->is_folder = op->path[len - 1] == '/';
    error = walk_to(flight->files, flight->files->top, op->path, op->follow, &walk);
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

static int do_create(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct node *folder = node_of(flight->files, flight->folder_fd);
    struct node *node = child_of(folder, op->path, strlen(op->path));

    if (node && (flight->flags & O_EXCL))
        return refuse_path(flight, EEXIST);
    if (node && !S_ISREG(node->mode))
        return rv_want_error(RV_WANT_FILE, node->mode, &op->opened.problem);
    if (!node) {
        node = node_new(flight->files, op->path, strlen(op->path), S_IFREG | flight->mode);
        adopt(folder, node);
    }
    if (op->alike)
        node->mode = op->like.st_mode;
    if (flight->flags & O_TRUNC)
        set_bytes(flight->files, node, "", 0);
    fill_status(node, &op->opened.status);
    op->opened.fd = fd_new(flight->files, node, flight->flags & O_APPEND);
    return op->opened.fd < 0 ? refuse_path(flight, EMFILE) : 0;
}

static size_t shortened(const struct rv_sim_files *files, size_t len)
{
    return files->max_bytes && len > files->max_bytes ? files->max_bytes : len;
}

static int do_read(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct node *node = node_of(flight->files, call->fd);
    size_t len = call->offset < node->len ? node->len - (size_t)call->offset : 0;

    if (len > call->len)
        len = call->len;
    len = shortened(flight->files, len);
    if (len)
        memcpy(call->bytes, node->bytes + call->offset, len);
    flight->op->got = len;
    return 0;
}

static int do_write(struct flight *flight)
{
    struct rv_sim_files *files = flight->files;
    struct rv_file_call *call = &flight->op->call;
    struct node *node = node_of(files, call->fd);
    size_t len = shortened(files, call->len);
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
    node->changes = ++files->clock;
    flight->op->got = len;
    return 0;
}

/* Whether `node` is `folder` or has it below it. */
static bool holds(const struct node *node, const struct node *folder)
{
    while (folder && folder != node)
        folder = folder->parent;
    return folder != NULL;
}

static int do_rename(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct node *folder = node_of(flight->files, call->fd);
    struct node *to_folder = node_of(flight->files, call->to_fd);
    struct node *node = child_of(folder, call->path, strlen(call->path));
    struct node *old = child_of(to_folder, call->to, strlen(call->to));

    if (!node)
        return refuse_path(flight, ENOENT);
    if (old && (call->flags & RENAME_NOREPLACE))
        return refuse_path(flight, EEXIST);
    if (old == node)
        return 0;
    if (holds(node, to_folder))
        return refuse_path(flight, EINVAL);
    if (old && S_ISDIR(old->mode) != S_ISDIR(node->mode))
        return refuse_path(flight, S_ISDIR(old->mode) ? EISDIR : ENOTDIR);
    if (old && old->first)
        return refuse_path(flight, ENOTEMPTY);
    if (old)
        orphan(old);
    orphan(node);
    snprintf(node->name, sizeof node->name, "%s", call->to);
    adopt(to_folder, node);
    return 0;
}

static int do_unlink(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct node *node = child_of(node_of(flight->files, call->fd), call->path, strlen(call->path));

    if (!node)
        return refuse_path(flight, ENOENT);
    if ((call->flags & AT_REMOVEDIR) && !S_ISDIR(node->mode))
        return refuse_path(flight, ENOTDIR);
    if (!(call->flags & AT_REMOVEDIR) && S_ISDIR(node->mode))
        return refuse_path(flight, EISDIR);
    if (node->first)
        return refuse_path(flight, ENOTEMPTY);
    orphan(node);
    return 0;
}

static int do_mkdir(struct flight *flight)
{
    struct rv_file_call *call = &flight->op->call;
    struct node *folder = node_of(flight->files, call->fd);

    if (child_of(folder, call->path, strlen(call->path)))
        return refuse_path(flight, EEXIST);
    adopt(folder, node_new(flight->files, call->path, strlen(call->path), S_IFDIR | call->mode));
    return 0;
}

static int do_scan(struct flight *flight)
{
    struct rv_file_op *op = flight->op;
    struct node *node = node_of(flight->files, op->call.fd)->first;
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
    [RV_SIM_FILE_OPEN] = do_open,     [RV_SIM_FILE_PLACE] = do_place,
    [RV_SIM_FILE_CREATE] = do_create, [RV_SIM_FILE_READ] = do_read,
    [RV_SIM_FILE_WRITE] = do_write,   [RV_SIM_FILE_SYNC] = do_sync,
    [RV_SIM_FILE_RENAME] = do_rename, [RV_SIM_FILE_UNLINK] = do_unlink,
    [RV_SIM_FILE_MKDIR] = do_mkdir,   [RV_SIM_FILE_SCAN] = do_scan,
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

    op->error =
        flight->os_errno ? refuse_path(flight, flight->os_errno) : doers[flight->verb](flight);
    land(flight);
    op->done(op);
}

static struct flight *take_off(struct rv_file_op *op, enum rv_sim_file_verb verb)
{
    struct rv_sim_files *files = rv_sim_files_of(op->root->runtime);
    struct weather *weather = &files->weather[verb];
    struct flight *flight = must(calloc(1, sizeof *flight));

    op->error = 0;
    op->os_errno = 0;
    op->got = 0;
    op->under = flight;
    flight->files = files;
    flight->op = op;
    flight->verb = verb;
    files->pending++;
    rv_sim_event_init(&flight->event, happen);
    if (++weather->count == weather->fail_at) {
        flight->os_errno = weather->os_errno;
        if (!flight->os_errno)
            return flight;
    }
    rv_sim_schedule_ms(files->runtime, &flight->event, files->latency_ms);
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
    struct node *folder = node_of(rv_sim_files_of(root->runtime), folder_fd);
    struct node *node = child_of(folder, name, strlen(name));

    return node && (node->mode & 0200) ? 0 : EACCES;
}

void rv_file_discard(struct rv_root *root, int folder_fd, const char *name)
{
    struct node *folder = node_of(rv_sim_files_of(root->runtime), folder_fd);
    struct node *node = child_of(folder, name, strlen(name));

    if (node)
        orphan(node);
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
    struct node *node;

    assert(!files->pending);
    while ((node = files->all)) {
        files->all = node->all;
        free(node->bytes);
        free(node);
    }
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
    files->top = node_new(files, "", 0, S_IFDIR | 0755);
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
