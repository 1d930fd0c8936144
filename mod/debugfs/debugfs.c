// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/debug/myalloc: files for inspection
 *
 * All files are text, produced at each open, and reading them changes nothing. buddyinfo and
 * slabinfo have exactly the format of the files in /proc, so that programs that parse those parse
 * these too. In any other file with more than one line the first line contains its name and the
 * version of its format, as in /proc/slabinfo. Every number is also available by ioctl and comes
 * from the same functions (stat.c).
 *
 * Files have mode 0444, or 0400 if they show addresses, are opened for reading only and have
 * neither ioctl nor mmap, so that they also open under lockdown.
 *
 * Locking and removal: debugfs_remove() waits for running show functions. The files of a cache
 * are removed before it is freed, so their show functions may use it without a lock. The files that
 * show all caches pin one cache after the other; they are removed with the module.
 *
 * If there is a zone for each of several NUMA nodes, each has a directory with the same files
 * (myalloc_debugfs_init()), and the file nodes shows the counters of numastat.
 *
 * This file shows the numbers of the zone and of caches; blocks.c shows pages, fronts.c heaps, and
 * owners.c the memory that each call site holds.
 */
#include "env.h"

#include <linux/dcache.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/seq_file.h>

#include "debugfs/debugfs.h"
#include "debugfs/files.h"
#include "object/cache.h"
#include "stat.h"
#include "trace.h"
#include "zone/nodes.h"
#include "zone/zone.h"

/**
 * struct cache_dir - the directory of a cache
 * @link: in cache_dirs
 * @cache: the cache
 * @dir: its directory
 * @file: contents of each file in it except "all"
 */
struct cache_dir {
	struct list_head link;
	struct myalloc_cache *cache;
	struct dentry *dir;
	struct cache_file {
		struct myalloc_cache *cache;
		const struct cache_attr *attr;
	} file[];
};

static struct myalloc_nodes *nodes;
static struct dentry *root;
/* The directory "caches" of each zone of the set. */
static struct dentry **caches;

/* The innermost lock; protects cache_dirs. */
static DEFINE_MUTEX(dirs_mutex);
static LIST_HEAD(cache_dirs);

/* --- stats ------------------------------------------------------------------------ */

struct stat_name {
	const char *name;
	u16 offset;
	u8 bytes;
	bool by_order;
};

