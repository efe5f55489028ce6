# SPDX-License-Identifier: MIT
# Codecs (pure: bytes in, events out) and the completion.
noinst_LTLIBRARIES += %D%/libmodel.la
%C%_libmodel_la_SOURCES = \
	%D%/anthropic.c \
	%D%/anthropic.h \
	%D%/anthropic_decode.c \
	%D%/anthropic_encode.c \
	%D%/answer.c \
	%D%/answer.h \
	%D%/assembly.c \
	%D%/assembly.h \
	%D%/base_url.c \
	%D%/base_url.h \
	%D%/call_piece.h \
	%D%/codec.h \
	%D%/completion.c \
	%D%/completion.h \
	%D%/decoder.c \
	%D%/encode.c \
	%D%/encode.h \
	%D%/failure.c \
	%D%/failure.h \
	%D%/flow.c \
	%D%/flow.h \
	%D%/layout.c \
	%D%/layout.h \
	%D%/model.c \
	%D%/model.h \
	%D%/openai.c \
	%D%/openai.h \
	%D%/openai_decode.c \
	%D%/openai_encode.c \
	%D%/pick.c \
	%D%/pick.h \
	%D%/problem.c \
	%D%/problem.h \
	%D%/provider_error.c \
	%D%/provider_error.h \
	%D%/response.c \
	%D%/response.h \
	%D%/retry_after.c \
	%D%/retry_after.h \
	%D%/secret.c \
	%D%/secret.h \
	%D%/sentence.c \
	%D%/sentence.h \
	%D%/tools_cache.c \
	%D%/tools_cache.h \
	%D%/torn.c \
	%D%/torn.h
