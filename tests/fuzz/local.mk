# SPDX-License-Identifier: MIT
# Fuzz targets, under libFuzzer (make fuzz: clang, in a folder of its own) and, with any compiler, over
# their corpora (the test program replay). A new target is its function, its line in the list of
# fuzz.c and its folder in corpus/.
rv_fuzz_sources = \
	%D%/completion.c \
	%D%/fuzz.c \
	%D%/fuzz.h \
	%D%/http-parts.c \
	%D%/json.c \
	%D%/repair.c \
	%D%/response.c \
	%D%/schema.c \
	%D%/sse.c
rv_fuzz_libs = src/model/libmodel.la src/chat/libchat.la $(RV_SIM_IO)

rv_test_programs += %D%/replay
%C%_replay_SOURCES = $(rv_fuzz_sources) %D%/replay.c
%C%_replay_LDADD = $(rv_fuzz_libs)

EXTRA_PROGRAMS += %D%/fuzz
%C%_fuzz_SOURCES = $(rv_fuzz_sources) %D%/engine.c
%C%_fuzz_LDADD = $(rv_fuzz_libs)
%C%_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_DIST += %D%/run %D%/corpus %D%/dictionaries
CLEANFILES += $(EXTRA_PROGRAMS)
