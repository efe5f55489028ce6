# SPDX-License-Identifier: MIT
# Tests. A new test file is one line in the SOURCES of its program; a new script test is one line in
# rv_script_tests.
#
#   tests/lib           the test macro and the allocators for tests
#   tests/unit          one program per folder of src, test-FOLDER, on the real loop and io
#   tests/sim           the simulated system under the same runtime, and test-sim-NAME on it
#   tests/integration   the real thing over loopback, test-real-NAME
#   tests/fuzz          fuzz targets (make fuzz), and the replay of their corpora
#   tests/scripts       tests that are shell scripts
#   tests/meta          the test of the tests: planted faults that must turn red

# The layers on the simulated system: RV_LIBS of the top Makefile.am with loop and io swapped.
RV_SIM_LOOP = %D%/sim/libsimloop.la $(RV_LIBS_METRICS)
RV_SIM_FLOW = src/flow/libflow.la $(RV_SIM_LOOP)
RV_SIM_IO = %D%/sim/libsimio.la $(RV_SIM_FLOW)
RV_SIM_LIBS = src/agent/libagent.la src/tool/libtool.la src/model/libmodel.la src/chat/libchat.la \
	$(RV_SIM_IO)

AM_CPPFLAGS += $(CRITERION_CFLAGS)
RV_TEST_LIBS = %D%/lib/libtest.la

rv_test_programs =
rv_script_tests =

include tests/install/local.mk

if HAVE_CRITERION
include tests/lib/local.mk
include tests/unit/local.mk
include tests/sim/local.mk
include tests/world/local.mk
include tests/integration/local.mk
include tests/fuzz/local.mk
include tests/meta/local.mk
else
rv_script_tests += %D%/no-criterion
endif

rv_script_tests += \
	%D%/scripts/bootstrap \
	%D%/scripts/count-tests \
	%D%/scripts/excerpts \
	%D%/scripts/exports \
	%D%/scripts/headers \
	%D%/scripts/layers \
	%D%/scripts/manual \
	%D%/scripts/manual-rendered \
	%D%/scripts/simulated \
	%D%/scripts/style \
	%D%/scripts/threads
EXTRA_DIST += %D%/data %D%/exports.list %D%/mutants.list

# Fuzzes each target for FUZZ_SECONDS [600], FUZZ_JOBS [1] side by side; needs clang.
.PHONY: fuzz
fuzz:
	$(SHELL) $(top_srcdir)/%D%/fuzz/run $(abs_top_srcdir) $(abs_top_builddir)

# Takes over a wanted change of the public interface.
.PHONY: update-exports
update-exports: libreeve.la
	$(top_srcdir)/scripts/check-exports --update $(top_srcdir) $(top_builddir)

check_PROGRAMS += $(rv_test_programs)
# Scripts first: most of them wait, and the programs fill that time.
TESTS += $(rv_script_tests) $(rv_test_programs)
EXTRA_DIST += $(rv_script_tests)

# Each test runs through tests/run-test. A sanitizer's report must end the program; leaks are looked
# for in each test's body (tests/lib/test.h).
LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/run-test
EXTRA_DIST += %D%/run-test %D%/no-criterion

AM_TESTS_ENVIRONMENT = \
	ASAN_OPTIONS=detect_leaks=1:halt_on_error=1:strict_string_checks=1:detect_stack_use_after_return=1:check_initialization_order=1:strict_init_order=1; \
	UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1; \
	export ASAN_OPTIONS UBSAN_OPTIONS; \
	srcdir='$(abs_top_srcdir)'; builddir='$(abs_top_builddir)'; export srcdir builddir; \
	CC='$(CC)'; RV_SANITIZER='$(RV_SANITIZER)'; export CC RV_SANITIZER;

clean-local:
	-find . \( -name '*.gcda' -o -name '*.gcno' -o -name '*.gcov' \) -exec rm -f {} +
	-rm -f clang-tidy.out tests/*/*.tap tests/meta/*.out tests/meta/*.out.tap
