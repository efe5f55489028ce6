# SPDX-License-Identifier: MIT
# The turn loop and its limits.
noinst_LTLIBRARIES += %D%/libagent.la
%C%_libagent_la_SOURCES = %D%/agent.c
