# SPDX-License-Identifier: MIT
# Memory, buffer, list, heap, map, digest, utf8, error. No loop, no I/O.
noinst_LTLIBRARIES += %D%/libbase.la
%C%_libbase_la_SOURCES = \
	%D%/alloc.c \
	%D%/alloc.h \
	%D%/buffer.c \
	%D%/buffer.h \
	%D%/error.c \
	%D%/export.h \
	%D%/heap.c \
	%D%/heap.h \
	%D%/list.h
%C%_libbase_la_LIBADD = $(CRYPTO_LIBS)
