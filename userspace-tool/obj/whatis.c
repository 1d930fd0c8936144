// SPDX-License-Identifier: GPL-2.0
/*
 * whatis: details of one place in memory
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/parse.h"
#include "host/mem.h"
#include "obj/device.h"
#include "obj/kinds.h"
#include "obj/objects.h"
#include "out/out.h"

#define FORMS	"a page as reports name it (page:4711, page:4711.3 with a slot), a kernel address (addr:0x...; from 0x8000000000000000 on without addr:), or a handle (0x2a, or PID:0x2a)"

/* The place that a word names. */
struct place {
	__u32 how;
	__u32 pid;
	__u32 slot;
	__u64 key;
};

static void number(struct cmd *c, const char *word, const char *text, __u64 max, __u64 *value)
{
	if (parse_number(text, value) || *value > max)
		cmd_usage(c, "'%s': expected %s", word, FORMS);
}

static void read_page(struct cmd *c, const char *word, char *text, struct place *p)
{
	char *dot = strchr(text, '.');
	__u64 slot;

	if (dot) {
		*dot = 0;
		number(c, word, dot + 1, MYALLOC_LOOK_NONE - 1, &slot);
		p->slot = slot;
	}
	p->how = MYALLOC_LOOK_PAGE;
	number(c, word, text, ~0ull, &p->key);
}

static void read_handle(struct cmd *c, const char *word, char *text, struct place *p)
{
	char *colon = strchr(text, ':');
	__u64 pid;

	p->how = MYALLOC_LOOK_HANDLE;
	if (colon) {
		*colon = 0;
		number(c, word, text, ~0u, &pid);
		if (!pid)
			cmd_usage(c, "'%s': no process has the number 0", word);
		p->pid = pid;
		text = colon + 1;
	}
	number(c, word, text, ~0ull, &p->key);
	/* The upper half has kernel addresses only, as handles count up from 1. */
	if (!colon && p->key >> 63)
		p->how = MYALLOC_LOOK_ADDRESS;
}

/* Needs a word: on s390x and UML kernel addresses are low, where numbers are handles. */
static void read_address(struct cmd *c, const char *word, char *text, struct place *p)
{
	p->how = MYALLOC_LOOK_ADDRESS;
	number(c, word, text, ~0ull, &p->key);
}

static struct place read_place(struct cmd *c, const char *word)
{
	struct place p = { .slot = MYALLOC_LOOK_NONE };
	char *text = xstrdup(word);

	if (!strncmp(text, "page:", 5))
		read_page(c, word, text + 5, &p);
	else if (!strncmp(text, "addr:", 5))
		read_address(c, word, text + 5, &p);
	else
		read_handle(c, word, text, &p);
	free(text);
	return p;
}

static int failed(const struct device *d, const struct place *p, const char *word, int err)
{
	__u64 frames = device_frames(d);

	switch (err) {
	case -EINVAL:
		if (p->how == MYALLOC_LOOK_PAGE && p->key >= frames)
			return out_fail(EXIT_FAILED, "no page %llu: the zone has pages 0 to %llu",
					(unsigned long long)p->key,
					(unsigned long long)frames - 1);
		if (p->how == MYALLOC_LOOK_PAGE)
			return out_fail(EXIT_FAILED, "no slot %u there: page %llu is in no slab with so many; 'myallocctl whatis page:%llu' shows what it is",
					p->slot, (unsigned long long)p->key,
					(unsigned long long)p->key);
		return out_fail(EXIT_FAILED, "'%s' is not memory of the zone", word);
	case -EPERM:
		return out_fail(EXIT_FAILED, "asking about an address needs CAP_SYSLOG; reports also name the page and the slot: 'myallocctl whatis page:4711.3'");
	case -ENOENT:
		return out_fail(EXIT_FAILED, "no process holds pages or an object as handle '%s'; 'myallocctl cache list' shows caches, 'addr:%s' asks about an address",
				word, word);
	case -ENOTUNIQ:
		return out_fail(EXIT_FAILED, "several processes have a handle '%s': say whose, as PID:%s",
				word, word);
	case -EAGAIN:
		return out_fail(EXIT_FAILED, "the block at '%s' changes all the time; try again", word);
	default:
		return explain("looking at memory", err);
	}
}

static int whatis(struct cmd *c)
{
	struct myalloc_look look;
	const char *word = cmd_word(c);
	struct device d;
	struct place p;
	struct out *o;
	int code, err;

	if (!word)
		cmd_usage(c, "missing place: %s", FORMS);
	p = read_place(c, word);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	err = dev_look(d.fd, p.how, p.key, p.pid, p.slot, &look);
	device_close(&d);
	if (err)
		return failed(&d, &p, word, err);
	o = out_new("whatis");
	out_page_size(o, d.info.page_size);
	look_describe(o, &look);
	if (look.cache && look.slot != MYALLOC_LOOK_NONE && !*look.alloc.by)
		out_note("cache '%.*s' does not record who allocates: create it with --checks U, or load the module with checks=U",
			 (int)sizeof(look.name), look.name);
	return out_finish(o, EXIT_OK);
}

static const struct verb whatis_verbs[] = {
	{ "", whatis, "PLACE",
	  "say what is at a place: block, order, cache, slot, state, who allocated it, who freed it last",
	  NULL, .form = LOOK_FORM },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object whatis_object = {
	"whatis", "say what is at an address, page or handle, and whose it is", whatis_verbs, NULL
};
