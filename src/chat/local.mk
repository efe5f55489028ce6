# SPDX-License-Identifier: MIT
# Message and transcript.
noinst_LTLIBRARIES += %D%/libchat.la
%C%_libchat_la_SOURCES = \
	%D%/check.c \
	%D%/check.h \
	%D%/message.c \
	%D%/message.h \
	%D%/transcript.c \
	%D%/transcript.h
