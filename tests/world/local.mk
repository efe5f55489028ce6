# SPDX-License-Identifier: MIT
# Scenarios that run in the simulated world and in the real one, from the same source: world.h has one
# implementation for each.
rv_world_stories = \
	%D%/speech.c \
	%D%/speech.h \
	%D%/story.h \
	%D%/story_agent.c \
	%D%/story_batch.c \
	%D%/story_completion.c \
	%D%/story_files.c \
	%D%/story_model.c \
	%D%/story_model.h \
	%D%/story_modes.c \
	%D%/story_steps.c \
	%D%/story_stream.c \
	%D%/story_system.c \
	%D%/story_tools.c \
	%D%/story_tools.h \
	%D%/world.h

rv_test_programs += %D%/test-sim-world
%C%_test_sim_world_SOURCES = $(rv_world_stories) %D%/test_world.c %D%/world_sim.c
%C%_test_sim_world_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-sim-sweeps
%C%_test_sim_sweeps_SOURCES = $(rv_world_stories) %D%/world_sim.c \
	tests/sim/sweep.c tests/sim/sweep.h tests/sim/test_sweeps.c
%C%_test_sim_sweeps_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-real-world
%C%_test_real_world_SOURCES = $(rv_world_stories) %D%/test_world.c %D%/world_real.c \
	%D%/peer_real.c %D%/peer_real.h \
	tests/integration/raw-server.c tests/integration/raw-server.h
%C%_test_real_world_LDADD = $(RV_TEST_LIBS) $(RV_LIBS_AGENT) $(EVENT_EXTRA_LIBS)
