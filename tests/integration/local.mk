# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

#rv_test_programs += %D%/test-real-http
#%C%_test_real_http_SOURCES =
#%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS) $(EVENT_EXTRA_LIBS)

rv_script_tests += %D%/agent-program
