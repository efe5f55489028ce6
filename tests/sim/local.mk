# SPDX-License-Identifier: MIT
# The simulated system: libsimloop stands where libloopall stands, libsimio where libioall does. Each
# holds the portable part of its folder as well.
check_LTLIBRARIES += %D%/libsimloop.la %D%/libsimio.la
%C%_libsimloop_la_SOURCES = \
	%D%/fate.c \
	%D%/fate.h \
	%D%/sim.h \
	%D%/system.c
%C%_libsimloop_la_LIBADD = src/loop/libloop.la
%C%_libsimio_la_SOURCES = \
	%D%/file.c \
	%D%/file.h \
	%D%/file_tree.c \
	%D%/file_tree.h \
	%D%/http.c \
	%D%/http.h \
	%D%/http-exchange.c \
	%D%/http-exchange.h \
	%D%/process.c \
	%D%/process.h \
	%D%/stream.c \
	%D%/stream.h
%C%_libsimio_la_LIBADD = src/io/libio.la

rv_test_programs += %D%/test-sim-loop
%C%_test_sim_loop_SOURCES = \
	%D%/runtime.h \
	%D%/test_loop_runtime.c \
	%D%/test_loop_turn.c
%C%_test_sim_loop_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LOOP)

rv_test_programs += %D%/test-sim-flow
%C%_test_sim_flow_SOURCES = \
	%D%/runtime.h \
	%D%/test_flow.c
%C%_test_sim_flow_LDADD = $(RV_TEST_LIBS) $(RV_SIM_FLOW)

rv_test_programs += %D%/test-sim-batch
%C%_test_sim_batch_SOURCES = \
	%D%/deeds.c \
	%D%/deeds.h \
	%D%/lab.c \
	%D%/lab.h \
	%D%/oracle.c \
	%D%/oracle.h \
	%D%/test_batch.c \
	%D%/test_batch_life.c \
	%D%/test_batch_memory.c \
	%D%/test_batch_random.c \
	%D%/runtime.h \
	%D%/test_hazards.c \
	%D%/test_normalize.c \
	%D%/test_permission.c \
	%D%/test_writing.c \
	%D%/test_oracle.c
%C%_test_sim_batch_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-sim-claims
%C%_test_sim_claims_SOURCES = \
	%D%/runtime.h \
	%D%/test_claims.c
%C%_test_sim_claims_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

# What spares calls their runs, and what has them run again.
rv_test_programs += %D%/test-sim-reuse
%C%_test_sim_reuse_SOURCES = \
	%D%/rig.c \
	%D%/rig.h \
	%D%/test_cache.c \
	%D%/test_checks.c \
	%D%/test_original.c \
	%D%/test_retry.c \
	%D%/test_reuse_life.c \
	%D%/test_reuse_random.c \
	%D%/runtime.h \
	%D%/test_sharing.c \
	%D%/test_sharing_cancel.c \
	%D%/test_start_many.c \
	%D%/test_switches.c
%C%_test_sim_reuse_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-sim-rounds
%C%_test_sim_rounds_SOURCES = \
	%D%/deeds.c \
	%D%/deeds.h \
	%D%/oracle.c \
	%D%/oracle.h \
	%D%/reuse_rounds.c \
	%D%/reuse_rounds.h \
	%D%/test_moved_names.c \
	%D%/test_reuse_rounds.c
%C%_test_sim_rounds_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-sim-agent
%C%_test_sim_agent_SOURCES = \
	%D%/agent-stage.c \
	%D%/agent-stage.h \
	%D%/dialect.c \
	%D%/dialect.h \
	%D%/test_agent.c \
	%D%/test_agent_permit.c \
	%D%/test_agent_steer.c
%C%_test_sim_agent_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)

rv_test_programs += %D%/test-sim-completion
%C%_test_sim_completion_SOURCES = \
	%D%/completion-answers.c \
	%D%/completion-ends.c \
	%D%/completion-errors.c \
	%D%/completion-memory.c \
	%D%/completion-providers.c \
	%D%/completion-world.c \
	%D%/completion-world.h \
	%D%/dialect.c \
	%D%/dialect.h
%C%_test_sim_completion_LDADD = $(RV_TEST_LIBS) src/model/libmodel.la src/chat/libchat.la $(RV_SIM_IO)

rv_test_programs += %D%/test-sim-http
%C%_test_sim_http_SOURCES = \
	%D%/http-pull.c \
	%D%/http-queue.c \
	%D%/http-request.c \
	%D%/test_fate.c
%C%_test_sim_http_LDADD = $(RV_TEST_LIBS) $(RV_SIM_IO)

rv_test_programs += %D%/test-sim-process
%C%_test_sim_process_SOURCES = \
	%D%/test_process.c
%C%_test_sim_process_LDADD = $(RV_TEST_LIBS) $(RV_SIM_IO)

rv_test_programs += %D%/test-sim-stream
%C%_test_sim_stream_SOURCES = \
	%D%/test_stream.c
%C%_test_sim_stream_LDADD = $(RV_TEST_LIBS) $(RV_SIM_IO)

rv_test_programs += %D%/test-sim-file
%C%_test_sim_file_SOURCES = \
	%D%/runtime.h \
	%D%/test_file.c
%C%_test_sim_file_LDADD = $(RV_TEST_LIBS) $(RV_SIM_IO)

rv_test_programs += %D%/test-sim-file-tools
%C%_test_sim_file_tools_SOURCES = \
	%D%/runtime.h \
	%D%/sweep.c \
	%D%/sweep.h \
	%D%/test_cache_files.c \
	%D%/test_file_tools.c \
	%D%/test_find_files.c \
	%D%/test_read_stream.c \
	%D%/test_run_command.c \
	%D%/test_search_files.c
%C%_test_sim_file_tools_LDADD = $(RV_TEST_LIBS) $(RV_SIM_LIBS)
