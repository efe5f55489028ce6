# SPDX-License-Identifier: MIT
# The real loop, sockets and files, over loopback.

#rv_test_programs += %D%/test-real-http
#%C%_test_real_http_SOURCES =
#%C%_test_real_http_LDADD = $(RV_TEST_LIBS) $(RV_LIBS) $(EVENT_EXTRA_LIBS)

rv_test_programs += %D%/test-real-model-server
%C%_test_real_model_server_SOURCES = %D%/model-server.c
%C%_test_real_model_server_LDADD = $(RV_TEST_LIBS) examples/server/libmodelserver.la $(RV_LIBS_BASE) \
	$(CURL_LIBS) $(EVENT_LIBS)
