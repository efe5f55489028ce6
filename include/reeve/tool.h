/* SPDX-License-Identifier: MIT */
/*
 * Tools and toolboxes. A tool is a named capability with a JSON Schema for its arguments and an
 * effect; a toolbox is a set of tools. A batch (reeve/batch.h) runs calls of a toolbox's tools.
 */
#ifndef REEVE_TOOL_H
#define REEVE_TOOL_H

#include <stddef.h>
#include <stdint.h>

#include <reeve/json.h>
#include <reeve/model.h>
#include <reeve/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reeve_toolbox;
struct reeve_tool_call;
struct reeve_claims;

/* What a call does to the world. Calls of an unknown effect are treated as writes of everything. */
enum reeve_effect {
    REEVE_EFFECT_UNKNOWN = 0,
    REEVE_EFFECT_READ,
    REEVE_EFFECT_WRITE,
};

/* The kind of resource that files and folders are: its keys are paths. */
#define REEVE_RESOURCE_PATH "path"

/* A thing that a call touches. */
struct reeve_claim {
    enum reeve_effect effect;
    const char *kind;
    const char *key; /* a path's is canonical: absolute, no link, no "." or ".." in it */
};

/* Another name under which a model may give a property of the arguments. */
struct reeve_alias {
    const char *alias; /* is no property itself */
    const char *name;  /* the property, which the tool's parameters name at their top */
};

struct reeve_tool {
    size_t size;             /* set by reeve_tool_init */
    const char *name;        /* 1 to 64 of A-Z a-z 0-9 _ - */
    const char *description; /* for the model; NULL: none */
    const char *parameters;  /* JSON Schema of the arguments, an object; NULL: no arguments */
    enum reeve_effect effect;

    /*
     * Start a call. Return 0 and finish it with reeve_tool_call_finish or _fail exactly once, at
     * once or later, even if the call has been cancelled or has timed out meanwhile; the handle
     * stays valid until then, also when the batch, the toolbox and the runtime are gone. Or return
     * a negative code: the call then fails with that code's text and must not be finished. Called
     * from the loop.
     */
    int (*start)(struct reeve_tool_call *call, void *arg);

    /*
     * May be NULL. Told once, if the call's result is no longer wanted (cancelled, timed out). The
     * tool should then finish soon, with whatever text; finishing inside is legal. Comes after
     * start has returned, from the loop or, at the end, from reeve_toolbox_free.
     */
    void (*cancel)(struct reeve_tool_call *call, void *arg);
    void *arg;

    /*
     * May be NULL. Say what one call touches, with reeve_claims_add, by its arguments, which are
     * parsed and valid. What is not claimed is not touched; without a claim a call touches nothing,
     * and has its order with barriers only. Return 0, or a negative code: the call then fails with
     * that code's text. It comes before the call may start, more than once perhaps; nothing may be
     * cancelled, submitted or freed in it.
     *
     * NULL: every call has the tool's effect on everything.
     */
    int (*describe)(struct reeve_tool_call *call, struct reeve_claims *claims, void *arg);

    /*
     * May be NULL. Names that models like to give instead of the right ones ("file_path" for
     * "path"). Such a member gets its right name before the arguments are checked, if it is the
     * only one for that name; what the model is told of the tool does not mention them. See
     * skip_normalization in reeve/batch.h.
     */
    const struct reeve_alias *aliases;
    size_t alias_count;

    /*
     * Not 0: what a call that reads has come to may answer an equal call later, without the tool
     * being asked again, until a call of the toolbox writes something that it has touched
     * (reeve_toolbox_set_cache). A tool without describe touches everything. Say so only of a tool
     * whose results do not change by themselves, or that can tell when they have (validate): a
     * clock reads too. [0]
     */
    int cacheable;

    /*
     * Not 0: to run a call again is as good as to run it once. One that failed and may pass on
     * another try, which reeve_tool_call_fail says, is then tried again: max_attempts in
     * reeve/batch.h. [0]
     */
    int idempotent;

