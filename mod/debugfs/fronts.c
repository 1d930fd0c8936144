// SPDX-License-Identifier: GPL-2.0
/* The files about fronts and contracts: a line for each, with its statistics. See debugfs.c. */
#include "env.h"

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "client/contract.h"
#include "debugfs/files.h"
#include "front/arena.h"
#include "front/heap.h"
#include "front/pool.h"
#include "front/ring.h"
#include "stat.h"
#include "zone/front.h"

/* A column: a member of the statistics struct of a kind of front. */
struct column {
	const char *name;
	u16 offset;
	u8 bytes;
};

static void put_head(struct seq_file *m, const char *file, const struct column *column,
		     unsigned int nr)
{
	unsigned int i;

	seq_printf(m, "%s - version: 1.0\n# <name>", file);
	for (i = 0; i < nr; i++)
		seq_printf(m, " <%s>", column[i].name);
	seq_putc(m, '\n');
}

static void put_line(struct seq_file *m, const char *name, const void *stat,
		     const struct column *column, unsigned int nr)
{
	unsigned int i;

	seq_puts(m, name);
	for (i = 0; i < nr; i++) {
		const void *at = stat + column[i].offset;

		seq_printf(m, " %llu", column[i].bytes == sizeof(u32) ? *(const u32 *)at :
								     *(const u64 *)at);
	}
	seq_putc(m, '\n');
}

/* --- heaps ------------------------------------------------------------------------------- */

