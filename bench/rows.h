/* SPDX-License-Identifier: MIT */
/* The rows by name. A new row is its own file, a line here and a line in rows.c. */
#ifndef REEVE_BENCH_ROWS_H
#define REEVE_BENCH_ROWS_H

#include "bench/bench.h"

extern const struct bench_row bench_row_json_parse_small;
extern const struct bench_row bench_row_json_parse_chunk;
extern const struct bench_row bench_row_json_parse;
extern const struct bench_row bench_row_json_write_small;
extern const struct bench_row bench_row_json_write_chunk;
extern const struct bench_row bench_row_json_write;
extern const struct bench_row bench_row_schema_check;
extern const struct bench_row bench_row_sse_parse;
extern const struct bench_row bench_row_stream_delta;
extern const struct bench_row bench_row_loop_hop;
extern const struct bench_row bench_row_batch_hazards;
extern const struct bench_row bench_row_http_turn;
extern const struct bench_row bench_row_startup;
extern const struct bench_row bench_row_memory_stream;
extern const struct bench_row bench_row_loop_lag;
extern const struct bench_row bench_row_batch_noop;
extern const struct bench_row bench_row_batch_sleep;
extern const struct bench_row bench_row_batch_mixed;
extern const struct bench_row bench_row_batch_files;
extern const struct bench_row bench_row_batch_stream;
extern const struct bench_row bench_row_cache_tool_hit;
extern const struct bench_row bench_row_cache_file_hit;

#endif
