# SPDX-License-Identifier: MIT
# It stands on src/base alone; the programs link their layers after it.
check_LTLIBRARIES += %D%/libtest.la
%C%_libtest_la_SOURCES = \
	%D%/descriptors.c \
	%D%/descriptors.h \
	%D%/failing.c \
	%D%/failing.h \
	%D%/notes.c \
	%D%/notes.h \
	%D%/random.h \
	%D%/run.h \
	%D%/sweep.c \
	%D%/test.c \
	%D%/test.h
%C%_libtest_la_LIBADD = $(CRITERION_LIBS)
