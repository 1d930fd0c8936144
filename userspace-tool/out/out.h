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
#include <stddef.h>
#include <linux/types.h>

/* Version of the JSON: raised when a member is renamed, removed or changes meaning. */
#define OUT_SCHEMA	2

/* Exit codes; a run ended by a signal exits with 128 + its number. */
#define EXIT_OK		0
#define EXIT_FAILED	1	/* the operation failed, or a check found errors */
#define EXIT_USAGE	2	/* the words or values given are wrong */
#define EXIT_DEVICE	3	/* /dev/myalloc is missing or may not be opened */

/* How the text shows a number; the JSON always has it as it is. */
enum out_unit {
	OUT_PLAIN,
	OUT_PAGES,	/* with its bytes beside it, except in a table */
	OUT_BYTES,	/* 2.0 MiB */
	OUT_NS,		/* 1.25 us */
	OUT_MS,		/* 10.0 s */
	OUT_PERMILLE,	/* 50.0 % */
	OUT_INDEX,	/* 1/1000 as 0.500, like the kernel's fragmentation files */
	OUT_RATE,	/* 1.25 M/s */
	OUT_GOOD,	/* a word or flag that is good news: green */
	OUT_BAD,	/* and bad: red */
	OUT_WARN,	/* and in between: yellow */
};

/*
 * Which columns of a table too wide for the terminal are left out first: those of the lowest rank,
 * and of one rank the last.
 */
enum out_rank {
	OUT_USUAL,
	OUT_KEY,	/* what the table is about */
};

struct out;
struct json_object;

/* The members of every result, in the notation of obj/form.h; "schema" and "kind" say which. */
extern const char out_document_form[];

/* What the options say about output, the same for every verb. */
struct out_options {
	bool json;
	bool pretty;		/* JSON with line breaks */
	const char *keep;	/* file that gets the JSON too, or NULL */
	bool prom;		/* the text is what Prometheus reads, not what people do */
	const char *command;	/* the command line, to be kept in the result */
	__u64 node;		/* NUMA node to work on, or OUT_ANY_NODE */
};

#define OUT_ANY_NODE	(~0ull)

/* The options in force; may be changed until the first result. */
struct out_options *out_options(void);
int out_keep_prepare(void);
bool out_is_json(void);
/* Is the file to keep to be a page for a browser, as its name ends with .html? */
bool out_keeps_html(void);

/* Describing a result */
struct out *out_new(const char *kind);
void out_seed(struct out *o, __u64 seed);
void out_page_size(struct out *o, __u64 bytes);
void out_show_system(struct out *o);	/* in the text too */
/* From here on, numbers that are 0 are in the JSON only; what it was before. */
bool out_brief(struct out *o, bool brief);
/* The rank of the value that was added last: one of enum out_rank, or a number below. */
void out_rank(struct out *o, int rank);
/* The item that is open is in the JSON only. */
void out_hide(struct out *o);
void out_group(struct out *o, const char *key, const char *label);
void out_list(struct out *o, const char *key, const char *label);
/* A list whose items are shown as sentences below each other, not as a table. */
void out_cards(struct out *o, const char *key, const char *label);
void out_item(struct out *o);
void out_end(struct out *o);
void out_u64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __u64 value);
void out_s64(struct out *o, const char *key, const char *label,
	     enum out_unit unit, __s64 value);
void out_ratio(struct out *o, const char *key, const char *label,
	       double num, double den);
void out_str(struct out *o, const char *key, const char *label,
	     enum out_unit unit, const char *value);
void out_strn(struct out *o, const char *key, const char *label,
	      enum out_unit unit, const char *value, size_t size);
void out_bool(struct out *o, const char *key, const char *label,
	      enum out_unit unit, bool value);
void out_handle(struct out *o, const char *key, const char *label, __u64 value);
void out_json(struct out *o, const char *key, const char *label,
	      struct json_object *value);
void out_null(struct out *o, const char *key, const char *label);
/* Lines that are printed as they stand, with colours of their own, and are not in the JSON. */
void out_drawing(struct out *o, const char *text);

/* Print @text, which is freed with it, in place of the text that the tree makes. */
void out_as_text(struct out *o, char *text);

/* Printing it: @code is the exit code, and is returned (EXIT_FAILED if the printing failed) */
int out_finish(struct out *o, int code);
int out_finish_row(struct out *o, int code, bool header);
/* Write @text to the file of --output, in place of the JSON of the result. */
void out_keep_text(const char *text);
/*
 * At the end of the program: completes the file to keep, and says in JSON what
 * went wrong if no result did; @code as above.
 */
int out_close(int code);

/* Plain text on stdout: help, version */
void out_plain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The ending of a noun after its number. */
static inline const char *out_s(__u64 number)
{
	return number == 1 ? "" : "s";
}

/* Messages on stderr */
void out_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void out_progress(int permille, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void out_progress_end(void);

/*
 * An error that makes the exit code @code, which it returns: a message, and a
 * member of "errors" in the result, or in a document of kind "error" if the
 * verb comes to no result.
 */
int out_fail(int code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif /* MYALLOCCTL_OUT_H */
