/* SPDX-License-Identifier: MIT */
/* The results: lines of JSON for programs, a table for people. */
#include "bench/bench.h"

#include <math.h>

static double ratio_of(const struct bench_line *line)
{
    return line->better == BENCH_LESS ? line->peer / line->ours : line->ours / line->peer;
}

/* A promise against a peer that could not be run is not shown to hold. */
static bool holds(const struct bench_line *line)
{
    if (isnan(line->ours) || (line->peer_name && isnan(line->peer)))
        return false;
    if (isnan(line->limit))
        return true;
    return line->better == BENCH_LESS ? line->ours <= line->limit : line->ours >= line->limit;
}

static void put_text(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\":", key);
    if (!text) {
        fputs("null", out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void put_number(FILE *out, const char *key, double number)
{
    if (isfinite(number))
        fprintf(out, ",\"%s\":%.6g,", key, number);
    else
        fprintf(out, ",\"%s\":null,", key);
}

static void put_json(FILE *out, const struct bench_line *line)
{
    fputc('{', out);
    put_text(out, "name", line->name);
    fputc(',', out);
    put_text(out, "unit", line->unit);
    put_number(out, "ours", line->ours);
    fprintf(out, "\"limit\":");
    if (isfinite(line->limit))
        fprintf(out, "%.6g,", line->limit);
    else
        fputs("null,", out);
    put_text(out, "peer_name", line->peer_name);
    put_number(out, "peer", line->peer);
    if (line->peer_name && isfinite(ratio_of(line)))
        fprintf(out, "\"ratio\":%.4g,", ratio_of(line));
    else
        fputs("\"ratio\":null,", out);
    put_text(out, "claim", line->claim);
    fprintf(out, ",\"holds\":%s}\n", holds(line) ? "true" : "false");
}

static const char *verdict(const struct bench_line *line)
{
    if (line->peer_name && isnan(line->peer))
        return "PEER MISSING";
    if (isnan(line->ours))
        return "FAILED";
    if (isnan(line->limit))
        return "";
    return holds(line) ? "holds" : "DOES NOT HOLD";
}

static void put_cell(FILE *out, double number)
{
    if (isfinite(number))
        fprintf(out, " %12.5g", number);
    else
        fprintf(out, " %12s", "-");
}

static void put_table(FILE *out, const struct bench_line *line)
{
    static bool headed;
    const double ratio = line->peer_name ? ratio_of(line) : (double)NAN;

    if (!headed)
        fprintf(out, "%-24s %-16s %12s %12s %12s %7s  %-20s %s\n", "row", "unit", "ours", "limit",
                "peer", "ratio", "peer is", "verdict");
    headed = true;
    fprintf(out, "%-24s %-16s", line->name, line->unit);
    put_cell(out, line->ours);
    put_cell(out, line->limit);
    put_cell(out, line->peer);
    if (isfinite(ratio))
        fprintf(out, " %6.2fx", ratio);
    else
        fprintf(out, " %7s", "-");
    fprintf(out, "  %-20s %s\n", line->peer_name ? line->peer_name : "-", verdict(line));
}

void bench_report(const struct bench *bench, const struct bench_line *line)
{
    if (bench->json)
        put_json(bench->out, line);
    else
        put_table(bench->out, line);
    fflush(bench->out);
}

void bench_absolute(const struct bench *bench, const struct bench_row *row,
                    enum bench_better better, double ours, double limit)
{
    const struct bench_line line = {
        .name = row->name,
        .unit = row->unit,
        .claim = row->claim,
        .better = better,
        .ours = ours,
        .limit = limit,
        .peer = (double)NAN,
    };

    bench_report(bench, &line);
}

void bench_aside(const struct bench *bench, const struct bench_row *row, const char *name,
                 const char *unit, enum bench_better better, double ours)
{
    char whole[64];
    const struct bench_line line = {
        .name = whole,
        .unit = unit,
        .claim = "for information",
        .better = better,
        .ours = ours,
        .limit = (double)NAN,
        .peer = (double)NAN,
    };

    snprintf(whole, sizeof whole, "%s.%s", row->name, name);
    bench_report(bench, &line);
}
