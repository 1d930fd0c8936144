// SPDX-License-Identifier: GPL-2.0
/*
 * drain: return pages in per-CPU magazines and empty slabs to the zone
 */
#include <string.h>

#include "host/mem.h"
#include "obj/device.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "out/out.h"

static const struct {
	const char *word;
	__u32 flags;
} kinds[] = {
	{ "pages", MYALLOC_DRAIN_PAGES },
	{ "objects", MYALLOC_DRAIN_OBJECTS },
	{ "all", MYALLOC_DRAIN_FLAGS },
};

static __u32 flags_of(const char *word)
{
	const char *names[ARRAY_SIZE(kinds)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!strcmp(word, kinds[i].word))
			return kinds[i].flags;
		names[i] = kinds[i].word;
	}
	cmd_wrong_word("argument", word, names, ARRAY_SIZE(kinds));
}

static const char drain_form[] =
	"what:text pages:uint stats:[" STATS_ROW "]";

static int drain(struct cmd *c)
{
	struct myalloc_stat before, after;
	const char *word = cmd_word(c);
	struct device d;
	struct out *o;
	__u64 pages;
	__u32 flags;
	int code, err;

	if (!word)
		word = "all";
	flags = flags_of(word);
	cmd_done(c);
	code = device_open(&d);
	if (code)
		return code;
	code = device_stat(&d, &before);
	if (code)
		goto out;
	err = dev_drain(d.fd, flags, &pages);
	if (err) {
		code = explain("draining", err);
		goto out;
	}
	code = device_stat(&d, &after);
	if (code)
		goto out;
	o = out_new("drain");
	out_page_size(o, d.info.page_size);
	out_str(o, "what", "drained", OUT_PLAIN, word);
	out_u64(o, "pages", "returned", OUT_PAGES, pages);
	out_list(o, "stats", "Pages");
	stats_row(o, "before", &before);
	stats_row(o, "after", &after);
	out_end(o);
	code = out_finish(o, EXIT_OK);
out:
	device_close(&d);
	return code;
}

static const struct verb drain_verbs[] = {
	{ "", drain, "[pages|objects|all]",
	  "return per-CPU page magazines (pages), object magazines and empty slabs (objects), or both to the zone",
	  NULL, .form = drain_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object drain_object = {
	"drain", "return cached pages and empty slabs to the zone",
	drain_verbs, NULL
};
