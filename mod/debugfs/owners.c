// SPDX-License-Identifier: GPL-2.0
/* The file "owners": the memory that each call site holds. See debugfs.c. */
#include "env.h"

#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "base/sort.h"
#include "budget.h"
#include "client/contract.h"
#include "client/within.h"
#include "debugfs/files.h"
#include "device/session.h"
#include "object/cache.h"
#include "object/check.h"
#include "stat.h"
#include "zone/zone.h"

/**
 * struct owner - the memory that one call site holds
 * @line: number of the line of a contract + 1; 0 if it is in none
 * @caller: address of the code
 * @stack: handle of the call stack, 0 if unknown
 * @count: blocks or objects; 0: this entry is unused
 * @size: pages, or bytes of objects
 * @oldest: allocation time of the oldest, ns since boot
 */
struct owner {
	u64 caller;
	u32 line;
	u32 stack;
	u64 count;
	u64 size;
	u64 oldest;
};

/**
 * struct owners - a hash table of owners, with linear probing
 * @bits: log2 of entries
 * @nr: entries in use
 * @entry: the entries
 * @full: there were more owners than entries
 *
 * The table never grows: entries are added under a raw lock, where nothing can be allocated.
 * If it fills up, the caller starts again with a larger one.
 */
struct owners {
	unsigned int bits;
	u32 nr;
	struct owner *entry;
	bool full;
};

#define OWNERS_BITS_LEAST	8
#define OWNERS_BITS_MOST	18

static bool owners_add(struct owners *o, u32 line, u64 caller, u32 stack, u64 size, u64 when)
{
	u32 mask = BIT(o->bits) - 1;
	u32 at = hash_64(caller + stack + ((u64)line << 32), o->bits);

	for (;; at = (at + 1) & mask) {
		struct owner *e = &o->entry[at];

		if (e->count && (e->line != line || e->caller != caller || e->stack != stack))
			continue;
		if (!e->count) {
			if (o->nr > mask / 4 * 3) {
				o->full = true;
				return false;
			}
			o->nr++;
			e->line = line;
			e->caller = caller;
			e->stack = stack;
			e->oldest = when;
		}
		e->count++;
		e->size += size;
		e->oldest = min(e->oldest, when);
		return true;
	}
}

static int compare_owners(const void *a, const void *b)
{
	const struct owner *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return x->caller < y->caller ? -1 : x->caller > y->caller;
}

/*
 * Let @walk fill a table that is large enough, and sort it. o->entry then begins with o->nr
 * owners; the caller frees it.
 */
static int owners_collect(struct owners *o, void (*walk)(struct owners *o, void *arg),
			  void *arg)
{
	for (o->bits = OWNERS_BITS_LEAST; ; o->bits++) {
		o->nr = 0;
		o->full = false;
		o->entry = myalloc_budget_zalloc("owners", sizeof(*o->entry) << o->bits,
						 NUMA_NO_NODE);
		if (!o->entry)
			return -ENOMEM;
		walk(o, arg);
		if (!o->full || o->bits == OWNERS_BITS_MOST)
			break;
		myalloc_env_free(o->entry);
	}
	myalloc_sort(o->entry, BIT(o->bits), sizeof(*o->entry), compare_owners);
	return 0;
}

/* Print the call stack, one line for each frame, without an intermediate buffer. */
static void put_stack(struct seq_file *m, u32 stack)
{
	char *buf;
	size_t size = seq_get_buf(m, &buf);
	int n;

	if (!stack)
		return;
	if (!size) {
		seq_commit(m, -1);
		return;
	}
	n = myalloc_env_stack_format(stack, buf, size);
	seq_commit(m, n + 1 < size ? n : -1);
}

/* Print one owner. @what describes its memory; "%s" in it becomes the name of a contract's line. */
static void put_what(struct seq_file *m, const char *what, u32 line)
{
	char name[sizeof_field(struct myalloc_contract_part, name)];
	const char *at = line ? strstr(what, "%s") : NULL;

	if (!at) {
		seq_printf(m, "%-20s", what);
		return;
	}
	myalloc_within_name(m->private, line - 1, name, sizeof(name));
	seq_printf(m, "%.*s%s%s", (int)(at - what), what, name, at + 2);
}

static void put_owners(struct seq_file *m, const char *what, const struct owners *o)
{
	char symbol[MYALLOC_ENV_SYMBOL];
	u64 now = myalloc_env_now_ns();
	u32 i;

	for (i = 0; i < o->nr; i++) {
		const struct owner *e = &o->entry[i];

		put_what(m, what, e->line);
		seq_printf(m, " %8llu %10llu ", e->count, e->size);
		if (e->oldest == U64_MAX)
			seq_printf(m, "%10s", "-");
		else
			seq_printf(m, "%10llu", div_u64(now - min(e->oldest, now),
							NSEC_PER_MSEC));
		strscpy(symbol, "not recorded", sizeof(symbol));
		if (e->caller)
			myalloc_env_symbol(symbol, sizeof(symbol), e->caller);
		seq_printf(m, " %s\n", symbol);
		put_stack(m, e->stack);
	}
	if (o->full)
		seq_printf(m, "%-20s and others\n", what);
}