    /*
     * May be NULL. Is the kept result of an equal call still right? `evidence` is what that call
     * stood on (reeve_tool_call_set_evidence); without any no result is kept. Answer with
     * reeve_tool_call_validated exactly once, at once or later, as start is answered with finish;
     * the handle stays valid until then, whatever happens meanwhile, and cancel tells when nobody
     * wants to know any more. `evidence` lives for this call of the function. A call has no permit
     * yet when it comes here, so that it should be cheap.
     */
    void (*validate)(struct reeve_tool_call *call, const void *evidence, size_t len, void *arg);

    /*
     * Instead of `start`, which is NULL then: start many calls at once. It is given the calls of
     * this tool that are to start in the same turn of the loop, in the order of the calls, as many
     * as have permits and no more than most_at_once. Return 0 and finish each of them once, or a
     * negative code: all of them then fail with that code's text and none must be finished. `calls`
     * lives for this call of the function.
     */
    int (*start_many)(struct reeve_tool_call *const *calls, size_t count, void *arg);
    size_t most_at_once; /* with start_many, and never more than 256; 0: as many as there are */
};

/*
 * In a tool's describe: the call touches a resource. It must not overtake an earlier call, nor be
 * overtaken by a later one, that touches the same if one of the two writes it (reeve/batch.h).
 *
 * A path is absolute or relative to the working folder, and covers all that is below it, whether it
 * exists or not; however it is written, and through whatever links, it is the same. Keys of any
 * other kind ("url", "db", …) are the same if they have the same bytes. A claim of an unknown
 * effect touches everything.
 *
 * Kind and key are copied. Returns 0; REEVE_EINVAL (no such effect, an empty kind or key, a kind of
 * more than 64 bytes); REEVE_ETOOBIG (a key of 4096 bytes or more, more than 1024 claims);
 * REEVE_ENOMEM. If it fails, so will the call, as it does if a path cannot be looked up later on.
 */
int reeve_claims_add(struct reeve_claims *claims, enum reeve_effect effect, const char *kind,
                     const char *key);

/* Make an empty tool: no name, no function, an unknown effect. */
#define reeve_tool_init(t) reeve_tool_init_size((t), sizeof *(t))
void reeve_tool_init_size(struct reeve_tool *tool, size_t size);

/* An empty toolbox. Returns 0, REEVE_EINVAL, REEVE_ECLOSING or REEVE_ENOMEM. */
int reeve_toolbox_new(struct reeve_runtime *runtime, struct reeve_toolbox **ret_toolbox);

/*
 * Free a toolbox. Its batches are cancelled first; their callbacks run before this returns. NULL is
 * allowed, and so is a callback of one of these batches as the place to do it.
 */
void reeve_toolbox_free(struct reeve_toolbox *toolbox);

/*
 * Add a tool. Everything in it is copied, `arg` as a pointer: what it points at must live until the
 * last call of the tool is finished.
 * The parameters are compiled; calls whose arguments do not fit them are answered with what is
 * wrong (REEVE_CALL_INVALID), and never reach the tool. Known is what draft 2020-12 of JSON Schema
 * says of types, values, numbers, strings, arrays, objects and alternatives, and $ref inside the
 * document; "pattern" only if Reeve was built with PCRE2. Other keywords are taken for annotations.
 *
 * Returns 0; REEVE_EINVAL (a bad name, no start function, parameters that are no JSON object or no
 * JSON Schema, an alias of no property); REEVE_EEXIST; REEVE_ECLOSING (the toolbox is being freed);
 * REEVE_ENOMEM. reeve_toolbox_problem says more.
 */
int reeve_toolbox_add(struct reeve_toolbox *toolbox, const struct reeve_tool *tool);

