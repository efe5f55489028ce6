# SPDX-License-Identifier: MIT
# The scripted model server: a library for the example agent and for tests, and a program of its own.
# It shares no code with src: it stands on libevent and yajl directly.
noinst_LTLIBRARIES += %D%/libmodelserver.la
%C%_libmodelserver_la_SOURCES = \
	%D%/answer.c \
	%D%/anthropic.h \
	%D%/anthropic_reply.c \
	%D%/anthropic_request.c \
	%D%/conversation.c \
	%D%/embed.c \
	%D%/embed.h \
	%D%/evidence.c \
	%D%/evidence.h \
	%D%/exchange.c \
	%D%/exchange.h \
	%D%/fault.c \
	%D%/fault.h \
	%D%/gzip.c \
	%D%/gzip.h \
	%D%/json.c \
	%D%/json.h \
	%D%/mind.h \
	%D%/model_server.c \
	%D%/model_server.h \
	%D%/page.c \
	%D%/page.h \
	%D%/prefix.c \
	%D%/prefix.h \
	%D%/prompt.c \
	%D%/prompt.h \
	%D%/reply.c \
	%D%/reply.h \
	%D%/reply_parts.h \
	%D%/request.c \
	%D%/request.h \
	%D%/respond.c \
	%D%/respond.h \
	%D%/script.c \
	%D%/script.h \
	%D%/state.h \
	%D%/text.c \
	%D%/text.h \
	%D%/tools.c \
	%D%/tools.h
%C%_libmodelserver_la_LIBADD = $(EVENT_EXTRA_LIBS) $(EVENT_LIBS) $(YAJL_LIBS) -lm

noinst_PROGRAMS += examples/reeve-model-server
examples_reeve_model_server_SOURCES = examples/model_server_main.c
examples_reeve_model_server_LDADD = %D%/libmodelserver.la $(EVENT_LIBS)
