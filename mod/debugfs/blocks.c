// SPDX-License-Identifier: GPL-2.0
/*
 * Files about pages: buddyinfo, fragmentation, pcp, reserve. See debugfs.c.
 *
 * No show function holds zone->lock for longer than one chunk takes.
 */
#include "env.h"

#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/seq_file.h>

#include "compat.h"
#include "debugfs/files.h"
#include "stat.h"
#include "zone/zone.h"

/* --- chunks ----------------------------------------------------------------------- */

/* The address of a chunk; NULL for a hole. A chunk may become a hole at any moment. */
static void *chunk_addr(const struct myalloc_zone *zone, u32 chunk)
{
	return (void *)READ_ONCE(zone->chunks[chunk]);
}

/* NUMA_NO_NODE for a hole */
static int chunk_node(const struct myalloc_zone *zone, u32 chunk)
{
	void *addr = chunk_addr(zone, chunk);

	return addr ? page_to_nid(virt_to_page(addr)) : NUMA_NO_NODE;
}

static u32 chunk_pages(const struct myalloc_zone *zone, u32 chunk)
{
	u32 before = chunk << zone->chunk_order;

	return min_t(u32, zone->buddy.nr_frames - before, BIT(zone->chunk_order));
}

/*
 * Add the free blocks that begin in a chunk to @nr, which is indexed by order. Returns the number
 * of free pages in the chunk.
 */
static u32 chunk_free_blocks(struct myalloc_zone *zone, u32 chunk, u64 *nr)
{
	u32 idx = chunk << zone->chunk_order, end = idx + chunk_pages(zone, chunk), next, pages = 0;
	struct myalloc_block block;
	unsigned long irq;

	raw_spin_lock_irqsave(&zone->lock, irq);
	while (idx < end && myalloc_buddy_lookup(&zone->buddy, idx, &block)) {
		next = min_t(u32, block.idx + BIT(block.order), end);
		if (block.free) {
			nr[block.order] += block.idx == idx;
			pages += next - idx;
		}
		idx = next;
	}
	raw_spin_unlock_irqrestore(&zone->lock, irq);
	return pages;
}

/* --- buddyinfo ------------------------------------------------------------------ */

/*
 * Print as many counts as the kernel has orders, because programs expect lines of equal length. A
 * larger block counts as several of the kernel's largest order.
 */
static void buddyinfo_line(struct seq_file *m, int node, const u64 *nr)
{
	unsigned int k, top = MYALLOC_KERNEL_MAX_ORDER;
	u64 last = 0;

	for (k = top; k < MYALLOC_ORDERS; k++)
		last += nr[k] << (k - top);
	seq_printf(m, "Node %d, zone %8s ", node, "myalloc");
	for (k = 0; k < top; k++)
		seq_printf(m, "%6llu ", k < MYALLOC_ORDERS ? nr[k] : 0);
	seq_printf(m, "%6llu ", last);
	seq_putc(m, '\n');
}

/* Count free blocks per node, which the zone does not. Returns the number of chunks on the node. */
static u32 node_free_blocks(struct myalloc_zone *zone, int node, u64 *nr)
{
	u32 chunks = 0, i;

	memset(nr, 0, MYALLOC_ORDERS * sizeof(*nr));
	for (i = 0; i < zone->nr_chunks; i++) {
		if (chunk_node(zone, i) != node)
			continue;
		chunks++;
		chunk_free_blocks(zone, i, nr);
		cond_resched();
	}
	return chunks;
}

static bool on_one_node(const struct myalloc_zone *zone)
{
	u32 i;

	for (i = 1; i < zone->nr_chunks; i++)
		if (chunk_node(zone, i) != chunk_node(zone, 0) && chunk_addr(zone, i))
			return false;
	return true;
}

static int buddyinfo_show(struct seq_file *m, void *unused)
{
	struct myalloc_zone *zone = m->private;
	struct myalloc_stat *stat;
	int node, err;

	stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, zone);
	if (!err && on_one_node(zone)) {
		buddyinfo_line(m, chunk_node(zone, 0), stat->free_blocks);
	} else if (!err) {
		for_each_online_node(node)
			if (node_free_blocks(zone, node, stat->free_blocks))
				buddyinfo_line(m, node, stat->free_blocks);
	}
	myalloc_env_free(stat);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(buddyinfo);

