# SPDX-License-Identifier: MIT
# Reader, writer, canonical form. The only place that includes yajl.
noinst_LTLIBRARIES += %D%/libjson.la
%C%_libjson_la_SOURCES = \
	%D%/canonical.h \
	%D%/reader.h \
	%D%/writer.h
%C%_libjson_la_LIBADD = $(YAJL_LIBS)
