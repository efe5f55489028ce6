# SPDX-License-Identifier: MIT
# Codecs (pure: bytes in, events out) and the completion.
noinst_LTLIBRARIES += %D%/libmodel.la
%C%_libmodel_la_SOURCES = \
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
	%D%/model.c \
	%D%/model.h \
	%D%/openai.c \
	%D%/openai.h \
	%D%/openai_decode.c \
	%D%/openai_encode.c \
	%D%/problem.c \
	%D%/problem.h \
	%D%/response.c \
	%D%/response.h \
	%D%/retry_after.c \
	%D%/retry_after.h \
	%D%/sentence.c \
	%D%/sentence.h \
	%D%/tools_cache.c \
	%D%/tools_cache.h \
	%D%/torn.c \
	%D%/torn.h
