# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

#rv_test_programs += %D%/test-real-http
#%C%_test_real_http_SOURCES =
#%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS) $(EVENT_EXTRA_LIBS)

rv_test_programs += %D%/test-real-loop
%C%_test_real_loop_SOURCES = \
	%D%/faults.c \
	%D%/faults.h \
	%D%/loop.h \
	%D%/test_loop_fair.c \
	%D%/test_loop_host.c \
	%D%/test_loop_post.c \
	%D%/test_loop_time.c
%C%_test_real_loop_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_FLOW)
