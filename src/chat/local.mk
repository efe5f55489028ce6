# SPDX-License-Identifier: MIT
# Message and transcript.
noinst_LTLIBRARIES += %D%/libchat.la
%C%_libchat_la_SOURCES =
