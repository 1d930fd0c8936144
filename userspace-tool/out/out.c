// SPDX-License-Identifier: GPL-2.0
/*
 * out: prints a described result, as text or as JSON, and writes it to a file
 *
 * The root of the JSON is the same for every verb:
 *
 *	schema	OUT_SCHEMA
 *	kind	"stress run", "error", ...
 *	ok	whether the exit code is 0
 *	exit	the exit code
 *	errors	messages of all errors; empty if there were none
 *	time	UTC, ISO 8601
 *	command	the words it was called with
 *	seed	where there is one
 *	system	see out_system.c
 *	result	the result of the verb
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/mem.h"
#include "host/terminal.h"
#include "out/out.h"
#include "out/out_tree.h"

static struct out_options options = { .node = OUT_ANY_NODE };
static char *keep_temporary;	/* beside the file to keep, renamed when complete */
static FILE *keep_file;
static bool kept;		/* something was written to it */
static bool kept_text;		/* and that is no JSON */
static bool printed;		/* a result went to stdout, or would have */
static bool lost;		/* something could not be written to stdout */
static struct json_object *errors;	/* sentences of out_fail() since the last result */

struct out_options *out_options(void)
{
	return &options;
}

bool out_keeps_html(void)
{
	const char *dot = options.keep ? strrchr(options.keep, '.') : NULL;

	return dot && !strcmp(dot, ".html");
}

bool out_is_json(void)
{
	return options.json || options.pretty;
}

static struct json_object *json_now(void)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&now, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_object_new_string(text);
}

const char out_document_form[] =
	"schema:uint kind:text ok:bool exit:uint errors:[text] time:text command:text "
	"seed?:uint system:{ " OUT_SYSTEM_FORM " } result:{ *:any }";

static struct json_object *document(const struct out *o, int code)
{
	struct json_object *root = json_object_new_object();
	struct out *sys = out_new("system");

	json_object_object_add(root, "schema", json_object_new_int(OUT_SCHEMA));
	json_object_object_add(root, "kind", out_string(o->kind));
	json_object_object_add(root, "ok",
			       json_object_new_boolean(code == EXIT_OK));
	json_object_object_add(root, "exit", json_object_new_int(code));
	json_object_object_add(root, "errors",
			       errors ? errors : json_object_new_array());
	errors = NULL;
	json_object_object_add(root, "time", json_now());
	json_object_object_add(root, "command",
			       out_string(options.command ? options.command : ""));
	if (o->has_seed)
		json_object_object_add(root, "seed",
				       json_object_new_uint64(o->seed));
	out_system(sys);
	json_object_object_add(root, "system", out_node_json(sys->root));
	out_tree_free(sys);
	json_object_object_add(root, "result", out_node_json(o->root));
	return root;
}

/*
 * The only way to stdout. It is unbuffered, so that no output is left to be written, and lost
 * without an error, when the program exits.
 */
static void put(const char *text, size_t size)
{
	ssize_t n = 0;

	while (size && n >= 0 && !lost) {
		n = write(STDOUT_FILENO, text, size);
		if (n < 0 && errno == EINTR) {
			n = 0;
		} else if (n > 0) {
			text += n;
			size -= n;
		}
	}
	if (n >= 0)
		return;
	lost = true;
	out_error("cannot write to standard output: %s", strerror(errno));
}

static void print_json(FILE *file, struct json_object *root)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;

	if (options.pretty)
		flags |= JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED;
	fprintf(file, "%s\n", json_object_to_json_string_ext(root, flags));
}

/*
 * The output file is created before the work, so that an hour's run does not fail to store its
 * result. An old file stays until the new one is complete.
 */
int out_keep_prepare(void)
{
	struct stat st;

	if (!options.keep || keep_file)
		return EXIT_OK;
	if (stat(options.keep, &st) == 0 && !S_ISREG(st.st_mode)) {
		keep_file = fopen(options.keep, "we");
	} else {
		keep_temporary = xasprintf("%s.part", options.keep);
		keep_file = fopen(keep_temporary, "we");
	}
	if (keep_file)
		return EXIT_OK;
	return out_fail(EXIT_FAILED, "cannot write the result to '%s': %s",
			options.keep, strerror(errno));
}

