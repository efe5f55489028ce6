# SPDX-License-Identifier: MIT
# The installed library as others meet it: make installcheck, which make distcheck runs.
EXTRA_DIST += %D%/consumer.c %D%/run

installcheck-local:
	CC='$(CC)' PKG_CONFIG='$(PKG_CONFIG)' EXTRA_FLAGS='$(RV_SAN_FLAGS)' DESTDIR='$(DESTDIR)' \
		libdir='$(libdir)' man3dir='$(man3dir)' srcdir='$(abs_top_srcdir)' version='$(PACKAGE_VERSION)' \
		$(SHELL) $(top_srcdir)/%D%/run
