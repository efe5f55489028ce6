# SPDX-License-Identifier: MIT
# Toolbox, batch, and the built-in tools in builtin/.
noinst_LTLIBRARIES += %D%/libtool.la
%C%_libtool_la_SOURCES =