static void keep_end(void)
{
	keep_file = NULL;
	kept = false;
	free(keep_temporary);
	keep_temporary = NULL;
}

void out_keep_text(const char *text)
{
	if (!keep_file)
		return;
	fputs(text, keep_file);
	kept = true;
	kept_text = true;
}

static void keep_drop(void)
{
	if (!keep_file)
		return;
	fclose(keep_file);
	if (keep_temporary)
		unlink(keep_temporary);
	keep_end();
}

/* A document for a command without a result. */
static void print_errors(int code)
{
	struct json_object *root;
	size_t size;
	char *text;
	FILE *file;
	struct out *o;

	if (out_is_json() && !printed && errors) {
		o = out_new("error");
		root = document(o, code);
		file = xmemstream(&text, &size);
		print_json(file, root);
		xmemstream_end(file);
		put(text, size);
		free(text);
		json_object_put(root);
		out_tree_free(o);
		printed = true;
	}
	json_object_put(errors);
	errors = NULL;
}

/* Renames the file to its final name if a result was written; returns @code, or a failure. */
int out_close(int code)
{
	bool bad;

	print_errors(code);
	if (lost && code == EXIT_OK)
		code = EXIT_FAILED;
	if (!keep_file)
		return code;
	if (!kept) {
		keep_drop();
		return code;
	}
	bad = ferror(keep_file);
	bad |= fclose(keep_file) != 0;
	if (!bad && keep_temporary)
		bad = rename(keep_temporary, options.keep) != 0;
	if (bad) {
		out_error("cannot write the result to '%s': %s",
			  options.keep, strerror(errno));
		if (keep_temporary)
			unlink(keep_temporary);
	}
	keep_end();
	return bad && code == EXIT_OK ? EXIT_FAILED : code;
}

/* Only once, as all results of a series are alike. */
static void tell_left_out(const struct out *o)
{
	static bool told;

	if (!o->left_out || told)
		return;
	told = true;
	out_note("left out to fit %d columns: %s; COLUMNS=%d shows all", terminal_columns(),
		 o->left_out, o->needs);
}

static int finish(struct out *o, int code, bool row, bool header)
{
	struct json_object *root = NULL;
	size_t size;
	char *text;
	FILE *file;

	out_progress_end();
	if (out_is_json() || (keep_file && !kept_text))
		root = document(o, code);
	if (o->show_system) {
		out_group(o, "system", "System");
		out_system(o);
		out_end(o);
	}
	file = xmemstream(&text, &size);
	if (out_is_json())
		print_json(file, root);
	else if (o->text)
		fputs(o->text, file);
	else if (row)
		out_table_row(file, o, header, terminal_color());
	else
		out_text(file, o, terminal_color());
	xmemstream_end(file);
	put(text, size);
	free(text);
	tell_left_out(o);
	printed = true;
	if (keep_file && !kept_text) {
		print_json(keep_file, root);
		kept = true;
	}
	json_object_put(root);
	out_tree_free(o);
	return lost && code == EXIT_OK ? EXIT_FAILED : code;
}

int out_finish(struct out *o, int code)
{
	return finish(o, code, false, false);
}

/* Print one result of a series: a line of a table as text, a document as JSON. */
int out_finish_row(struct out *o, int code, bool header)
{
	return finish(o, code, true, header);
}

void out_plain(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	put(text, strlen(text));
	free(text);
}

void out_plain_at(int indent, const char *text)
{
	size_t size;
	char *all;
	FILE *file = xmemstream(&all, &size);

	out_wrap(file, text, terminal_columns() - indent, indent, "", false);
	xmemstream_end(file);
	out_plain("%s\n", all);
	free(all);
}

int out_fail(int code, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup(fmt);
	va_end(ap);
	out_error("%s", text);
	if (!errors)
		errors = json_object_new_array();
	json_object_array_add(errors, out_string(text));
	free(text);
	return code;
}
