// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/myalloc: files to look inside
 *
 * What it is: text, made anew for each open, that changes nothing. What can have the form of a
 * file in /proc has exactly that, so that programs that read those read these: buddyinfo and
 * slabinfo. The first line of any other file with more than one line names it and the
 * version of its form, as /proc/slabinfo does. Every number is also in the ioctls and comes
 * from the same functions (stat.c).
 *
 * Files are 0444, or 0400 where they show addresses, are opened for reading only and have
 * neither ioctl nor mmap, so that they also open under lockdown.
 *
 * Locking and removal: debugfs_remove() waits for whoever is in a show. The files of
 * one cache are removed before it is freed, so their shows may use it without a lock,
 * and must not take caches_mutex, under which a cache may be created and its files with
 * it. The files that show all caches pin one after the other; they are removed when the
 * module is. No show takes zone->lock for longer than one chunk takes.
 */
#include "env.h"

#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/seq_file.h>

#include "budget.h"
#include "compat.h"
#include "debugfs/debugfs.h"
#include "reserve.h"
#include "device/session.h"
#include "object/cache.h"
#include "object/check.h"
#include "base/sort.h"
#include "stat.h"
#include "zone/zone.h"

/*
 * Numbers of a cache that are files of their own: those that one wants in a script, by SLUB's
 * names. Each costs a dentry and an inode, 0.8 kB, for as long as the cache lives, so not
 * all are; the file "all" has every one.
 */
#define CACHE_FILES	8

/**
 * struct cache_dir - the directory of a cache
 * @link: in cache_dirs
 * @cache: the cache
 * @dir: its directory
 * @file: what each file in it shows
 */
struct cache_dir {
	struct list_head link;
	struct myalloc_cache *cache;
	struct dentry *dir;
	struct cache_file {
		struct myalloc_cache *cache;
		const struct cache_attr *attr;
	} file[CACHE_FILES];
};

static struct myalloc_zone *zone;
static const struct myalloc_reserve *reserve;
static struct dentry *root;
static struct dentry *caches;

/* Innermost; protects the list. */
static DEFINE_MUTEX(dirs_mutex);
static LIST_HEAD(cache_dirs);

/* --- chunks ----------------------------------------------------------------------- */

static int chunk_node(u32 chunk)
{
	return page_to_nid(virt_to_page(reserve->chunks[chunk]));
}

static u32 chunk_pages(u32 chunk)
{
	u32 before = chunk << reserve->chunk_order;

	return min_t(u32, reserve->nr_pages - before, BIT(reserve->chunk_order));
}

