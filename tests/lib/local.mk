# SPDX-License-Identifier: MIT
check_LTLIBRARIES += %D%/libtest.la
%C%_libtest_la_SOURCES =
%C%_libtest_la_LIBADD = $(CRITERION_LIBS)
