# SPDX-License-Identifier: MIT
# Reader, writer, canonical form. The only place that includes yajl.
noinst_LTLIBRARIES += %D%/libjson.la
%C%_libjson_la_SOURCES =
%C%_libjson_la_LIBADD = $(YAJL_LIBS)