/* Adds the free blocks of a chunk to @nr, which is by order. */
static void chunk_free_blocks(u32 chunk, u64 *nr)
{
	u32 idx = chunk << reserve->chunk_order, end = idx + chunk_pages(chunk);
	struct myalloc_block block;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	while (idx < end && myalloc_buddy_lookup(&zone->buddy, idx, &block)) {
		if (block.free)
			nr[block.order]++;
		idx = block.idx + BIT(block.order);
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
}

/* --- buddyinfo ------------------------------------------------------------------ */

/* As many counts as the kernel has: no block of ours is of an order that it does not have. */
static void buddyinfo_line(struct seq_file *m, int node, const u64 *nr)
{
	unsigned int k;

	seq_printf(m, "Node %d, zone %8s ", node, "myalloc");
	for (k = 0; k <= MYALLOC_KERNEL_MAX_ORDER; k++)
		seq_printf(m, "%6llu ", k < MYALLOC_ORDERS ? nr[k] : 0);
	seq_putc(m, '\n');
}

/* What the zone does not count: free blocks of one node. How many chunks are there. */
static u32 node_free_blocks(int node, u64 *nr)
{
	u32 chunks = 0, i;

	memset(nr, 0, MYALLOC_ORDERS * sizeof(*nr));
	for (i = 0; i < reserve->nr_chunks; i++) {
		if (chunk_node(i) != node)
			continue;
		chunks++;
		chunk_free_blocks(i, nr);
		cond_resched();
	}
	return chunks;
}

static bool on_one_node(void)
{
	u32 i;

	for (i = 1; i < reserve->nr_chunks; i++)
		if (chunk_node(i) != chunk_node(0))
			return false;
	return true;
}

static int buddyinfo_show(struct seq_file *m, void *unused)
{
	struct myalloc_stat *stat;
	int node, err;

	stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, zone);
	if (!err && on_one_node()) {
		buddyinfo_line(m, chunk_node(0), stat->free_blocks);
	} else if (!err) {
		for_each_online_node(node)
			if (node_free_blocks(node, stat->free_blocks))
				buddyinfo_line(m, node, stat->free_blocks);
	}
	myalloc_env_free(stat);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(buddyinfo);

/* --- fragmentation --------------------------------------------------------------- */

/* 1/1000 as mm/vmstat.c prints it. */
static void put_index(struct seq_file *m, int index)
{
	seq_printf(m, " %s%d.%03d", index < 0 ? "-" : " ", abs(index) / 1000,
		   abs(index) % 1000);
}

static int fragmentation_show(struct seq_file *m, void *unused)
{
	struct myalloc_stat *stat;
	unsigned int k;
	int err;

	stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, zone);
	if (!err) {
		seq_puts(m, "fragmentation - version: 1.0\n");
		seq_puts(m, "# order  pages <free_blocks> <cached_blocks> <unusable> <extfrag>\n");
		for (k = 0; k <= stat->max_order; k++) {
			seq_printf(m, "%7u %6lu %13llu %15llu     ", k, BIT(k),
				   stat->free_blocks[k], stat->cached_blocks[k]);
			put_index(m, stat->unusable[k]);
			seq_puts(m, "   ");
			put_index(m, stat->extfrag[k]);
			seq_putc(m, '\n');
		}
		seq_printf(m, "largest_order %d\n", stat->largest_order);
	}
	myalloc_env_free(stat);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(fragmentation);

/* --- stats ------------------------------------------------------------------------ */

struct stat_name {
	const char *name;
	size_t offset;
};

#define STAT(member)	{ #member, offsetof(struct myalloc_stat, member) }

static const struct stat_name stat_scalars[] = {
	STAT(free_pages),
	STAT(cached_pages),
	STAT(page_pages),
	STAT(slab_pages),
	STAT(deferred_pages),
	STAT(quarantined_pages),
	STAT(bad_pages),
	STAT(peak_pages),
	STAT(nr_caches),
	STAT(nmi_fails),
	STAT(splits),
	STAT(merges),
	STAT(drains),
	STAT(deferred_frees),
	STAT(quarantines),
	STAT(bad_frees),
	STAT(corruptions),
	STAT(reports_suppressed),
};

static const struct stat_name stat_orders[] = {
	STAT(free_blocks),
	STAT(cached_blocks),
	STAT(page_allocs),
	STAT(page_frees),
	STAT(page_fails),
	STAT(page_hits),
};

static const struct stat_name stat_indices[] = {
	STAT(unusable),
	STAT(extfrag),
};

static void put_info(struct seq_file *m, const struct myalloc_info *info)
{
	u64 bytes = info->nr_pages * info->page_size;

	seq_printf(m, "page_size %u\n", info->page_size);
	seq_printf(m, "nr_pages %llu\n", info->nr_pages);
	seq_printf(m, "nr_chunks %llu\n", info->nr_chunks);
	seq_printf(m, "chunk_order %u\n", info->chunk_order);
	seq_printf(m, "max_order %u\n", info->max_order);
	seq_printf(m, "node %d\n", info->node);
	seq_printf(m, "nr_cpus %u\n", info->nr_cpus);
	seq_printf(m, "checks 0x%x\n", info->checks);
	seq_printf(m, "meta_bytes %llu\n", info->meta_bytes);
	seq_printf(m, "meta_ppm %llu\n", div64_u64(info->meta_bytes * 1000000, bytes));
}

static void put_orders(struct seq_file *m, const struct myalloc_stat *stat)
{
	unsigned int i, k;

	for (i = 0; i < ARRAY_SIZE(stat_orders); i++) {
		const u64 *value = (const void *)stat + stat_orders[i].offset;

		for (k = 0; k <= stat->max_order; k++)
			seq_printf(m, "%s_order%u %llu\n", stat_orders[i].name, k, value[k]);
	}
	for (i = 0; i < ARRAY_SIZE(stat_indices); i++) {
		const s32 *value = (const void *)stat + stat_indices[i].offset;

		for (k = 0; k <= stat->max_order; k++)
			seq_printf(m, "%s_order%u %d\n", stat_indices[i].name, k, value[k]);
	}
}

static int stats_show(struct seq_file *m, void *unused)
{
	struct myalloc_info info = {};
	struct myalloc_stat *stat;
	unsigned int i;
	int err;

	stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, zone);
	if (!err) {
		myalloc_info_fill(&info, zone, reserve);
		seq_puts(m, "stats - version: 1.0\n");
		put_info(m, &info);
		for (i = 0; i < ARRAY_SIZE(stat_scalars); i++)
			seq_printf(m, "%s %llu\n", stat_scalars[i].name,
				   *(const u64 *)((const void *)stat + stat_scalars[i].offset));
		seq_printf(m, "largest_order %d\n", stat->largest_order);
		put_orders(m, stat);
	}
	myalloc_env_free(stat);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* --- pcp --------------------------------------------------------------------------- */

static int pcp_show(struct seq_file *m, void *unused)
{
	unsigned int i;
	int cpu;

	seq_puts(m, "pcp - version: 1.0\n");
	seq_puts(m, "# order   cpu <loaded> <previous> <capacity> <batch>       <gets>       <puts>\n");
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		const struct myalloc_magazines *mags = &zone->pcp[i];
		unsigned int order = myalloc_pcp_order(i);
		u64 cached = myalloc_magazines_count(mags);

		if (!mags->capacity)
			continue;
		for_each_possible_cpu(cpu) {
			const struct myalloc_magazine_cpu *c = per_cpu_ptr(mags->cpu, cpu);
			u32 loaded = myalloc_magazines_loaded(mags, c);
			u32 previous = READ_ONCE(READ_ONCE(c->previous)->count);

			cached -= min_t(u64, cached, loaded + previous);
			seq_printf(m, "%7u %5d %8u %10u %10u %7u %12llu %12llu\n", order, cpu,
				   loaded, previous, mags->capacity, mags->batch,
				   READ_ONCE(c->nr_gets), READ_ONCE(c->nr_puts));
		}
		seq_printf(m, "%7u depot %8llu %10u %10u %7u %12u %12u\n", order, cached, 0,
			   mags->capacity * (mags->nr_magazines - 2 * num_possible_cpus()),
			   mags->batch, 0, 0);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pcp);

/* --- reserve ------------------------------------------------------------------------- */

static u64 chunk_free_pages(u32 chunk)
{
	u64 nr[MYALLOC_ORDERS] = {}, pages = 0;
	unsigned int k;

	chunk_free_blocks(chunk, nr);
	for (k = 0; k < MYALLOC_ORDERS; k++)
		pages += nr[k] << k;
	return pages;
}

static int reserve_show(struct seq_file *m, void *unused)
{
	u32 i;

	seq_puts(m, "reserve - version: 1.0\n");
	seq_puts(m, "# chunk      <pfn>-<end>      <node> <pages> <free>\n");
	for (i = 0; i < reserve->nr_chunks; i++) {
		unsigned long pfn = page_to_pfn(virt_to_page(reserve->chunks[i]));

		seq_printf(m, "%7u %10lx-%-10lx %6d %7u %6llu\n", i, pfn, pfn + chunk_pages(i),
			   chunk_node(i), chunk_pages(i), chunk_free_pages(i));
		cond_resched();
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reserve);

/* --- slabinfo ------------------------------------------------------------------------ */

static bool slabinfo_line(struct myalloc_cache *cache, void *arg)
{
	struct myalloc_cache_stat stat = {};
	struct seq_file *m = arg;

	myalloc_cache_stat_fill(&stat, cache);
	seq_printf(m, "%-17s %6llu %6llu %6u %4u %4lu", stat.name, stat.live_objects,
		   stat.total_objects, stat.slot_size, stat.objects_per_slab,
		   BIT(stat.order));
	seq_printf(m, " : tunables %4u %4u %4u", stat.magazine, cache->mags.batch, 0);
	seq_printf(m, " : slabdata %6llu %6llu %6u\n", stat.slabs - stat.slabs_empty,
		   stat.slabs, 0);
	return true;
}

static int slabinfo_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "slabinfo - version: 2.1\n");
	seq_puts(m, "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>");
	seq_puts(m, " : tunables <limit> <batchcount> <sharedfactor>");
	seq_puts(m, " : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	myalloc_zone_walk_caches(zone, slabinfo_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slabinfo);

/* --- owners ---------------------------------------------------------------------------- */

/**
 * struct owner - what one call site holds
 * @caller: address of the code
 * @stack: handle of the call stack, 0 if unknown
 * @count: blocks or objects; 0: this entry is unused
 * @size: pages, or bytes of objects
 * @oldest: ns since boot, of the oldest
 */
struct owner {
	u64 caller;
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
 * @full: there were more owners than it holds
 *
 * It never grows: entries are added under a raw lock, where nothing can be allocated.
 * Who finds it full begins again with a larger one.
 */
struct owners {
	unsigned int bits;
	u32 nr;
	struct owner *entry;
	bool full;
};

#define OWNERS_BITS_LEAST	8
#define OWNERS_BITS_MOST	18

static bool owners_add(struct owners *o, u64 caller, u32 stack, u64 size, u64 when)
{
	u32 mask = BIT(o->bits) - 1;
	u32 at = hash_64(caller + stack, o->bits);

	for (;; at = (at + 1) & mask) {
		struct owner *e = &o->entry[at];

		if (e->count && (e->caller != caller || e->stack != stack))
			continue;
		if (!e->count) {
			if (o->nr > mask / 4 * 3) {
				o->full = true;
				return false;
			}
			o->nr++;
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
 * Has @walk fill a table that is large enough, and sorts it. Then o->entry begins with
 * o->nr owners; to be freed.
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

/* The call stack, a line for each frame, without a buffer between. */
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

static void put_owners(struct seq_file *m, const char *what, const struct owners *o)
{
	u64 now = myalloc_env_now_ns();
	u32 i;

	for (i = 0; i < o->nr; i++) {
		const struct owner *e = &o->entry[i];

		seq_printf(m, "%-20s %8llu %10llu ", what, e->count, e->size);
		if (e->oldest == U64_MAX)
			seq_printf(m, "%10s", "-");
		else
			seq_printf(m, "%10llu", div_u64(now - min(e->oldest, now),
							NSEC_PER_MSEC));
		seq_printf(m, " %pS\n", (void *)(unsigned long)e->caller);
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
	return owners_add(arg, frame->caller,
			  z->checks & MYALLOC_OWNER ? frame->stack : 0,
			  myalloc_frame_pages(frame), U64_MAX);
}

static void walk_blocks(struct owners *o, void *unused)
{
	myalloc_zone_walk_blocks(zone, add_block, o);
}

/* Its call stack has given way to a link. */
static bool add_quarantined(struct myalloc_zone *z, u32 idx, const struct myalloc_frame *frame,
			    void *arg)
{
	return frame->type != MYALLOC_FRAME_QUARANTINE ||
	       owners_add(arg, frame->caller, 0, BIT(frame->order), U64_MAX);
}

static void walk_quarantined(struct owners *o, void *unused)
{
	myalloc_zone_walk_blocks(zone, add_quarantined, o);
}

static void add_object(struct myalloc_cache *cache, void *object,
		       const struct myalloc_track *track, void *arg)
{
	struct owners *o = arg;

	if (track && !o->full)
		owners_add(o, track->caller, track->stack, cache->layout.object_size,
			   track->when);
}

static void walk_objects(struct owners *o, void *cache)
{
	myalloc_cache_walk_live(cache, add_object, o);
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

static int owners_show(struct seq_file *m, void *unused)
{
	struct owners_show show = { .m = m };
	struct owners o;
	int err;

	seq_puts(m, "owners - version: 1.0\n");
	seq_puts(m, "# what              <count> <pages|bytes> <oldest_ms> <caller>\n");
	err = owners_collect(&o, walk_blocks, NULL);
	if (err)
		return err;
	put_owners(m, "(pages)", &o);
	myalloc_env_free(o.entry);
	err = owners_collect(&o, walk_quarantined, NULL);
	if (err)
		return err;
	put_owners(m, "(quarantined)", &o);
	myalloc_env_free(o.entry);
	myalloc_zone_walk_caches(zone, show_cache_owners, &show);
	if (show.err)
		return show.err;
	myalloc_sessions_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(owners);

/* --- caches/<name>/ ---------------------------------------------------------------------- */

/**
 * struct cache_attr - a file in the directory of a cache
 * @name: SLUB's, where it means the same
 * @offset: of the number in struct myalloc_cache_stat
 * @less: offset of a number to be subtracted, or 0
 * @is_u32: the number has 32 bits, not 64
 * @flag: show whether this flag is set instead
 */
struct cache_attr {
	const char *name;
	u16 offset;
	u16 less;
	bool is_u32;
	u32 flag;
};

#define AT(member)		offsetof(struct myalloc_cache_stat, member)
#define U32(file, member)	{ .name = file, .offset = AT(member), .is_u32 = true }
#define U64(file, member)	{ .name = file, .offset = AT(member) }
#define LESS(file, a, b)	{ .name = file, .offset = AT(a), .less = AT(b) }
#define FLAG(file, bit)		{ .name = file, .flag = bit }

/* The first CACHE_FILES are files of their own. */
static const struct cache_attr cache_attrs[] = {
	U32("object_size", object_size),
	U32("slab_size", slot_size),
	U32("order", order),
	U32("objs_per_slab", objects_per_slab),
	U64("objects", live_objects),
	U64("total_objects", total_objects),
	U64("slabs", slabs),
	U64("partial", slabs_partial),
	/* Only in "all". */
	U32("id", id),
	U32("align", align),
	U32("magazine", magazine),
	U64("empty", slabs_empty),
	U64("cached_objects", cached_objects),
	U64("deferred_objects", deferred_objects),
	U64("allocs", allocs),
	U64("frees", frees),
	U64("fails", fails),
	U64("alloc_fastpath", alloc_hits),
	LESS("alloc_slowpath", allocs, alloc_hits),
	U64("free_fastpath", free_hits),
	LESS("free_slowpath", frees, free_hits),
	U64("refills", refills),
	U64("flushes", flushes),
	U64("bad_frees", bad_frees),
	U64("corruptions", corruptions),
	U64("meta_bytes", meta_bytes),
	U64("waste_bytes", waste_bytes),
	FLAG("sanity_checks", MYALLOC_CHECK_SANITY),
	FLAG("red_zone", MYALLOC_CHECK_REDZONE),
	FLAG("poison", MYALLOC_CHECK_POISON),
	FLAG("store_user", MYALLOC_CHECK_OWNER),
	FLAG("zero_alloc", MYALLOC_CACHE_ZERO_ALLOC),
	FLAG("zero_free", MYALLOC_CACHE_ZERO_FREE),
	FLAG("random", MYALLOC_CACHE_RANDOM),
	FLAG("certain", MYALLOC_CACHE_CERTAIN),
	FLAG("trusting", MYALLOC_CACHE_TRUSTING),
};

static u64 number_at(const struct myalloc_cache_stat *stat, u16 offset, bool is_u32)
{
	const void *at = (const void *)stat + offset;

	return is_u32 ? *(const u32 *)at : *(const u64 *)at;
}

static u64 attr_value(const struct cache_attr *attr, const struct myalloc_cache_stat *stat)
{
	u64 number;

	if (attr->flag)
		return !!(stat->flags & attr->flag);
	number = number_at(stat, attr->offset, attr->is_u32);
	if (attr->less)
		number -= number_at(stat, attr->less, attr->is_u32);
	return number;
}

static int cache_attr_show(struct seq_file *m, void *unused)
{
	const struct cache_file *file = m->private;
	struct myalloc_cache_stat stat = {};

	myalloc_cache_stat_fill(&stat, file->cache);
	seq_printf(m, "%llu\n", attr_value(file->attr, &stat));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cache_attr);

static int cache_all_show(struct seq_file *m, void *unused)
{
	const struct cache_dir *dir = m->private;
	struct myalloc_cache_stat stat = {};
	unsigned int i;

	myalloc_cache_stat_fill(&stat, dir->cache);
	seq_puts(m, "cache - version: 1.0\n");
	for (i = 0; i < ARRAY_SIZE(cache_attrs); i++)
		seq_printf(m, "%s %llu\n", cache_attrs[i].name,
			   attr_value(&cache_attrs[i], &stat));
	if (dir->cache->ctor)
		seq_printf(m, "ctor %pS\n", dir->cache->ctor);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(cache_all);

/* Under caches_mutex. Without memory the cache has no directory, and works all the same. */
static void cache_added(struct myalloc_cache *cache)
{
	struct cache_dir *dir;
	unsigned int i;

	dir = myalloc_env_zalloc_charged(sizeof(*dir), NUMA_NO_NODE);
	if (!dir)
		return;
	dir->cache = cache;
	dir->dir = debugfs_create_dir(cache->name, caches);
	for (i = 0; i < CACHE_FILES; i++) {
		dir->file[i].cache = cache;
		dir->file[i].attr = &cache_attrs[i];
		debugfs_create_file(cache_attrs[i].name, 0444, dir->dir, &dir->file[i],
				    &cache_attr_fops);
	}
	debugfs_create_file("all", 0444, dir->dir, dir, &cache_all_fops);
	mutex_lock(&dirs_mutex);
	list_add(&dir->link, &cache_dirs);
	mutex_unlock(&dirs_mutex);
}

static void cache_removed(struct myalloc_cache *cache)
{
	struct cache_dir *dir, *found = NULL;

	mutex_lock(&dirs_mutex);
	list_for_each_entry(dir, &cache_dirs, link) {
		if (dir->cache == cache) {
			found = dir;
			list_del(&dir->link);
			break;
		}
	}
	mutex_unlock(&dirs_mutex);
	if (!found)
		return;
	debugfs_remove(found->dir);
	myalloc_env_free(found);
}

const struct myalloc_zone_ops myalloc_debugfs_zone_ops = {
	.cache_added = cache_added,
	.cache_removed = cache_removed,
};

/**
 * myalloc_debugfs_init() - make the files
 * @for_zone: the zone; it has no caches yet
 * @for_reserve: its pages
 *
 * Without debugfs there are no files and nothing else changes.
 */
void myalloc_debugfs_init(struct myalloc_zone *for_zone,
			  const struct myalloc_reserve *for_reserve)
{
	zone = for_zone;
	reserve = for_reserve;
	root = debugfs_create_dir("myalloc", NULL);
	caches = debugfs_create_dir("caches", root);
	debugfs_create_file("buddyinfo", 0444, root, NULL, &buddyinfo_fops);
	debugfs_create_file("slabinfo", 0444, root, NULL, &slabinfo_fops);
	debugfs_create_file("stats", 0444, root, NULL, &stats_fops);
	debugfs_create_file("pcp", 0444, root, NULL, &pcp_fops);
	debugfs_create_file("fragmentation", 0444, root, NULL, &fragmentation_fops);
	debugfs_create_file("reserve", 0400, root, NULL, &reserve_fops);
	debugfs_create_file("owners", 0400, root, NULL, &owners_fops);
}

/**
 * myalloc_debugfs_exit() - remove the files
 *
 * Waits for whoever reads one.
 */
void myalloc_debugfs_exit(void)
{
	struct cache_dir *dir, *next;

	debugfs_remove(root);
	list_for_each_entry_safe(dir, next, &cache_dirs, link) {
		list_del(&dir->link);
		myalloc_env_free(dir);
	}
}