/*
 * Add the file tools, all confined to the folder `root`: no path, no link and no race leads out.
 *
 * - read_file(path, offset [0], limit [all]) gives the file's text; offset and limit are in bytes.
 *   A file that is longer than the result may be keeps its head and its tail; a host can hear all
 *   of it (stream_whole in reeve/batch.h). One that has NUL bytes there is refused.
 * - list_directory(path [.], recursive [false]) gives one entry a line, sorted by bytes; folders
 *   end in "/", regular files are followed by a tab and their size in bytes.
 * - write_file(path, content) writes a whole file, which appears or replaces the old one at once,
 *   with the old one's permissions; folders of the path that are missing are made.
 * - edit_file(path, old_text, new_text, replace_all [false]) replaces a text that must stand in the
 *   file once, or every occurrence of it. The file may have up to 8 MiB and must be UTF-8 without
 *   NUL bytes. It is written like the above, and not at all if somebody has changed it meanwhile.
 * - find_files(pattern, path [.], limit [1000]) gives the paths below a folder that match a glob,
 *   each folder's names sorted by bytes and what is below a folder behind it. "**" stands for any
 *   number of folders; links are not followed, and .git is found only by its name.
 * - search_files(pattern, path [.], glob [all], ignore_case [false], context [0], limit [200],
 *   include_binary [false], respect_gitignore [true]) gives the lines of a file, or of the files
 *   below a folder, that match a regular expression: path:line: text. What a line may cost is
 *   bounded, and only its first 8192 bytes are searched. If Reeve was built without PCRE2 this tool
 *   is switched off, and answers so if it is switched on.
 *
 * Returns 0; REEVE_ENOTFOUND, REEVE_ENOTDIR, REEVE_EACCESS, REEVE_ESYSTEM (the root);
 * REEVE_EEXIST; REEVE_ENOMEM.
 */
int reeve_toolbox_add_files(struct reeve_toolbox *toolbox, const char *root);

/* How commands run. 0 stands for no limit of its own, unless another meaning is given. */
struct reeve_command_options {
    size_t size;           /* set by reeve_command_options_init */
    uint32_t timeout_ms;   /* a command is stopped after so long; 0: by the batch's time alone */
    uint32_t grace_ms;     /* from asking its processes to end to killing them [2000] */
    uint64_t cpu_s;        /* of CPU time, each process */
    uint64_t memory_bytes; /* of address space, each process */
    uint64_t file_bytes;   /* of each file that is written */
    uint64_t output_bytes; /* a command that writes more is stopped [64 MiB] */
    uint32_t open_files;
    uint32_t processes; /* of the user in all, as the kernel counts them */
    /*
     * "NAME=value", NULL at the end, copied: all that a command's environment has. NULL: what the
     * host has of PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, LC_CTYPE, TZ and TMPDIR when
     * reeve_toolbox_add_command is called, and TERM=dumb. Nothing else is inherited, keys least of
     * all.
     */
    const char *const *environment;
    /*
     * A program that confines what it runs, and its arguments, NULL at the end, copied: it is given
     * the shell and the command as further arguments, "/bin/sh", "-c", "--", COMMAND, and runs in
     * the root folder, in the above environment and under the above limits. NULL: none. With
     * bubblewrap, for example, a command that sees the system but writes only below /srv/data and
     * has neither network nor other processes:
     *
     *   "bwrap", "--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--dev", "/dev",
     *   "--proc", "/proc", "--tmpfs", "/tmp", "--bind", "/srv/data", "/srv/data",
     *   "--chdir", "/srv/data", "--"
     *
     * Without a slash in its name it is looked for in the PATH of `environment`. One that cannot be
     * started makes the calls fail: nothing is ever run without it.
     */
    const char *const *sandbox;
};

/* Fill `options` with the defaults, which stand in brackets above. */
#define reeve_command_options_init(o) reeve_command_options_init_size((o), sizeof *(o))
void reeve_command_options_init_size(struct reeve_command_options *options, size_t size);

/*
 * Add run_command(command, timeout_ms [options->timeout_ms, which it can only shorten]): a command
 * for /bin/sh -c, in the folder `root`. It may do whatever the host's user may, outside that folder
 * too, unless a sandbox confines it; so have a batch ask (reeve/batch.h). Its effect is unknown: it
 * waits for all earlier calls, and all later ones wait for it.
 *
 * It reads from /dev/null and runs in a process group of its own, which is killed when the call is
 * cancelled or over its time. What it writes, stdout and stderr as one, is given as it comes
 * (reeve_tool_call_write); the last line of the result says how it ended, and the call has failed
 * if that is not exit status 0.
 *
 * `options` may be NULL. Returns as reeve_toolbox_add_files; REEVE_EINVAL: options that were not
 * initialised, a variable without a name or a "=", a sandbox without a name.
 */
int reeve_toolbox_add_command(struct reeve_toolbox *toolbox, const char *root,
                              const struct reeve_command_options *options);

