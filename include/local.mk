# SPDX-License-Identifier: MIT
# The public headers, one per noun. Two plain directories: nobase_ would install include/include.
include_HEADERS =

reeveincludedir = $(includedir)/reeve
reeveinclude_HEADERS =
nodist_reeveinclude_HEADERS = %D%/reeve/version.h
