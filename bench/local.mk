# SPDX-License-Identifier: MIT
# The benchmarks: built and run by `make bench`, never by `make all`. A row is a file row_NAME.c and
# its lines in rows.h and rows.c; a peer is a program or a script in peers/.
rv_bench_programs = \
	%D%/reeve-bench \
	%D%/ours/calls \
	%D%/ours/start \
	%D%/peers/curl-streams \
	%D%/peers/curl-turn \
	%D%/peers/files-direct \
	%D%/peers/files-look \
	%D%/peers/start-curl \
	%D%/peers/yajl-direct
EXTRA_PROGRAMS += $(rv_bench_programs)

%C%_reeve_bench_SOURCES = \
	%D%/bench.h \
	%D%/check.c \
	%D%/clock.c \
	%D%/documents.h \
	%D%/main.c \
	%D%/memory.c \
	%D%/memory.h \
	%D%/play.c \
	%D%/report.c \
	%D%/row_batch.c \
	%D%/row_cache.c \
	%D%/row_delta.c \
	%D%/row_hazards.c \
	%D%/row_hop.c \
	%D%/row_http.c \
	%D%/row_json.c \
	%D%/row_lag.c \
	%D%/row_memory.c \
	%D%/row_mixed.c \
	%D%/row_schema.c \
	%D%/row_sse.c \
	%D%/row_startup.c \
	%D%/row_stream.c \
	%D%/rows.c \
	%D%/rows.h \
	%D%/server.c \
	%D%/server.h
%C%_reeve_bench_CPPFLAGS = $(AM_CPPFLAGS) \
	-DBENCH_SCRIPTS='"$(abs_top_srcdir)/%D%/peers"' \
	-DBENCH_PROGRAMS='"$(abs_top_builddir)/%D%"'
%C%_reeve_bench_LDADD = $(RV_LIBS) $(EVENT_LIBS)

# Ours where a host could be: with the library as it is installed, and without libtool's script around
# it, which takes longer to start than what is measured.
%C%_ours_calls_SOURCES = \
	%D%/bench.h \
	%D%/check.c \
	%D%/clock.c \
	%D%/ours/batch.c \
	%D%/ours/cache.c \
	%D%/ours/calls.h \
	%D%/ours/hazards.c \
	%D%/ours/main.c \
	%D%/ours/mixed.c \
	%D%/ours/stream.c \
	%D%/ours/work.c
%C%_ours_calls_LDADD = libreeve.la $(EVENT_LIBS)
%C%_ours_calls_LDFLAGS = $(AM_LDFLAGS) -no-install

%C%_ours_start_SOURCES = %D%/ours/start.c
%C%_ours_start_LDADD = libreeve.la
%C%_ours_start_LDFLAGS = $(AM_LDFLAGS) -no-install

%C%_peers_yajl_direct_SOURCES = %D%/peers/yajl-direct.c %D%/clock.c %D%/bench.h
%C%_peers_yajl_direct_LDADD = $(YAJL_LIBS)

%C%_peers_files_direct_SOURCES = %D%/peers/files-direct.c %D%/clock.c %D%/bench.h

%C%_peers_files_look_SOURCES = %D%/peers/files-look.c %D%/clock.c %D%/bench.h

# The raw loop that the peers of libcurl share.
rv_bench_curl = %D%/peers/curl-loop.c %D%/peers/curl-loop.h %D%/clock.c %D%/bench.h %D%/server.h

%C%_peers_curl_turn_SOURCES = %D%/peers/curl-turn.c $(rv_bench_curl)
%C%_peers_curl_turn_LDADD = $(CURL_LIBS) $(EVENT_LIBS)

%C%_peers_curl_streams_SOURCES = %D%/peers/curl-streams.c %D%/memory.c %D%/memory.h $(rv_bench_curl)
%C%_peers_curl_streams_LDADD = $(CURL_LIBS) $(EVENT_LIBS)

%C%_peers_start_curl_SOURCES = %D%/peers/start-curl.c
%C%_peers_start_curl_LDADD = $(CURL_LIBS)

EXTRA_DIST += \
	%D%/peers/hazards-python.py \
	%D%/peers/batch-node.mjs \
	%D%/peers/batch-python.py \
	%D%/peers/cache-python.py \
	%D%/peers/json-node.mjs \
	%D%/peers/json-python.py \
	%D%/peers/schema-python.py \
	%D%/peers/turn-aiohttp.py \
	%D%/peers/turn-httpx.py \
	%D%/peers/turn-node.mjs \
	%D%/peers/turn_texts.py

CLEANFILES += $(rv_bench_programs) %D%/results.json %D%/results.part

.PHONY: bench bench-programs
bench-programs: $(rv_bench_programs)

# The figures never fail it; a bench that dies does, and leaves no results behind.
bench: bench-programs
	rm -f %D%/results.json %D%/results.part
	%D%/reeve-bench --json > %D%/results.part
	mv %D%/results.part %D%/results.json
	cat %D%/results.json
