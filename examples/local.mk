# SPDX-License-Identifier: MIT
# The example programs. reeve-agent is one that people keep, and is installed; the others are not.
include examples/server/local.mk

bin_PROGRAMS += %D%/reeve-agent
%C%_reeve_agent_SOURCES = \
	%D%/agent/consent.c \
	%D%/agent/consent.h \
	%D%/agent/demo.c \
	%D%/agent/demo.h \
	%D%/agent/events.c \
	%D%/agent/edit.h \
	%D%/agent/events.h \
	%D%/agent/history.c \
	%D%/agent/history.h \
	%D%/agent/input.c \
	%D%/agent/input.h \
	%D%/agent/keys.c \
	%D%/agent/keys.h \
	%D%/agent/live.c \
	%D%/agent/live.h \
	%D%/agent/main.c \
	%D%/agent/redact.c \
	%D%/agent/redact.h \
	%D%/agent/screen.c \
	%D%/agent/screen.h \
	%D%/agent/settings.c \
	%D%/agent/settings.h \
	%D%/agent/tally.c \
	%D%/agent/tally.h \
	%D%/agent/typing.c \
	%D%/agent/typing.h \
	%D%/agent/view.c \
	%D%/agent/view.h \
	%D%/agent/visible.c \
	%D%/agent/visible.h
if HAVE_LIBEDIT
%C%_reeve_agent_SOURCES += %D%/agent/edit_libedit.c
else
%C%_reeve_agent_SOURCES += %D%/agent/edit_none.c
endif
%C%_reeve_agent_CPPFLAGS = $(AM_CPPFLAGS) -I$(srcdir)/%D% $(LIBEDIT_CFLAGS)
%C%_reeve_agent_LDADD = libreeve.la %D%/server/libmodelserver.la $(EVENT_LIBS) $(LIBEDIT_LIBS)

dist_man_MANS = man/reeve-agent.1
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = completion/reeve-agent

# What docs/embedding.md quotes is service and approve.
noinst_PROGRAMS += %D%/embed %D%/batch %D%/service %D%/approve
%C%_embed_SOURCES = %D%/embed.c
%C%_embed_LDADD = libreeve.la $(EVENT_LIBS)
%C%_batch_SOURCES = %D%/batch.c
%C%_batch_LDADD = libreeve.la

# A tool that asks a database, and one that asks the web.
noinst_PROGRAMS += %D%/fetch
%C%_fetch_SOURCES = %D%/fetch.c %D%/address.c %D%/address.h
%C%_fetch_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) -I$(srcdir)/%D%
%C%_fetch_LDADD = libreeve.la $(EVENT_LIBS) $(CURL_LIBS)
if HAVE_SQLITE
noinst_PROGRAMS += %D%/sql
%C%_sql_SOURCES = %D%/sql.c
%C%_sql_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
%C%_sql_LDADD = libreeve.la $(EVENT_LIBS) $(SQLITE_LIBS)
endif
%C%_service_SOURCES = %D%/service.c
%C%_service_LDADD = libreeve.la $(EVENT_LIBS)
%C%_approve_SOURCES = %D%/approve.c
%C%_approve_LDADD = libreeve.la $(EVENT_LIBS) -lpthread
# The example programs: built by make, never installed.
