# SPDX-License-Identifier: MIT
# Codecs (pure: bytes in, events out) and the completion.
noinst_LTLIBRARIES += %D%/libmodel.la
%C%_libmodel_la_SOURCES =
