/* SPDX-License-Identifier: MIT */
/* Reeve: LLM agents inside your program, on your own libevent loop. This includes all of it. */
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
