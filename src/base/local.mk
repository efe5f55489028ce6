# SPDX-License-Identifier: MIT
# Memory, buffer, list, heap, map, digest, utf8, error. No loop, no I/O.
noinst_LTLIBRARIES += %D%/libbase.la
%C%_libbase_la_SOURCES =
%C%_libbase_la_LIBADD = $(CRYPTO_LIBS)
