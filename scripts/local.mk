# SPDX-License-Identifier: MIT
# What judges the source rather than the program.
EXTRA_DIST += \
	.ci/run \
	.clang-tidy \
	%D%/ansi-to-svg \
	%D%/c-files \
	%D%/check-dist \
	%D%/coverage \
	%D%/check-excerpts \
	%D%/check-exports \
	%D%/check-layers \
	%D%/check-manual \
	%D%/check-style \
	%D%/count-tests \
	%D%/layers.list \
	%D%/lint \
	%D%/manual \
	%D%/manual.awk \
	%D%/mutants \
	%D%/pictures \
	docs/pictures

.PHONY: format lint
format:
	$(top_srcdir)/%D%/c-files $(top_srcdir) | (cd $(top_srcdir) && xargs clang-format -i)

lint:
	$(SHELL) $(top_srcdir)/%D%/lint $(abs_top_srcdir) $(abs_top_builddir) \
		-D_GNU_SOURCE -I$(abs_top_builddir) -I$(abs_top_builddir)/include \
		-I$(abs_top_srcdir)/include -I$(abs_top_srcdir)/src \
		$(EVENT_CFLAGS) $(CURL_CFLAGS) $(YAJL_CFLAGS) $(CRYPTO_CFLAGS)

# Pictures of reeve-agent in a terminal, into docs/pictures; needs tmux. PICTURES: some of them only.
.PHONY: pictures
pictures: examples/reeve-agent examples/reeve-model-server
	$(SHELL) $(top_srcdir)/%D%/pictures $(top_srcdir) $(top_builddir) $(PICTURES)

# The lines that the tests run, folder by folder; needs --enable-coverage.
.PHONY: coverage
coverage:
if COVERAGE
	find . -name '*.gcda' -exec rm -f {} +
	$(MAKE) $(AM_MAKEFLAGS) check
	$(SHELL) $(top_srcdir)/%D%/coverage $(abs_top_srcdir) $(abs_top_builddir)
else
	@echo "configure with --enable-coverage first" >&2; exit 1
endif
