/*
 * native_call(conninfo text, request text) RETURNS text
 *
 * Sends one request to the embedding service, which speaks the PostgreSQL
 * protocol, and returns the one value of its answer.
 *
 * - One connection per backend, kept between calls; found dead, it is opened
 *   anew once.
 * - Never blocks inside libpq: cancel and statement_timeout end the call at
 *   once, and with it the connection, which tells the service.
 * - Errors of the service arrive with SQLSTATE, message, detail and hint
 *   unchanged; its notices are raised here again.
 * - An unreachable service is SQLSTATE 08001.
 */
#include "postgres.h"

#include <stdlib.h>

#include "fmgr.h"
#include "libpq-fe.h"
#include "libpq/libpq-be-fe-helpers.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/wait_event.h"

PG_MODULE_MAGIC;

/*
 * PostgreSQL 16's libpgcommon_shlib.a, which libpq is linked with, has functions of these names for programs: they
 * would be taken instead of the server's, and pfree() would be free(). MemoryContext...() is the server's alone.
 */
#pragma GCC poison palloc palloc0 pfree pstrdup repalloc psprintf

#ifndef SOURCE_HASH
#define SOURCE_HASH "unknown"
#endif

/* Found in the file, it says which source a library was made from. */
extern PGDLLEXPORT const char thanopg_native_source[];
const char	thanopg_native_source[] = "thanopg_native.c " SOURCE_HASH;

#define CONNECT_SECONDS 2		/* unless connect_timeout says otherwise */
#define MAX_NOTICES 20			/* of one call; more are dropped */

typedef struct Notice
{
	int			level;
	int			sqlstate;
	char	   *message;
	char	   *detail;
	char	   *hint;
} Notice;

/* The one connection of this backend. */
static PGconn *service = NULL;
static char *service_conninfo = NULL;	/* malloc */

/* Notices that came during the current call, in its memory context. */
static MemoryContext notice_context = NULL;
static Notice notices[MAX_NOTICES];
static int	notice_count = 0;

PG_FUNCTION_INFO_V1(native_call);
PGDLLEXPORT Datum native_call(PG_FUNCTION_ARGS);

static uint32
wait_event(void)
{
#if PG_VERSION_NUM >= 170000
	static uint32 event = 0;

	if (event == 0)
		event = WaitEventExtensionNew("ThanopgService");
	return event;
#else
	return PG_WAIT_EXTENSION;
#endif
}

static void
disconnect(void)
{
	PGconn	   *conn = service;

	service = NULL;
	if (conn != NULL)
		libpqsrv_disconnect(conn);
}

static void
disconnect_at_exit(int code, Datum arg)
{
	disconnect();
}

static char *
copy(const char *text)
{
	return MemoryContextStrdup(CurrentMemoryContext, text);
}

static char *
copy_or_null(const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(notice_context, text);
}

static int
sqlstate_of(const PGresult *result, int otherwise)
{
	const char *s = PQresultErrorField(result, PG_DIAG_SQLSTATE);

	if (s == NULL || strlen(s) != 5)
		return otherwise;
	return MAKE_SQLSTATE(s[0], s[1], s[2], s[3], s[4]);
}

/* libpq calls this in the middle of its work, so only take a copy. */
static void
receive_notice(void *arg, const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	Notice	   *notice;

	if (notice_context == NULL || notice_count >= MAX_NOTICES)
		return;
	notice = &notices[notice_count];
	notice->level = severity != NULL && strcmp(severity, "WARNING") == 0 ? WARNING : NOTICE;
	notice->sqlstate = sqlstate_of(result, ERRCODE_SUCCESSFUL_COMPLETION);
	notice->message = copy_or_null(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
	notice->detail = copy_or_null(PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL));
	notice->hint = copy_or_null(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
	notice_count++;
}

static void
raise_notices(void)
{
	int			count = notice_count;

	notice_count = 0;
	for (int i = 0; i < count; i++)
		ereport(notices[i].level,
				(errcode(notices[i].sqlstate),
				 errmsg_internal("%s", notices[i].message ? notices[i].message : "notice of the embedding service"),
				 notices[i].detail ? errdetail_internal("%s", notices[i].detail) : 0,
				 notices[i].hint ? errhint("%s", notices[i].hint) : 0));
}

/* libpq's message, which says why and never holds the password; without its advice, which is about a database. */
static char *
reason_of(PGconn *conn)
{
	char	   *text = pchomp(conn == NULL ? "out of memory" : PQerrorMessage(conn));
	char	   *advice = strstr(text, "\n\tIs the server running");

	if (advice != NULL)
		*advice = '\0';
	return *text == '\0' ? copy("the connection was closed") : text;
}

static void
raise_unreachable(char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_SQLCLIENT_UNABLE_TO_ESTABLISH_SQLCONNECTION),
			 errmsg("could not reach the embedding service"),
			 errdetail_internal("%s", reason),
			 errhint("start it with: thanopg up, or thanopg serve")));
}