/*
 * Switch a tool off or on. A tool that is off is not offered to models, and calls of it fail, those
 * included that have been submitted but not yet started. Returns 0 or REEVE_ENOTFOUND.
 */
int reeve_toolbox_enable(struct reeve_toolbox *toolbox, const char *name, int on);

/* How much of earlier results is kept. */
struct reeve_tool_cache_options {
    size_t size;      /* set by reeve_tool_cache_options_init */
    size_t max_size;  /* results; 0: none is kept; [1000] */
    size_t max_bytes; /* of results and what belongs to them; [16 MiB] */
    uint64_t ttl_ms;  /* how long each is good; 0: as long as nothing is written; [0] */
};

/* Fill `options` with the defaults, which stand in brackets above. */
#define reeve_tool_cache_options_init(o) reeve_tool_cache_options_init_size((o), sizeof *(o))
void reeve_tool_cache_options_init_size(struct reeve_tool_cache_options *options, size_t size);

/*
 * Set what the toolbox keeps of results that reading calls of `cacheable` tools have come to; what
 * it has kept so far is dropped. Without this it keeps by the defaults.
 *
 * A result answers a call of the same tool with equal arguments (whatever their order and spelling)
 * in a batch of the same cache_scope and max_output_bytes (reeve/batch.h). Such a call is permitted
 * and takes its place in the order like one that runs; then it has the result, without a permit.
 * Kept are results of calls that succeeded and have read only, unless something that they touch was
 * written between their start and their end. A call that is not a read writes what it touches when
 * it starts and when its tool has finished it, however it ends and however late; one of an unknown
 * effect, or without describe, writes everything. Resources are compared as in the order of calls:
 * a folder covers what is below it, and paths are canonical. The least recently used go first.
 *
 * read_file keeps its results with the identity of the file (device, inode, size, both times), so
 * that a change from outside is seen. The other tools of reeve_toolbox_add_files cannot tell, and
 * are asked every time.
 *
 * `options` may be NULL: the defaults. Returns 0 or REEVE_EINVAL (not initialised).
 */
int reeve_toolbox_set_cache(struct reeve_toolbox *toolbox,
                            const struct reeve_tool_cache_options *options);

/* Drop what is kept, since something has changed that no call has told of. What runs now is not
 * kept either. */
void reeve_toolbox_clear_cache(struct reeve_toolbox *toolbox);

/* Figures of what is kept. */
struct reeve_tool_cache_stats {
    size_t size;        /* set by the caller: sizeof the struct */
    uint64_t entries;   /* that are there, */
    uint64_t bytes;     /* and what they take */
    uint64_t hits;      /* calls that were answered by one */
    uint64_t misses;    /* calls that might have been, and ran */
    uint64_t stores;    /* results that were taken in */
    uint64_t overtaken; /* results that were not: something they touch was written meanwhile */
    uint64_t stale;     /* dropped when looked for: something was written, or validate said no */
    uint64_t expired;   /* dropped when looked for: ttl_ms */
    uint64_t evicted;   /* dropped for room */
};

/* Fill *ret. Returns 0 or REEVE_EINVAL (its size is not set). */
int reeve_toolbox_cache_stats(const struct reeve_toolbox *toolbox,
                              struct reeve_tool_cache_stats *ret);

/* Why the last reeve_toolbox_add… failed: one sentence, never NULL, valid until the next one. */
const char *reeve_toolbox_problem(const struct reeve_toolbox *toolbox);

/*
 * The tools that are on, in the order they were added, for reeve_completion_options. Valid until
 * the toolbox changes.
 */
const struct reeve_tool_definition *reeve_toolbox_definitions(const struct reeve_toolbox *toolbox,
                                                              size_t *ret_count);

/* Figures of one tool, or of all, over all batches that the toolbox has run. */
struct reeve_tool_stats {
    size_t size;    /* set by the caller: sizeof the struct */
    uint64_t calls; /* = succeeded + failed + canceled + refused + cached + shared */
    uint64_t succeeded, failed, canceled, refused;
    uint64_t time_us; /* of the calls, from start to result */
    uint64_t longest_us;
    uint64_t normalized; /* calls whose arguments were put right, whatever became of them */
    uint64_t cached;     /* calls that were answered by an earlier one's result, */
    uint64_t shared;     /* and by that of an equal one that ran at the time, whatever it was */
    uint64_t retries;    /* times that a call was tried again */
};

