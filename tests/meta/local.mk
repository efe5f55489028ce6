# SPDX-License-Identifier: MIT
# The test of the tests. `planted` is not a test itself: nearly all of its own are red.
check_PROGRAMS += %D%/planted
%C%_planted_SOURCES = %D%/planted.c %D%/planted_sim.c tests/sim/sweep.c tests/sim/sweep.h
%C%_planted_LDADD = $(RV_TEST_LIBS) $(RV_SIM_IO)
rv_script_tests += %D%/planted-plain %D%/planted-sanitizer
EXTRA_DIST += %D%/run
