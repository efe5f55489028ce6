# SPDX-License-Identifier: MIT
# Reader, writer, canonical form, schemas. The only place that includes yajl.
noinst_LTLIBRARIES += %D%/libjson.la
%C%_libjson_la_SOURCES = \
	%D%/builder.c \
	%D%/builder.h \
	%D%/canonical.c \
	%D%/copy.c \
	%D%/copy.h \
	%D%/canonical.h \
	%D%/equal.c \
	%D%/equal.h \
	%D%/escape.c \
	%D%/escape.h \
	%D%/number.c \
	%D%/number.h \
	%D%/problem.c \
	%D%/problem.h \
	%D%/quote.c \
	%D%/quote.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/repair.c \
	%D%/repair.h \
	%D%/schema.h \
	%D%/schema_apply.c \
	%D%/schema_array.c \
	%D%/schema_check.c \
	%D%/schema_checker.h \
	%D%/schema_compile.c \
	%D%/schema_compiler.h \
	%D%/schema_fit.c \
	%D%/schema_fit.h \
	%D%/schema_keyword.c \
	%D%/schema_node.h \
	%D%/schema_object.c \
	%D%/schema_ref.c \
	%D%/schema_rules.c \
	%D%/schema_say.c \
	%D%/schema_say.h \
	%D%/value.c \
	%D%/value.h \
	%D%/writer.c \
	%D%/writer.h
%C%_libjson_la_LIBADD = $(YAJL_LIBS)