#define OF_HEAP(type, member, ...)	\
	{ #member, offsetof(struct myalloc_heap_stat, member), sizeof(type) },

static const struct column heap_columns[] = { MYALLOC_HEAP_FIELDS(OF_HEAP) };

static bool heap_line(struct myalloc_front *front, void *m)
{
	struct myalloc_heap_stat stat = {};

	myalloc_heap_stat_fill(&stat, myalloc_heap_of(front));
	put_line(m, front->name, &stat, heap_columns, ARRAY_SIZE(heap_columns));
	return true;
}

static int heaps_show(struct seq_file *m, void *unused)
{
	put_head(m, "heaps", heap_columns, ARRAY_SIZE(heap_columns));
	myalloc_front_walk(m->private, &myalloc_heap_kind, heap_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(heaps);

/* The classes of a heap that were used, from the statistics of their caches. */
static bool class_lines(struct myalloc_front *front, void *m)
{
	struct myalloc_heap *heap = myalloc_heap_of(front);
	u32 class, nr = smp_load_acquire(&heap->nr_classes);	/* pairs with heap.c */

	for (class = 1; class <= nr; class++) {
		struct myalloc_cache_stat stat = {};

		myalloc_cache_stat_fill(&stat, heap->cache[class]);
		if (stat.allocs || stat.fails)
			seq_printf(m, "%s %u %llu %llu %llu %llu %llu %llu %llu\n", front->name,
				   stat.object_size, stat.live_objects, stat.cached_objects,
				   stat.total_objects,
				   (stat.slabs << stat.order) << PAGE_SHIFT, stat.allocs,
				   stat.frees, stat.fails);
	}
	return true;
}

static int heap_classes_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "heap_classes - version: 1.0\n");
	seq_puts(m, "# <name> <object_size> <live_objects> <cached_objects> <total_objects> <held_bytes> <allocs> <frees> <fails>\n");
	myalloc_front_walk(m->private, &myalloc_heap_kind, class_lines, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(heap_classes);

/* --- rings ------------------------------------------------------------------------------- */

#define OF_RING(type, member, ...)	\
	{ #member, offsetof(struct myalloc_ring_stat, member), sizeof(type) },

static const struct column ring_columns[] = { MYALLOC_RING_FIELDS(OF_RING) };

static bool ring_line(struct myalloc_front *front, void *m)
{
	struct myalloc_ring_stat stat = {};

	myalloc_ring_stat_fill(&stat, myalloc_ring_of(front));
	put_line(m, front->name, &stat, ring_columns, ARRAY_SIZE(ring_columns));
	return true;
}

static int rings_show(struct seq_file *m, void *unused)
{
	put_head(m, "rings", ring_columns, ARRAY_SIZE(ring_columns));
	myalloc_front_walk(m->private, &myalloc_ring_kind, ring_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(rings);

/* --- arenas ------------------------------------------------------------------------------- */

#define OF_ARENA(type, member, ...)	\
	{ #member, offsetof(struct myalloc_arena_stat, member), sizeof(type) },

static const struct column arena_columns[] = { MYALLOC_ARENA_FIELDS(OF_ARENA) };

static bool arena_line(struct myalloc_front *front, void *m)
{
	struct myalloc_arena_stat stat = {};

	myalloc_arena_stat_fill(&stat, myalloc_arena_of(front));
	put_line(m, front->name, &stat, arena_columns, ARRAY_SIZE(arena_columns));
	return true;
}

static int arenas_show(struct seq_file *m, void *unused)
{
	put_head(m, "arenas", arena_columns, ARRAY_SIZE(arena_columns));
	myalloc_front_walk(m->private, &myalloc_arena_kind, arena_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(arenas);

/* --- object pools ------------------------------------------------------------------------ */

#define OF_POOL(type, member, ...)	\
	{ #member, offsetof(struct myalloc_pool_stat, member), sizeof(type) },

static const struct column pool_columns[] = { MYALLOC_POOL_FIELDS(OF_POOL) };

static bool pool_line(struct myalloc_front *front, void *m)
{
	struct myalloc_pool_stat stat = {};

	myalloc_pool_stat_fill(&stat, myalloc_pool_of(front));
	put_line(m, front->name, &stat, pool_columns, ARRAY_SIZE(pool_columns));
	return true;
}

static int pools_show(struct seq_file *m, void *unused)
{
	put_head(m, "pools", pool_columns, ARRAY_SIZE(pool_columns));
	myalloc_front_walk(m->private, &myalloc_pool_kind, pool_line, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pools);

/* --- contracts --------------------------------------------------------------------------- */

#define OF_CONTRACT(type, member, ...)	\
	{ #member, offsetof(struct myalloc_contract_stat, member), sizeof(type) },

static const struct column contract_columns[] = { MYALLOC_CONTRACT_FIELDS(OF_CONTRACT) };

static bool contract_lines(struct myalloc_front *front, void *m)
{
	struct myalloc_contract *contract = myalloc_contract_of(front);
	u32 i;

	for (i = 0; i < contract->nr; i++) {
		struct myalloc_contract_stat stat = {};

		myalloc_contract_stat_fill(&stat, contract, i);
		put_line(m, stat.name, &stat, contract_columns, ARRAY_SIZE(contract_columns));
	}
	return true;
}

static int contracts_show(struct seq_file *m, void *unused)
{
	put_head(m, "contracts", contract_columns, ARRAY_SIZE(contract_columns));
	myalloc_front_walk(m->private, &myalloc_contract_kind, contract_lines, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contracts);

/* Where requests beyond each line came from; "-" stands for all places but the first few. */
static bool contract_site_lines(struct myalloc_front *front, void *m)
{
	struct myalloc_contract *contract = myalloc_contract_of(front);
	struct myalloc_contract_stats *stats;
	char symbol[MYALLOC_ENV_SYMBOL];
	u32 i, k;

	stats = myalloc_env_zalloc(sizeof(*stats), NUMA_NO_NODE);
	if (!stats) {
		seq_printf(m, "%s: out of memory\n", front->name);
		return true;
	}
	for (i = 0; i < contract->nr; i++) {
		myalloc_contract_stats(contract, i, stats);
		for (k = 0; k < MYALLOC_CONTRACT_SITES; k++) {
			const struct myalloc_contract_site *site = &stats->sites[k];

			if (!site->count)
				continue;
			strscpy(symbol, "-", sizeof(symbol));
			if (site->caller)
				myalloc_env_symbol(symbol, sizeof(symbol), site->caller);
			seq_printf(m, "%s.%u %llu %s\n", front->name, i, site->count, symbol);
		}
	}
	myalloc_env_free(stats);
	return true;
}

static int contract_sites_show(struct seq_file *m, void *unused)
{
	seq_puts(m, "contract_sites - version: 1.0\n# <line> <beyond> <caller>\n");
	myalloc_front_walk(m->private, &myalloc_contract_kind, contract_site_lines, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(contract_sites);

/**
 * myalloc_debugfs_fronts() - create these files
 * @root: directory to create them in
 * @zone: the zone
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_fronts(struct dentry *root, struct myalloc_zone *zone)
{
	debugfs_create_file("heaps", 0444, root, zone, &heaps_fops);
	debugfs_create_file("heap_classes", 0444, root, zone, &heap_classes_fops);
	debugfs_create_file("pools", 0444, root, zone, &pools_fops);
	debugfs_create_file("rings", 0444, root, zone, &rings_fops);
	debugfs_create_file("arenas", 0444, root, zone, &arenas_fops);
	debugfs_create_file("contracts", 0444, root, zone, &contracts_fops);
	debugfs_create_file("contract_sites", 0400, root, zone, &contract_sites_fops);
}
