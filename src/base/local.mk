# SPDX-License-Identifier: MIT
# Memory, buffer, list, heap, map, digest, pattern, utf8, error. No loop, no I/O.
noinst_LTLIBRARIES += %D%/libbase.la
%C%_libbase_la_SOURCES = \
	%D%/alloc.c \
	%D%/alloc.h \
	%D%/arena.c \
	%D%/arena.h \
	%D%/buffer.c \
	%D%/buffer.h \
	%D%/digest.c \
	%D%/digest.h \
	%D%/error.c \
	%D%/export.h \
	%D%/hash.c \
	%D%/hash.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/list.h \
	%D%/lru.c \
	%D%/lru.h \
	%D%/map.c \
	%D%/map.h \
	%D%/options.h \
	%D%/pattern.c \
	%D%/pattern.h \
	%D%/pattern_names.c \
	%D%/pattern_names.h \
	%D%/utf8.c \
	%D%/utf8.h
%C%_libbase_la_LIBADD = $(CRYPTO_LIBS) $(PCRE2_LIBS)
