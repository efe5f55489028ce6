# SPDX-License-Identifier: MIT
# What is measured: counters. Given times, reads no clock.
noinst_LTLIBRARIES += %D%/libmetrics.la
%C%_libmetrics_la_SOURCES = \
	%D%/metrics.c \
	%D%/metrics.h
