/* SPDX-License-Identifier: MIT */
/* All rows, in the order they run. */
#include "bench/rows.h"

/* One a line, so that two that come at the same time merge. */
/* clang-format off */
const struct bench_row *const bench_rows[] = {
    &bench_row_json_parse_small,
    &bench_row_json_parse_chunk,
    &bench_row_json_parse,
    &bench_row_json_write_small,
    &bench_row_json_write_chunk,
    &bench_row_json_write,
    &bench_row_schema_check,
    &bench_row_sse_parse,
    &bench_row_stream_delta,
    &bench_row_loop_hop,
    &bench_row_loop_lag,
    &bench_row_batch_noop,
    &bench_row_batch_hazards,
    &bench_row_batch_sleep,
    &bench_row_batch_mixed,
    &bench_row_batch_files,
    &bench_row_batch_stream,
    &bench_row_cache_tool_hit,
    &bench_row_cache_file_hit,
    &bench_row_http_turn,
    &bench_row_startup,
    &bench_row_memory_stream,
    NULL,
};
/* clang-format on */
