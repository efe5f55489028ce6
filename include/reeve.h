/* SPDX-License-Identifier: MIT */
/*
 * Reeve: LLM agents inside your program, on your own libevent loop. This header includes all
 * others.
 *
 * What holds everywhere:
 *
 * - A function that can fail returns 0 or a negative code (reeve/error.h). What it gives is in
 *   arguments whose names begin with "ret", and is untouched on failure.
 * - What is passed in is borrowed for the call, and copied if it is kept. What a callback is given
 *   lives for that callback.
 * - A submission that fails runs no callback. One that succeeds runs its done callback exactly
 *   once, later, from the loop.
 * - Options, tools and figures are structs that may grow at their end: each has its size in it,
 *   which its init sets.
 * - All of it belongs to the thread of its loop, but for reeve_runtime_post.
 */
#ifndef REEVE_H
#define REEVE_H

#include <reeve/agent.h>
#include <reeve/allocator.h>
#include <reeve/batch.h>
#include <reeve/error.h>
#include <reeve/json.h>
#include <reeve/message.h>
#include <reeve/metrics.h>
#include <reeve/model.h>
#include <reeve/runtime.h>
#include <reeve/tool.h>
#include <reeve/version.h>

#endif
