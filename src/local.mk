# SPDX-License-Identifier: MIT
# The library: all folders, agent first and base last, as archives need it.
lib_LTLIBRARIES += libreeve.la
libreeve_la_SOURCES =
libreeve_la_LIBADD = $(RV_LIBS)
libreeve_la_LDFLAGS = $(AM_LDFLAGS) $(RV_LTO_FLAGS) -version-info 0:0:0 -no-undefined $(RV_LIB_LDFLAGS) \
	-Wl,--version-script=$(top_srcdir)/%D%/reeve.map
EXTRA_libreeve_la_DEPENDENCIES = %D%/reeve.map
EXTRA_DIST += %D%/reeve.map