/*
 * Fill *ret for the tool of that name; NULL: for all, with the calls of tools that do not exist,
 * which have failed. A call counts once it has its result. Returns 0, REEVE_ENOTFOUND, or
 * REEVE_EINVAL (the size is not set).
 */
int reeve_toolbox_stats(const struct reeve_toolbox *toolbox, const char *name,
                        struct reeve_tool_stats *ret);

/* A running call, from its start function to its finish. What these give lives as long. */
const char *reeve_tool_call_id(const struct reeve_tool_call *call);
const char *reeve_tool_call_name(const struct reeve_tool_call *call);

/* The parsed arguments: always an object. A model that wrote nothing at all meant an empty one. */
const struct reeve_json *reeve_tool_call_arguments(const struct reeve_tool_call *call);

/* A member of the arguments that is a string; NULL if it is missing or of another type. */
const char *reeve_tool_call_arg_string(const struct reeve_tool_call *call, const char *key);

/* What the call touches, as its tool has claimed; none if the tool has no describe. */
const struct reeve_claim *reeve_tool_call_claims(const struct reeve_tool_call *call,
                                                 size_t *ret_count);

/* What this call does to the world: the strongest of its claims, unknown before write before read
 * (and read if there is none); its tool's effect if that has no describe. */
enum reeve_effect reeve_tool_call_effect(const struct reeve_tool_call *call);

/* The context pointer of the call's batch. */
void *reeve_tool_call_context(const struct reeve_tool_call *call);

/*
 * A pointer of the tool's own, for what it keeps of a call from its start to its cancel and finish.
 * NULL until it is set. The library does nothing with it; what it points at is the tool's to free,
 * before it finishes the call.
 */
void reeve_tool_call_set_data(struct reeve_tool_call *call, void *data);
void *reeve_tool_call_data(const struct reeve_tool_call *call);

/*
 * While a call of a cacheable tool runs: what its result stands on, at most REEVE_TOOL_EVIDENCE_MAX
 * bytes, copied. It is kept with the result, for the tool's validate; the last one counts. Returns
 * 0, REEVE_ETOOBIG or REEVE_ENOMEM, after which the result is not kept.
 */
#define REEVE_TOOL_EVIDENCE_MAX 256
int reeve_tool_call_set_evidence(struct reeve_tool_call *call, const void *bytes, size_t len);

/* The answer to a tool's validate. 0: the kept result is not right any more, and the call runs. */
void reeve_tool_call_validated(struct reeve_tool_call *call, int still_right);

/* How many bytes of a result will be kept, so that a tool need not make more. */
size_t reeve_tool_call_max_output_bytes(const struct reeve_tool_call *call);

/*
 * Give bytes of the result as they come. The batch's on_output gets them from the loop, later and
 * put together, and the result begins with them: what finish or fail say comes behind. The cap
 * holds for all of it, and so much is kept in memory. Pieces may be cut anywhere, inside a
 * character too. Nothing happens once the call has its result (it timed out or was cancelled),
 * which then begins with what was written before. Not after finish or fail, which is asserted
 * against.
 */
void reeve_tool_call_write(struct reeve_tool_call *call, const char *bytes, size_t len);

/*
 * Finish a call well, with its result, or badly, with a text that the model can act on. The bytes
 * are copied; invalid UTF-8 is replaced by U+FFFD; what is over the cap loses its middle to a
 * marker that says how many bytes are gone. The handle is gone afterwards. Finishing twice is
 * asserted against while the batch lives. After a cancel or a time-out what is said here changes
 * nothing, but that the call is over.
 *
 * `retryable`: the same call may pass on another try, as after a fault of the network, and not, for
 * example, with a path that does not exist. If its tool is idempotent the call is then started
 * again, after a while, with a handle that is new (its data is NULL), unless it has been tried
 * often enough (max_attempts in reeve/batch.h).
 */
void reeve_tool_call_finish(struct reeve_tool_call *call, const char *text, size_t len);
void reeve_tool_call_fail(struct reeve_tool_call *call, int retryable, const char *text,
                          size_t len);

#ifdef __cplusplus
}
#endif
#endif