/*
 * Wait for the socket, or for an interrupt, which is served here. Returns
 * false when the deadline (0: none) has passed.
 */
static bool
wait_for_socket(PGconn *conn, int events, TimestampTz deadline)
{
	int			happened;
	long		timeout = -1;

	events |= WL_LATCH_SET | WL_EXIT_ON_PM_DEATH;
	if (deadline != 0)
	{
		timeout = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
		if (timeout <= 0)
			return false;
		events |= WL_TIMEOUT;
	}
	happened = WaitLatchOrSocket(MyLatch, events, PQsocket(conn), timeout, wait_event());
	if (happened & WL_LATCH_SET)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

static int
connect_seconds(PGconn *conn)
{
	int			seconds = CONNECT_SECONDS;
	PQconninfoOption *options = PQconninfo(conn);

	for (PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++)
		if (strcmp(option->keyword, "connect_timeout") == 0 && option->val != NULL && atoi(option->val) > 0)
			seconds = atoi(option->val);
	PQconninfoFree(options);
	return seconds;
}

/*
 * libpqsrv_connect() with a deadline, because libpq ignores connect_timeout
 * when it is polled.
 */
static void
connect_to(const char *conninfo)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	TimestampTz deadline;
	char	   *kept;

	libpqsrv_connect_prepare();
	service = PQconnectStart(conninfo);
	if (service == NULL)
	{
		ReleaseExternalFD();
		raise_unreachable(reason_of(NULL));
	}
	PQsetNoticeReceiver(service, receive_notice, NULL);
	deadline = TimestampTzPlusSeconds(GetCurrentTimestamp(), connect_seconds(service));
	while (status != PGRES_POLLING_OK && status != PGRES_POLLING_FAILED)
	{
		int			events = status == PGRES_POLLING_READING ? WL_SOCKET_READABLE : WL_SOCKET_WRITEABLE;

		if (PQstatus(service) == CONNECTION_BAD)
			break;
		if (!wait_for_socket(service, events, deadline))
			raise_unreachable(copy("it did not accept the connection in time"));
		status = PQconnectPoll(service);
	}
	if (PQstatus(service) != CONNECTION_OK)
		raise_unreachable(reason_of(service));
	if (PQsetnonblocking(service, 1) != 0)
		raise_unreachable(reason_of(service));

	kept = strdup(conninfo);
	if (kept == NULL)
		raise_unreachable(reason_of(NULL));
	free(service_conninfo);
	service_conninfo = kept;
}

/* Send the request; false when the connection turned out to be dead. */
static bool
send_request(const char *request)
{
	int			left;

	if (!PQsendQuery(service, request))
		return false;
	while ((left = PQflush(service)) > 0)
	{
		/* the service may be writing too: read what it says, or both would wait */
		if (!wait_for_socket(service, WL_SOCKET_WRITEABLE | WL_SOCKET_READABLE, 0) || !PQconsumeInput(service))
			return false;
	}
	return left == 0;
}

/* The next result, NULL at the end or when the connection is dead. */
static PGresult *
next_result(void)
{
	while (PQisBusy(service))
	{
		wait_for_socket(service, WL_SOCKET_READABLE, 0);
		if (!PQconsumeInput(service))
			break;
	}
	return PQgetResult(service);
}

