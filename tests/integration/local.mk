# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

rv_test_programs += %D%/test-real-file
%C%_test_real_file_SOURCES = \
	%D%/file-backends.c \
	%D%/file-list.c \
	%D%/file-outside.c \
	%D%/file-read.c \
	%D%/file-resolve.c \
	%D%/file-ways.c \
	%D%/file-ways.h \
	%D%/file-write.c \
	%D%/file-world.c \
	%D%/file-world.h
%C%_test_real_file_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

rv_test_programs += %D%/test-real-tools
%C%_test_real_tools_SOURCES = \
	%D%/file-outside-tools.c \
	%D%/file-stream.c \
	%D%/file-tools.c \
	%D%/file-ways.c \
	%D%/file-ways.h \
	%D%/file-world.c \
	%D%/file-world.h \
	%D%/run-command.c
%C%_test_real_tools_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_TOOL) $(EVENT_LIBS)

# reeve-agent against reeve-model-server, each a process of its own.
rv_script_tests += %D%/agent-program %D%/agent-faults %D%/agent-terminal %D%/agent-editing
check_PROGRAMS += %D%/pty-talk
%C%_pty_talk_SOURCES = %D%/pty-talk.c
%C%_pty_talk_LDADD = -lutil

check_PROGRAMS += %D%/answers
%C%_answers_SOURCES = %D%/answers.c

# The examples.
rv_script_tests += %D%/batch-example %D%/fetch-example %D%/sql-example %D%/embedding-examples
EXTRA_DIST += %D%/agent-lib

rv_test_programs += %D%/test-real-http
%C%_test_real_http_SOURCES = \
	%D%/http-answers.c \
	%D%/http-cancel.c \
	%D%/http-faults.c \
	%D%/http-memory.c \
	%D%/http-names.c \
	%D%/http-send.c \
	%D%/http-tls.c \
	%D%/http-world.c \
	%D%/http-world.h \
	%D%/raw-server.c \
	%D%/raw-server.h \
	%D%/tls-server.c \
	%D%/tls-server.h
%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_EXTRA_LIBS) -lssl -lcrypto

# Against nginx and through tinyproxy, where they are installed.
rv_test_programs += %D%/test-real-nginx
%C%_test_real_nginx_SOURCES = \
	%D%/http-nginx.c \
	%D%/http-outside.c \
	%D%/http-outside.h \
	%D%/http-tinyproxy.c \
	%D%/http-world.c \
	%D%/http-world.h \
	%D%/raw-server.c \
	%D%/raw-server.h \
	%D%/tls-papers.c \
	%D%/tls-papers.h
%C%_test_real_nginx_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_EXTRA_LIBS) -lcrypto

rv_test_programs += %D%/test-real-model-server
%C%_test_real_model_server_SOURCES = %D%/model-server.c \
	%D%/model-server-formats.c %D%/model-server-process.c
%C%_test_real_model_server_LDADD = $(RV_TEST_LIBS) examples/server/libmodelserver.la $(RV_LIBS_BASE) \
	$(CURL_LIBS) $(EVENT_LIBS)

# Many agents against the server as a process.
rv_test_programs += %D%/test-real-agents
%C%_test_real_agents_SOURCES = %D%/agents-many.c
%C%_test_real_agents_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_AGENT) $(EVENT_LIBS)

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

rv_test_programs += %D%/test-real-process
%C%_test_real_process_SOURCES = \
	%D%/process-life.c \
	%D%/process-limits.c \
	%D%/process-world.c \
	%D%/process-world.h
%C%_test_real_process_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

rv_test_programs += %D%/test-real-stream
%C%_test_real_stream_SOURCES = %D%/stream-real.c
%C%_test_real_stream_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

rv_test_programs += %D%/test-real-serve
%C%_test_real_serve_SOURCES = %D%/server-real.c
%C%_test_real_serve_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO) $(EVENT_LIBS)

# Built by tests/scripts/threads.
EXTRA_DIST += %D%/threads.c
