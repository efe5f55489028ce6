# SPDX-License-Identifier: MIT
# Reader, writer, canonical form. The only place that includes yajl.
noinst_LTLIBRARIES += %D%/libjson.la
%C%_libjson_la_SOURCES = \
	%D%/builder.c \
	%D%/builder.h \
	%D%/canonical.c \
	%D%/copy.c \
	%D%/copy.h \
	%D%/canonical.h \
	%D%/number.c \
	%D%/number.h \
	%D%/problem.c \
	%D%/problem.h \
	%D%/quote.c \
	%D%/quote.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/value.c \
	%D%/value.h \
	%D%/writer.c \
	%D%/writer.h
%C%_libjson_la_LIBADD = $(YAJL_LIBS)
