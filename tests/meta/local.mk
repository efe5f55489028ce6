# SPDX-License-Identifier: MIT
# The test of the tests. `planted` is not a test itself: all but two of its own are red.
check_PROGRAMS += %D%/planted
%C%_planted_SOURCES = %D%/planted.c
%C%_planted_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_BASE)
rv_script_tests += %D%/planted-plain %D%/planted-sanitizer
EXTRA_DIST += %D%/run
