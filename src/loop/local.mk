# SPDX-License-Identifier: MIT
# The runtime. libloop is the portable part (runtime, ready queue, timer heap, post); libloopsys is
# what touches the system and libevent: clocks, descriptors, wake-up. Tests put a simulated one in
# its place (tests/sim). libloopall is both in one archive, since they call each other.
noinst_LTLIBRARIES += %D%/libloop.la %D%/libloopsys.la %D%/libloopall.la
%C%_libloop_la_SOURCES = \
	%D%/clock.h \
	%D%/core.h \
	%D%/grave.c \
	%D%/post.c \
	%D%/random.c \
	%D%/ready.c \
	%D%/ready.h \
	%D%/runtime.c \
	%D%/runtime.h \
	%D%/system.h \
	%D%/timer.c \
	%D%/timer.h \
	%D%/watch.h
%C%_libloopsys_la_SOURCES = \
	%D%/system_libevent.c
%C%_libloopsys_la_LIBADD = $(EVENT_LIBS)
%C%_libloopall_la_SOURCES =
%C%_libloopall_la_LIBADD = %D%/libloop.la %D%/libloopsys.la
