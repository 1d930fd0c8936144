/* SPDX-License-Identifier: GPL-2.0 */
/*
 * out: the only printer, of results on stdout and of messages on stderr
 *
 * A verb describes its result once, as a tree of named values; the text and
 * the JSON are both made from that tree, so they cannot disagree:
 *
 *	o = out_new("stat show");
 *	out_group(o, "zone", "Zone");
 *	out_u64(o, "free_pages", "free", OUT_PAGES, stat.free_pages);
 *	out_end(o);
 *	return out_finish(o, 0);
 *
 * A group is a JSON object and a titled block of text; a list is a JSON array
 * and a table, its items groups that all have the same members. A member with
 * the label NULL is in the JSON only.
 */
#ifndef MYALLOCCTL_OUT_H
#define MYALLOCCTL_OUT_H

#include <stdbool.h>
#include <linux/types.h>

#include "out/out_describe.h"
#include "out/out_say.h"
#include "out/out_types.h"

/* The members of every result, in the notation of obj/form.h; "schema" and "kind" say which. */
extern const char out_document_form[];

/* The options about output, the same for every verb. */
struct out_options {
	bool json;
	bool pretty;		/* JSON with line breaks */
	const char *keep;	/* file that gets the JSON too, or NULL */
	bool prom;		/* text is in the format of Prometheus */
	const char *command;	/* the command line, to be kept in the result */
	__u64 node;		/* NUMA node to work on, or OUT_ANY_NODE */
};

#define OUT_ANY_NODE	(~0ull)

/* The options in force; may be changed until the first result. */
struct out_options *out_options(void);
int out_keep_prepare(void);
bool out_is_json(void);
/* Is the output file an HTML page, by its name? */
bool out_keeps_html(void);

/* Print a result; @code is the exit code, and is returned (EXIT_FAILED if printing failed) */
int out_finish(struct out *o, int code);
int out_finish_row(struct out *o, int code, bool header);
/* Write @text to the file of --output, in place of the JSON of the result. */
void out_keep_text(const char *text);
/*
 * At the end of the program: completes the output file, and prints the errors as JSON if no result
 * contained them; @code as above.
 */
int out_close(int code);

/* Plain text on stdout: help, version */
void out_plain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same behind @indent columns that are printed already; further lines begin there, too. */
void out_plain_at(int indent, const char *text);

/*
 * Reports an error with the exit code @code, which it returns: a message, and a member of "errors"
 * in the result, or in a document of kind "error" if the verb has no result.
 */
int out_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* MYALLOCCTL_OUT_H */
