# SPDX-License-Identifier: MIT
# One program per folder of src, linked with that folder and those below it. A test file is one more
# name in SOURCES: tests/unit/FOLDER-NOUN.c.

rv_test_programs += %D%/test-base
%C%_test_base_SOURCES = \
	%D%/base-arena.c \
	%D%/base-digest.c \
	%D%/base-heap.c \
	%D%/base-lru.c \
	%D%/base-map.c \
	%D%/base-pattern.c \
	%D%/base-utf8.c
%C%_test_base_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_BASE)

# What an example leans on.
rv_test_programs += %D%/test-examples
%C%_test_examples_SOURCES = %D%/examples-address.c examples/address.c examples/address.h
%C%_test_examples_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/examples
%C%_test_examples_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_BASE)

# What reeve-agent shows, takes and counts, without a terminal.
rv_test_programs += %D%/test-agent
%C%_test_agent_SOURCES = \
	%D%/agent-text.c \
	examples/agent/keys.c \
	examples/agent/redact.c \
	examples/agent/tally.c \
	examples/agent/visible.c
%C%_test_agent_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/examples
%C%_test_agent_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_BASE)

# Without Criterion, which brings a libcrypto that is in use already.
rv_test_programs += %D%/test-digest-memory
%C%_test_digest_memory_SOURCES = %D%/digest-memory.c
%C%_test_digest_memory_LDADD = $(RV_LIBS_BASE)

rv_test_programs += %D%/test-json
%C%_test_json_SOURCES = \
	%D%/json-broken.c \
	%D%/json-canonical.c \
	%D%/json-copy.c \
	%D%/json-equal.c \
	%D%/json-number.c \
	%D%/json-reader.c \
	%D%/json-schema.c \
	%D%/json-schema-suite.c \
	%D%/json-writer.c
%C%_test_json_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_JSON)

rv_test_programs += %D%/test-metrics
%C%_test_metrics_SOURCES = %D%/metrics-counter.c
%C%_test_metrics_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_LOOP)

rv_test_programs += %D%/test-flow
%C%_test_flow_SOURCES = %D%/flow-backoff.c
%C%_test_flow_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_FLOW)

rv_test_programs += %D%/test-io
%C%_test_io_SOURCES = \
	%D%/io-file-sort.c \
	%D%/io-http-head.c \
	%D%/io-path.c \
	%D%/io-sse.c
%C%_test_io_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_IO)

rv_test_programs += %D%/test-chat
%C%_test_chat_SOURCES = \
	%D%/chat-check.c \
	%D%/chat-message.c
%C%_test_chat_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_CHAT)

rv_test_programs += %D%/test-model
%C%_test_model_SOURCES = \
	%D%/model-anthropic-cases.h \
	%D%/model-encode.c \
	%D%/model-encode-anthropic.c \
	%D%/model-errors.c \
	%D%/model-parts.c \
	%D%/model-secret.c \
	%D%/model-stream-cases.h \
	%D%/model-streams.c
%C%_test_model_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_MODEL)

rv_test_programs += %D%/test-tool
%C%_test_tool_SOURCES = \
	%D%/tool-cache.c \
	%D%/tool-grants.c \
	%D%/tool-output.c \
	%D%/tool-toolbox.c \
	%D%/tool-visible.c \
	%D%/tool-written.c
%C%_test_tool_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_TOOL)

# The scripted model server shares no code with src.
rv_test_programs += %D%/test-server
%C%_test_server_SOURCES = \
	%D%/server-anthropic.c \
	%D%/server-reply.c \
	%D%/server-request.c \
	%D%/server-script.c
%C%_test_server_LDADD = $(RV_TEST_LIBS) examples/server/libmodelserver.la $(RV_LIBS_BASE)
