# SPDX-License-Identifier: MIT
# The public headers, one per noun. Two plain directories: nobase_ would install include/include.
include_HEADERS = %D%/reeve.h

reeveincludedir = $(includedir)/reeve
reeveinclude_HEADERS = \
	%D%/reeve/agent.h \
	%D%/reeve/allocator.h \
	%D%/reeve/batch.h \
	%D%/reeve/error.h \
	%D%/reeve/json.h \
	%D%/reeve/message.h \
	%D%/reeve/metrics.h \
	%D%/reeve/model.h \
	%D%/reeve/runtime.h \
	%D%/reeve/tool.h
nodist_reeveinclude_HEADERS = %D%/reeve/version.h
