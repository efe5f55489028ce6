# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

rv_test_programs += %D%/test-real-file
%C%_test_real_file_SOURCES = \
	%D%/file-list.c \
	%D%/file-outside.c \
	%D%/file-read.c \
	%D%/file-world.c \
	%D%/file-world.h
%C%_test_real_file_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

rv_test_programs += %D%/test-real-tools
%C%_test_real_tools_SOURCES = \
	%D%/file-tools.c \
	%D%/file-world.c \
	%D%/file-world.h
%C%_test_real_tools_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_TOOL)

# reeve-agent against reeve-model-server, each a process of its own.
rv_script_tests += %D%/agent-program

rv_test_programs += %D%/test-real-http
%C%_test_real_http_SOURCES = \
	%D%/http-answers.c \
	%D%/http-world.c \
	%D%/http-world.h \
	%D%/raw-server.c \
	%D%/raw-server.h
%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_EXTRA_LIBS)