static bool add_block(struct myalloc_zone *z, u32 idx, const struct myalloc_frame *frame,
		      void *arg)
{
	if (!myalloc_frame_is_users(frame->type))
		return true;
	return owners_add(arg, z->limit ? myalloc_contract_part_of(z->limit)->id + 1 : 0,
			  frame->caller, z->checks & MYALLOC_OWNER ? frame->stack : 0,
			  myalloc_frame_pages(frame), U64_MAX);
}

static void walk_blocks(struct owners *o, void *zone)
{
	myalloc_zone_walk_blocks(zone, add_block, o);
}

/* The list link of a quarantined block has overwritten its call stack. */
static bool add_quarantined(struct myalloc_zone *z, u32 idx, const struct myalloc_frame *frame,
			    void *arg)
{
	return frame->type != MYALLOC_FRAME_QUARANTINE ||
	       owners_add(arg, 0, frame->caller, 0, BIT(frame->order), U64_MAX);
}

static void walk_quarantined(struct owners *o, void *zone)
{
	myalloc_zone_walk_blocks(zone, add_quarantined, o);
}

static void add_object(struct myalloc_cache *cache, void *object,
		       const struct myalloc_track *track, void *arg)
{
	struct owners *o = arg;

	if (track && !o->full)
		owners_add(o, 0, track->caller, track->stack, cache->layout.object_size,
			   track->when);
}

static void walk_objects(struct owners *o, void *cache)
{
	/* Only caches that record owners matter here, and these have no magazines. */
	__myalloc_cache_walk_live(cache, add_object, o);
}

/* --- contracts: pages set aside, and memory in use within --------------------------------- */

static bool add_set_aside(struct myalloc_zone *z, u32 idx, const struct myalloc_frame *frame,
			  void *arg)
{
	return frame->type != MYALLOC_FRAME_CONTRACT ||
	       owners_add(arg, frame->cache + 1, frame->caller, 0, BIT(frame->order), U64_MAX);
}

static void walk_set_aside(struct owners *o, void *zone)
{
	myalloc_zone_walk_blocks(zone, add_set_aside, o);
}

static void walk_pages_within(struct owners *o, void *zone)
{
	myalloc_within_walk(zone, &(struct myalloc_within){ .block = add_block, .arg = o });
}

static void add_object_within(struct myalloc_cache *cache, void *object,
			      const struct myalloc_track *track, void *arg)
{
	u32 line = myalloc_contract_part_of(cache->zone->limit)->id + 1;
	struct owners *o = arg;

	if (!o->full)
		owners_add(o, line, track ? track->caller : 0, track ? track->stack : 0,
			   cache->layout.object_size, track ? track->when : U64_MAX);
}

static void walk_objects_within(struct owners *o, void *zone)
{
	myalloc_within_walk(zone, &(struct myalloc_within){
		.object = add_object_within, .arg = o });
}

struct owners_show {
	struct seq_file *m;
	int err;
};

static bool show_cache_owners(struct myalloc_cache *cache, void *arg)
{
	struct myalloc_cache_stat stat = {};
	struct owners_show *show = arg;
	struct owners o;

	if (!(cache->flags & MYALLOC_OWNER)) {
		myalloc_cache_stat_fill(&stat, cache);
		if (stat.live_objects)
			seq_printf(show->m, "%-20s %8llu %10llu %10s not recorded\n",
				   cache->name, stat.live_objects,
				   stat.live_objects * stat.object_size, "-");
		return true;
	}
	show->err = owners_collect(&o, walk_objects, cache);
	if (show->err)
		return false;
	put_owners(show->m, cache->name, &o);
	myalloc_env_free(o.entry);
	return true;
}

/* All but the caches of the zone itself. A name in parentheses has its size in pages. */
static const struct {
	const char *what;
	void (*walk)(struct owners *o, void *zone);
} walks[] = {
	{ "(pages)", walk_blocks },
	{ "(quarantined)", walk_quarantined },
	{ "(contract:%s)", walk_set_aside },
	{ "(within:%s)", walk_pages_within },
	{ "within:%s", walk_objects_within },
};

static int owners_show(struct seq_file *m, void *unused)
{
	struct owners_show show = { .m = m };
	struct owners o;
	unsigned int i;
	int err;

	seq_puts(m, "owners - version: 1.0\n");
	seq_puts(m, "# what              <count> <pages|bytes> <oldest_ms> <caller>\n");
	for (i = 0; i < ARRAY_SIZE(walks); i++) {
		err = owners_collect(&o, walks[i].walk, m->private);
		if (err)
			return err;
		put_owners(m, walks[i].what, &o);
		myalloc_env_free(o.entry);
	}
	myalloc_zone_walk_caches(m->private, show_cache_owners, &show);
	if (show.err)
		return show.err;
	myalloc_sessions_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(owners);

/**
 * myalloc_debugfs_owners() - create this file
 * @root: directory to create it in
 * @zone: the zone
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_owners(struct dentry *root, struct myalloc_zone *zone)
{
	debugfs_create_file("owners", 0400, root, zone, &owners_fops);
}