/* --- fragmentation --------------------------------------------------------------- */

/* Print 1/1000 as mm/vmstat.c does. */
static void put_index(struct seq_file *m, int index)
{
	seq_printf(m, " %s%d.%03d", index < 0 ? "-" : " ", abs(index) / 1000,
		   abs(index) % 1000);
}

static int fragmentation_show(struct seq_file *m, void *unused)
{
	struct myalloc_zone *zone = m->private;
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

/* --- pcp --------------------------------------------------------------------------- */

static int pcp_show(struct seq_file *m, void *unused)
{
	struct myalloc_zone *zone = m->private;
	unsigned int i;
	int cpu;

	seq_puts(m, "pcp - version: 1.0\n");
	seq_puts(m, "# order   cpu <loaded> <previous> <capacity> <batch>       <takes>      <gives>\n");
	for (i = 0; i < MYALLOC_PCP_LISTS; i++) {
		const struct myalloc_magazines *mags = &zone->pcp[i];
		unsigned int order = myalloc_pcp_order(i);
		u64 cached = myalloc_magazines_count(mags);

		if (!mags->capacity)
			continue;
		for_each_possible_cpu(cpu) {
			struct myalloc_magazine_look look;

			myalloc_magazines_look(mags, cpu, &look);
			cached -= min_t(u64, cached, look.loaded + look.previous);
			seq_printf(m, "%7u %5d %8u %10u %10u %7u %12llu %12llu\n", order, cpu,
				   look.loaded, look.previous, mags->capacity, mags->batch,
				   look.takes, look.gives);
		}
		seq_printf(m, "%7u depot %8llu %10u %10u %7u %12u %12u\n", order, cached, 0,
			   mags->capacity * mags->depot,
			   mags->batch, 0, 0);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pcp);

/* --- reserve ------------------------------------------------------------------------- */

static u64 chunk_free_pages(struct myalloc_zone *zone, u32 chunk)
{
	u64 nr[MYALLOC_ORDERS] = {};

	return chunk_free_blocks(zone, chunk, nr);
}

static int reserve_show(struct seq_file *m, void *unused)
{
	struct myalloc_zone *zone = m->private;
	u32 i;

	seq_puts(m, "reserve - version: 1.1\n");
	if (zone->elastic)
		seq_printf(m, "# chunks: %u, at least %u, at most %u\n",
			   zone->nr_chunks - READ_ONCE(zone->nr_holes), zone->nr_fixed,
			   zone->nr_chunks);
	seq_puts(m, "# chunk      <pfn>-<end>      <node> <pages> <free> <largest order>\n");
	for (i = 0; i < zone->nr_chunks; i++) {
		void *addr = chunk_addr(zone, i);
		unsigned long pfn;

		if (!addr)
			continue;
		pfn = page_to_pfn(virt_to_page(addr));
		seq_printf(m, "%7u %10lx-%-10lx %6d %7u %6llu %2u\n", i, pfn,
			   pfn + chunk_pages(zone, i), chunk_node(zone, i), chunk_pages(zone, i),
			   chunk_free_pages(zone, i),
			   zone->buddy.joined ? zone->buddy.joined->limit[i] : zone->chunk_order);
		cond_resched();
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reserve);

/**
 * myalloc_debugfs_blocks() - create these files
 * @root: directory to create them in
 * @zone: the zone
 *
 * Context: task, sleeps.
 */
void myalloc_debugfs_blocks(struct dentry *root, struct myalloc_zone *zone)
{
	debugfs_create_file("buddyinfo", 0444, root, zone, &buddyinfo_fops);
	debugfs_create_file("fragmentation", 0444, root, zone, &fragmentation_fops);
	debugfs_create_file("pcp", 0444, root, zone, &pcp_fops);
	debugfs_create_file("reserve", 0400, root, zone, &reserve_fops);
}
