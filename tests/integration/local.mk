# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

rv_test_programs += %D%/test-real-http
%C%_test_real_http_SOURCES = \
	%D%/http-answers.c \
	%D%/http-world.c \
	%D%/http-world.h \
	%D%/raw-server.c \
	%D%/raw-server.h
%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_EXTRA_LIBS)
