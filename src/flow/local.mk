# SPDX-License-Identifier: MIT
# Semaphore and chain: concurrency on the loop, with no knowledge of HTTP.
noinst_LTLIBRARIES += %D%/libflow.la
%C%_libflow_la_SOURCES = \
	%D%/backoff.c \
	%D%/backoff.h \
	%D%/chain.c \
	%D%/chain.h \
	%D%/semaphore.c \
	%D%/semaphore.h
