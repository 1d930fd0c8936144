// SPDX-License-Identifier: GPL-2.0
/*
 * reserve: its size and limits; grow and shrink it
 */
#include <errno.h>
#include <stdlib.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "out/out.h"

static int stat_of(const struct device *d, struct myalloc_reserve_stat *s)
{
	*s = (struct myalloc_reserve_stat){ .size = sizeof(*s) };
	return dev_call(d->fd, MYALLOC_IOC_RESERVE_STAT, s);
}

#define RESERVE_FORM								\
	"nr_pages:uint floor_pages:uint max_pages:uint free_pages:uint "		\
	"surplus_pages:uint low_pages:uint chunk_order:uint grown:uint shrunk:uint "	\
	"decayed:uint grow_fails:uint decay_ms:uint decay_mb:uint"

static void describe(struct out *o, const struct myalloc_reserve_stat *s)
{
	out_u64(o, "nr_pages", "size", OUT_PAGES, s->nr_pages);
	out_u64(o, "floor_pages", "at least", OUT_PAGES, s->floor_pages);
	out_u64(o, "max_pages", "at most", OUT_PAGES, s->max_pages);
	out_u64(o, "free_pages", "free", OUT_PAGES, s->free_pages);
	out_u64(o, "surplus_pages", "could be given back", OUT_PAGES, s->surplus_pages);
	out_u64(o, "low_pages", "grows when less is free", OUT_PAGES, s->low_pages);
	out_u64(o, "chunk_order", "order of a chunk", OUT_PLAIN, s->chunk_order);
	out_u64(o, "grown", "chunks taken", OUT_PLAIN, s->grown);
	out_u64(o, "shrunk", "chunks given back", OUT_PLAIN, s->shrunk);
	out_u64(o, "decayed", "chunks decayed", OUT_PLAIN, s->decayed);
	out_u64(o, "grow_fails", "chunks refused", OUT_PLAIN, s->grow_fails);
	out_u64(o, "decay_ms", "half-life of the surplus, ms", OUT_PLAIN, s->decay_ms);
	out_u64(o, "decay_mb", "given back at a time, MiB", OUT_PLAIN, s->decay_mb);
}

static int reserve_show(struct cmd *c)
{
	struct myalloc_reserve_stat s;
	struct device d;
	struct out *o;
	int code, err;

	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = stat_of(&d, &s);
	device_close(&d);
	if (err)
		return explain("reading the reserve", err);
	o = out_new("reserve show");
	out_page_size(o, d.info.page_size);
	describe(o, &s);
	return out_finish(o, EXIT_OK);
}

/* The number of pages that a SIZE names; all of them without one. */
static __u64 pages_of(struct cmd *c, const char *size, __u32 page_size)
{
	__u64 bytes;

	if (!size)
		return ~0ULL >> 1;
	cmd_check(c, "SIZE", size, parse_size(size, &bytes));
	if (!bytes)
		cmd_check(c, "SIZE", size, "give at least 1");
	return (bytes - 1) / page_size + 1;
}

static int change(struct cmd *c, const char *size, unsigned long command, const char *what,
		  const char *done)
{
	struct myalloc_reserve_change change = { 0 };
	struct myalloc_reserve_stat s;
	struct device d;
	struct out *o;
	int code, err;
	char *kind;

	code = device_open(&d);
	if (code)
		return code;
	change.pages = pages_of(c, size, d.info.page_size);
	err = dev_call(d.fd, command, &change);
	if (!err)
		err = stat_of(&d, &s);
	device_close(&d);
	if (err == -ENOSPC)
		return out_fail(EXIT_FAILED, "the reserve has all that max_mb allows; load the module with a larger max_mb");
	if (err == -ENOMEM)
		return out_fail(EXIT_FAILED, "the system has no memory to spare for the reserve");
	if (err)
		return explain(what, err);
	kind = xasprintf("reserve %s", c->verb->name);
	o = out_new(kind);
	free(kind);
	out_page_size(o, d.info.page_size);
	out_u64(o, "pages", done, OUT_PAGES, change.pages);
	describe(o, &s);
	return out_finish(o, EXIT_OK);
}

static int reserve_grow(struct cmd *c)
{
	const char *size = cmd_word(c);

	if (!size)
		cmd_usage(c, "give the SIZE by which the reserve is to grow, such as 8M");
	cmd_done(c);
	return change(c, size, MYALLOC_IOC_RESERVE_GROW, "growing the reserve", "taken");
}

static int reserve_shrink(struct cmd *c)
{
	const char *size = cmd_word(c);

	cmd_done(c);
	return change(c, size, MYALLOC_IOC_RESERVE_SHRINK, "shrinking the reserve", "given back");
}

static const struct verb reserve_verbs[] = {
	{ "show", reserve_show, "",
	  "how large the reserve is and may be, and what it took and gave back", NULL,
	  .form = RESERVE_FORM },
	{ "grow", reserve_grow, "SIZE",
	  "take memory from the system, in whole chunks, up to max_mb", NULL,
	  .form = "pages:uint " RESERVE_FORM },
	{ "shrink", reserve_shrink, "[SIZE]",
	  "give free chunks back to the system, or all that are free, down to reserve_mb", NULL,
	  .form = "pages:uint " RESERVE_FORM },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object reserve_object = {
	"reserve", "the size of the reserve, which grows if max_mb allows", reserve_verbs, "show"
};