/*
 * An error about the request itself, after which the service may close the
 * connection; not one that says that the service is going away (57P01, ...).
 */
static bool
is_last_word(const PGresult *result)
{
	const char *s;

	if (result == NULL || PQresultStatus(result) != PGRES_FATAL_ERROR)
		return false;
	s = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	return s != NULL && strncmp(s, "57P", 3) != 0 && strncmp(s, "08", 2) != 0;
}

/* The last result of the request; NULL when the connection died. */
static PGresult *
ask(const char *request)
{
	PGresult   *volatile last = NULL;

	if (!send_request(request))
		return NULL;
	PG_TRY();
	{
		PGresult   *result;

		while ((result = next_result()) != NULL)
		{
			ExecStatusType status = PQresultStatus(result);

			if (is_last_word(last))
				PQclear(result);	/* only says that the connection is closed */
			else
			{
				PQclear(last);
				last = result;
			}
			if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH ||
				PQstatus(service) == CONNECTION_BAD)
				break;
		}
	}
	PG_CATCH();
	{
		PQclear(last);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (PQstatus(service) != CONNECTION_OK && !is_last_word(last))
	{
		PQclear(last);
		return NULL;
	}
	return last;
}

static void
raise_error_of(PGresult *result)
{
	int			sqlstate = sqlstate_of(result, ERRCODE_CONNECTION_FAILURE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	message = copy(message ? message : "the embedding service failed");
	detail = detail ? copy(detail) : NULL;
	hint = hint ? copy(hint) : NULL;
	PQclear(result);
	ereport(ERROR,
			(errcode(sqlstate),
			 errmsg_internal("%s", message),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
}

/* The one value of the answer; NULL for SQL NULL. */
static text *
value_of(PGresult *result)
{
	text	   *value = NULL;

	if (PQresultStatus(result) == PGRES_FATAL_ERROR)
		raise_error_of(result);
	if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1 || PQnfields(result) != 1)
	{
		ExecStatusType status = PQresultStatus(result);

		PQclear(result);
		disconnect();
		ereport(ERROR,
				(errcode(ERRCODE_PROTOCOL_VIOLATION),
				 errmsg("expected one value from the embedding service, not %s", PQresStatus(status))));
	}
	if (!PQgetisnull(result, 0, 0))
	{
		int			length = PQgetlength(result, 0, 0);

		/* what comes from outside is checked before it is called text */
		if (!pg_verify_mbstr(GetDatabaseEncoding(), PQgetvalue(result, 0, 0), length, true))
		{
			PQclear(result);
			ereport(ERROR,
					(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
					 errmsg("the embedding service answered in another encoding")));
		}
		value = cstring_to_text_with_len(PQgetvalue(result, 0, 0), length);
	}
	PQclear(result);
	return value;
}

Datum
native_call(PG_FUNCTION_ARGS)
{
	char	   *conninfo = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *request = text_to_cstring(PG_GETARG_TEXT_PP(1));
	static bool exit_hook = false;
	bool		reused;
	PGresult   *volatile result = NULL;
	text	   *value;

	if (!exit_hook)
	{
		before_shmem_exit(disconnect_at_exit, (Datum) 0);
		exit_hook = true;
	}
	notice_context = CurrentMemoryContext;
	notice_count = 0;

	PG_TRY();
	{
		if (service != NULL && (PQstatus(service) != CONNECTION_OK || strcmp(conninfo, service_conninfo) != 0))
			disconnect();
		reused = service != NULL;
		if (!reused)
			connect_to(conninfo);
		result = ask(request);
		if (result == NULL && reused)
		{
			/* it died since the last call; the same request may be sent again, for it changes nothing */
			disconnect();
			notice_count = 0;
			connect_to(conninfo);
			result = ask(request);
		}
		if (result == NULL)
			raise_unreachable(reason_of(service));
	}
	PG_CATCH();
	{
		/* in the middle of a request, so it can't be used again */
		notice_context = NULL;
		disconnect();
		PG_RE_THROW();
	}
	PG_END_TRY();

	notice_context = NULL;
	raise_notices();
	value = value_of(result);
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(value);
}
