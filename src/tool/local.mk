# SPDX-License-Identifier: MIT
# Toolbox, batch, and the built-in tools in builtin/.
noinst_LTLIBRARIES += %D%/libtool.la
%C%_libtool_la_SOURCES = \
	%D%/batch.c \
	%D%/batch.h \
	%D%/builtin/arguments.c \
	%D%/builtin/builtin.h \
	%D%/builtin/describe.c \
	%D%/builtin/edit_file.c \
	%D%/builtin/files.c \
	%D%/builtin/find_files.c \
	%D%/builtin/glob.c \
	%D%/builtin/glob.h \
	%D%/builtin/ignore.c \
	%D%/builtin/ignore.h \
	%D%/builtin/lines.c \
	%D%/builtin/lines.h \
	%D%/builtin/list_directory.c \
	%D%/builtin/near.c \
	%D%/builtin/near.h \
	%D%/builtin/needle.c \
	%D%/builtin/needle.h \
	%D%/builtin/read_file.c \
	%D%/builtin/run_command.c \
	%D%/builtin/search_files.c \
	%D%/builtin/tree.c \
	%D%/builtin/tree.h \
	%D%/builtin/visible.c \
	%D%/builtin/visible.h \
	%D%/builtin/write_file.c \
	%D%/call.c \
	%D%/call.h \
	%D%/claims.c \
	%D%/claims.h \
	%D%/flight.c \
	%D%/flight.h \
	%D%/grants.c \
	%D%/grants.h \
	%D%/hazards.c \
	%D%/hazards.h \
	%D%/normalize.c \
	%D%/normalize.h \
	%D%/output.c \
	%D%/output.h \
	%D%/permission.c \
	%D%/permission.h \
	%D%/prepare.c \
	%D%/prepare.h \
	%D%/resources.c \
	%D%/resources.h \
	%D%/toolbox.c \
	%D%/toolbox.h \
	%D%/writing.c \
	%D%/writing.h
