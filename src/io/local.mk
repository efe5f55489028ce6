# SPDX-License-Identifier: MIT
# The outside world. libio is the portable part (sse, paths, requests above the wire, above file
# operations, processes and streams); libiosys is what touches the system. Tests put a simulated one in
# its place (tests/sim). libioall is both in one archive, since they call each other.
noinst_LTLIBRARIES += %D%/libio.la %D%/libiosys.la %D%/libioall.la
%C%_libio_la_SOURCES = \
	%D%/file.c \
	%D%/file.h \
	%D%/file_call.h \
	%D%/file_change.c \
	%D%/file_change.h \
	%D%/file_list.c \
	%D%/file_op.h \
	%D%/file_pace.c \
	%D%/file_pace.h \
	%D%/file_problem.c \
	%D%/file_request.c \
	%D%/file_request.h \
	%D%/file_resolve.c \
	%D%/file_resolve.h \
	%D%/file_sort.c \
	%D%/file_sort.h \
	%D%/file_stat.c \
	%D%/file_stat.h \
	%D%/file_write.c \
	%D%/file_write.h \
	%D%/http.c \
	%D%/http.h \
	%D%/http_head.c \
	%D%/http_head.h \
	%D%/http_problem.c \
	%D%/http_problem.h \
	%D%/http_proxy.c \
	%D%/http_proxy.h \
	%D%/http_pull.c \
	%D%/http_queue.c \
	%D%/http_queue.h \
	%D%/http_url.c \
	%D%/http_url.h \
	%D%/http_wire.h \
	%D%/path.c \
	%D%/path.h \
	%D%/process.c \
	%D%/process.h \
	%D%/process_system.h \
	%D%/root.h \
	%D%/sse.c \
	%D%/sse.h \
	%D%/stream.c \
	%D%/stream.h \
	%D%/stream_link.h \
	%D%/walk.h
%C%_libiosys_la_SOURCES = \
	%D%/curl_once.c \
	%D%/curl_once.h \
	%D%/file_call.c \
	%D%/file_canonical.c \
	%D%/file_op.c \
	%D%/file_open.c \
	%D%/file_scan.c \
	%D%/file_step.h \
	%D%/http_curl.c \
	%D%/http_curl.h \
	%D%/http_easy.c \
	%D%/http_trust.c \
	%D%/http_trust.h \
	%D%/process_child.c \
	%D%/process_spawn.c \
	%D%/process_spawn.h \
	%D%/root.c \
	%D%/server.c \
	%D%/server.h \
	%D%/stream_socket.c \
	%D%/uring.c \
	%D%/uring.h \
	%D%/walk.c
%C%_libiosys_la_LIBADD = $(CURL_LIBS) $(EVENT_EXTRA_LIBS) $(EVENT_LIBS) $(URING_LIBS)
%C%_libioall_la_SOURCES =
%C%_libioall_la_LIBADD = %D%/libio.la %D%/libiosys.la
