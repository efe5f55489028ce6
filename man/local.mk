# SPDX-License-Identifier: MIT
# The manual pages of the library, made of its public headers at build time: a page for each header,
# and for each name in it one that leads there. Their names are found in the headers, so that a
# function that is added has its page without a line here.
man3dir = $(mandir)/man3
noinst_DATA += %D%/manual.stamp
CLEANFILES += %D%/manual.stamp %D%/man3/*.3

rv_manual_scripts = $(top_srcdir)/scripts/manual $(top_srcdir)/scripts/manual.awk
rv_manual_headers = $(include_HEADERS) $(reeveinclude_HEADERS) $(nodist_reeveinclude_HEADERS)

%D%/manual.stamp: $(top_srcdir)/%D%/local.mk $(rv_manual_scripts) $(rv_manual_headers) \
		examples/batch.c examples/embed.c
	$(AM_V_GEN)headers=; for header in $(rv_manual_headers); do \
		test -f $$header || header=$(srcdir)/$$header; headers="$$headers $$header"; \
	done; \
	AWK='$(AWK)' $(SHELL) $(top_srcdir)/scripts/manual --also 'reeve=reeve-agent(1)' \
		--example reeve_agent=$(srcdir)/examples/embed.c \
		--example reeve_batch=$(srcdir)/examples/batch.c \
		'$(PACKAGE_VERSION)' %D%/man3 $$headers && touch $@

install-data-local: %D%/manual.stamp
	$(MKDIR_P) '$(DESTDIR)$(man3dir)'
	$(INSTALL_DATA) %D%/man3/*.3 '$(DESTDIR)$(man3dir)'

uninstall-local: %D%/manual.stamp
	for page in %D%/man3/*.3; do \
		rm -f '$(DESTDIR)$(man3dir)'/"$$(basename "$$page")"; \
	done
