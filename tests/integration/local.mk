# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

#rv_test_programs += %D%/test-real-http
#%C%_test_real_http_SOURCES =
#%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS) $(EVENT_EXTRA_LIBS)

rv_test_programs += %D%/test-real-file
%C%_test_real_file_SOURCES = \
	%D%/file-list.c \
	%D%/file-read.c \
	%D%/file-world.c \
	%D%/file-world.h
%C%_test_real_file_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

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
rv_test_programs += %D%/test-real-model-server
%C%_test_real_model_server_SOURCES = %D%/model-server.c
%C%_test_real_model_server_LDADD = $(RV_TEST_LIBS) examples/server/libmodelserver.la $(RV_LIBS_BASE) \
	$(CURL_LIBS) $(EVENT_LIBS)