#define ONE(type, member, ...)		\
	{ #member, offsetof(struct myalloc_stat, member), sizeof(type), false },
#define BY_ORDER(type, member, ...)	\
	{ #member, offsetof(struct myalloc_stat, member), sizeof(type), true },

static const struct stat_name stat_names[] = { MYALLOC_ZONE_FIELDS(ONE, BY_ORDER) };

/* 32-bit fields are signed. */
static s64 stat_value(const struct stat_name *field, const struct myalloc_stat *stat,
		      unsigned int k)
{
	const void *at = (const void *)stat + field->offset + k * field->bytes;

	return field->bytes == sizeof(s32) ? *(const s32 *)at : *(const s64 *)at;
}

static void put_info(struct seq_file *m, const struct myalloc_info *info)
{
	u64 bytes = info->nr_pages * info->page_size;

	seq_printf(m, "page_size %u\n", info->page_size);
	seq_printf(m, "nr_chunks %llu\n", info->nr_chunks);
	seq_printf(m, "chunk_order %u\n", info->chunk_order);
	seq_printf(m, "max_order %u\n", info->max_order);
	seq_printf(m, "node %d\n", info->node);
	seq_printf(m, "nr_cpus %u\n", info->nr_cpus);
	seq_printf(m, "checks 0x%x\n", info->checks);
	seq_printf(m, "meta_bytes %llu\n", info->meta_bytes);
	/* The file is world-readable, so show the bits that a DMA mask needs, not the address. */
	seq_printf(m, "phys_bits %d\n", fls64(info->last_phys));
	seq_printf(m, "meta_ppm %llu\n", div64_u64(info->meta_bytes * 1000000, bytes));
}

static void put_stat(struct seq_file *m, const struct myalloc_stat *stat)
{
	const struct stat_name *field, *end = stat_names + ARRAY_SIZE(stat_names);
	unsigned int k;

	for (field = stat_names; field < end; field++)
		if (!field->by_order)
			seq_printf(m, "%s %lld\n", field->name, stat_value(field, stat, 0));
	for (field = stat_names; field < end; field++)
		for (k = 0; field->by_order && k <= stat->max_order; k++)
			seq_printf(m, "%s_order%u %lld\n", field->name, k,
				   stat_value(field, stat, k));
}

static int stats_show(struct seq_file *m, void *unused)
{
	struct myalloc_info info = {};
	struct myalloc_stat *stat;
	int err;

	stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, m->private);
	if (!err) {
		myalloc_info_fill(&info, m->private);
		seq_puts(m, "stats - version: 1.0\n");
		put_info(m, &info);
		put_stat(m, stat);
	}
	myalloc_env_free(stat);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(stats);

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
	myalloc_zone_walk_caches(m->private, slabinfo_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(slabinfo);

/* --- caches/<name>/ ---------------------------------------------------------------------- */

/**
 * struct cache_attr - a number of a cache: a line of "all", and perhaps a file
 * @name: SLUB's name, if the meaning is the same
 * @offset: offset of the number in struct myalloc_cache_stat
 * @less: offset of a number to subtract, or 0
 * @bytes: size of the number
 * @own: the number also has its own file, for use in scripts. Each file costs a dentry and an
 *	inode, 0.8 kB, for as long as the cache exists, so only some have one
 * @flag: show whether this flag is set instead of a number
 */
struct cache_attr {
	const char *name;
	u16 offset;
	u16 less;
	u8 bytes;
	bool own;
	u32 flag;
};

#define AS_FILE(file)		.name = #file, .own = true
#define AS_LINE(file)		.name = #file
#define AT(member)		offsetof(struct myalloc_cache_stat, member)
#define NUMBER(type, member, where, ...)	\
	{ AS_##where, .offset = AT(member), .bytes = sizeof(type) },
#define LESS(file, a, b)	\
	{ .name = file, .offset = AT(a), .less = AT(b), .bytes = sizeof(u64) }
#define FLAG(file, bit)		{ .name = file, .flag = bit }

static const struct cache_attr cache_attrs[] = {
	MYALLOC_CACHE_FIELDS(NUMBER)
	LESS("alloc_slowpath", allocs, alloc_hits),
	LESS("free_slowpath", frees, free_hits),
	FLAG("sanity_checks", MYALLOC_CHECK_SANITY),
	FLAG("red_zone", MYALLOC_CHECK_REDZONE),
	FLAG("poison", MYALLOC_CHECK_POISON),
	FLAG("store_user", MYALLOC_CHECK_OWNER),
	FLAG("zero_alloc", MYALLOC_CACHE_ZERO_ALLOC),
	FLAG("zero_free", MYALLOC_CACHE_ZERO_FREE),
	FLAG("random", MYALLOC_CACHE_RANDOM),
	FLAG("certain", MYALLOC_CACHE_CERTAIN),
	FLAG("trusting", MYALLOC_CACHE_TRUSTING),
	FLAG("typesafe_by_rcu", MYALLOC_CACHE_TYPESAFE_RCU),
};

static u64 number_at(const struct myalloc_cache_stat *stat, u16 offset, u8 bytes)
{
	const void *at = (const void *)stat + offset;

	return bytes == sizeof(u32) ? *(const u32 *)at : *(const u64 *)at;
}

static u64 attr_value(const struct cache_attr *attr, const struct myalloc_cache_stat *stat)
{
	u64 number;

	if (attr->flag)
		return !!(stat->flags & attr->flag);
	number = number_at(stat, attr->offset, attr->bytes);
	if (attr->less)
		number -= number_at(stat, attr->less, attr->bytes);
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

/* The least that a file or directory takes while nobody has it open. */
#define FILE_BYTES	(sizeof(struct dentry) + sizeof(struct inode))

static struct dentry *caches_of(const struct myalloc_zone *zone)
{
	u32 i = 0;

	while (nodes->zone[i].zone != zone)
		i++;
	return caches[i];
}

/* If out of memory the cache has no directory, but works. */
static void cache_added(struct myalloc_cache *cache)
{
	struct cache_file *file;
	unsigned int i, nr = 0;
	struct cache_dir *dir;

	for (i = 0; i < ARRAY_SIZE(cache_attrs); i++)
		nr += cache_attrs[i].own;
	dir = caches ? myalloc_env_zalloc_charged(struct_size(dir, file, nr), NUMA_NO_NODE) : NULL;
	if (!dir)
		return;
	dir->cache = cache;
	dir->dir = debugfs_create_dir(cache->name, caches_of(cache->zone));
	for (i = 0, file = dir->file; i < ARRAY_SIZE(cache_attrs); i++) {
		if (!cache_attrs[i].own)
			continue;
		file->cache = cache;
		file->attr = &cache_attrs[i];
		debugfs_create_file(cache_attrs[i].name, 0444, dir->dir, file++, &cache_attr_fops);
	}
	debugfs_create_file("all", 0444, dir->dir, dir, &cache_all_fops);
	WRITE_ONCE(cache->shown_bytes, struct_size(dir, file, nr) +
		   (IS_ERR(dir->dir) ? 0 : (nr + 2) * FILE_BYTES));
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

static void client_quota(struct myalloc_client *client, u32 pages, bool refused)
{
	trace_client_quota(client->id, pages, atomic64_read(&client->pages), refused);
}

const struct myalloc_zone_ops myalloc_debugfs_zone_ops = {
	.cache_added = cache_added,
	.cache_removed = cache_removed,
	.client_quota = client_quota,
};

/* --- nodes ----------------------------------------------------------------------------- */

/* The nodes whose zones a request of this node tries, in that order. */
static void put_order(struct seq_file *m, int node)
{
	const u16 *order = myalloc_nodes_order(nodes, node);
	u32 i;

	for (i = 0; i < nodes->nr_zones; i++)
		seq_printf(m, "%s%d", i ? "," : " ", nodes->zone[order[i]].node);
	seq_putc(m, '\n');
}

static int nodes_show(struct seq_file *m, void *unused)
{
	struct myalloc_node_stats stats;
	int node, err;
	u32 i;

	seq_puts(m, "nodes - version: 1.0\n");
	seq_puts(m, "# <node>    <pages>     <free>   <numa_hit>  <numa_miss> <numa_foreign> <order>\n");
	for (i = 0; i < nodes->nr_zones; i++) {
		err = myalloc_nodes_stats(nodes, i, &stats);
		if (err)
			return err;
		seq_printf(m, "%8d %10llu %10llu %12llu %12llu %14llu", stats.node, stats.nr_pages,
			   stats.free_pages, stats.hit, stats.miss, stats.foreign);
		put_order(m, stats.node);
	}
	for_each_online_node(node) {
		if (myalloc_nodes_zone(nodes, node, MYALLOC_THISNODE))
			continue;
		seq_printf(m, "%8d %10u %10u %12u %12u %14u", node, 0, 0, 0, 0, 0);
		put_order(m, node);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(nodes);

/* The files of a zone. Returns the directory of its caches. */
static struct dentry *zone_files(struct dentry *dir, struct myalloc_zone *zone)
{
	debugfs_create_file("slabinfo", 0444, dir, zone, &slabinfo_fops);
	debugfs_create_file("stats", 0444, dir, zone, &stats_fops);
	myalloc_debugfs_blocks(dir, zone);
	myalloc_debugfs_fronts(dir, zone);
	myalloc_debugfs_clients(dir, zone);
	myalloc_debugfs_owners(dir, zone);
	return debugfs_create_dir("caches", dir);
}

/**
 * myalloc_debugfs_init() - create the files
 * @of: the zones; they have no caches yet
 *
 * The files of the first zone are in the directory itself, those of each other one in a directory
 * "nodeN". A link of that form leads to the files of the first zone, unless its memory may be on
 * any node, so that each node has an entry.
 * Without debugfs there are no files; nothing else changes.
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_init(struct myalloc_nodes *of)
{
	char name[16];
	u32 i;

	nodes = of;
	caches = myalloc_env_zalloc(of->nr_zones * sizeof(*caches), NUMA_NO_NODE);
	if (!caches)
		return;
	root = debugfs_create_dir("myalloc", NULL);
	debugfs_create_file("nodes", 0444, root, NULL, &nodes_fops);
	caches[0] = zone_files(root, of->zone[0].zone);
	if (of->zone[0].node != NUMA_NO_NODE) {
		scnprintf(name, sizeof(name), "node%d", of->zone[0].node);
		debugfs_create_symlink(name, root, ".");
	}
	for (i = 1; i < of->nr_zones; i++) {
		scnprintf(name, sizeof(name), "node%d", of->zone[i].node);
		caches[i] = zone_files(debugfs_create_dir(name, root), of->zone[i].zone);
	}
}

/**
 * myalloc_debugfs_exit() - remove the files
 *
 * Waits for current readers.
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_exit(void)
{
	struct cache_dir *dir, *next;

	debugfs_remove(root);
	root = NULL;
	myalloc_env_free(caches);
	caches = NULL;
	list_for_each_entry_safe(dir, next, &cache_dirs, link) {
		list_del(&dir->link);
		myalloc_env_free(dir);
	}
}
