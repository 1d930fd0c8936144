// SPDX-License-Identifier: GPL-2.0
/*
 * The reserve: pages taken from the system at load and given back at unload
 *
 * The reserve consists of chunks, each a block of 2^chunk_order pages from alloc_pages_node(),
 * sorted by address. The zone requires nothing more: chunks need not be adjacent. Where they are,
 * blocks may be larger than a chunk (lib/zone/zone.c).
 *
 * Adjacent chunks: the system's own allocator mostly gives adjacent blocks one after the other, but
 * where it begins is chance. Therefore more chunks are taken than needed, as many as the largest
 * block has on either side of it, but only from memory that is free without reclaim, and at most
 * half of the memory that the system can spare. The chunks that form the largest blocks are kept,
 * the others given back at once. The message at load, the file reserve and 'myallocctl info' show
 * the result.
 *
 * Chunks are split: each page has its own reference count, which is 1. In an unsplit block all
 * pages but the first have 0, and get_page() followed by put_page() on one of them would free it
 * to the system while it is in use. Splitting makes it safe to lend pages (lib/page/lend.c). A
 * chunk goes back joined into one block again, or else page by page: the system frees a page with
 * other references when the last of them is dropped, and withholds a page that it knows to be bad
 * (PageHWPoison). It withholds single pages only: with a block it would take the bad page back,
 * and hand it out again unless init_on_alloc makes it look at that time.
 *
 * The reserve has exactly the requested size. If that is not a multiple of the chunk size, the
 * pages after the end of the last chunk are freed at once. A reserve smaller than one chunk
 * uses a chunk order that fits, because no larger block could lie in it.
 *
 * The allocation is all or nothing: if not every chunk is available, those taken are freed and
 * the load fails with a message that names the amount available. It does not fall back to smaller
 * chunks, because a user who counts on large blocks would find out too late; a user who does not
 * sets a smaller chunk_order.
 *
 * A reserve that may grow (max_mb) consists of whole chunks. The zone takes further ones, one at a
 * time, from wherever the system has them, and gives them back (lib/zone/elastic.c). They are split
 * and known to kmemleak as the first ones are. The task that grows the zone may have promised not
 * to wait for file systems or devices; alloc_pages() and kmemleak obey that.
 *
 * At unload, a chunk with a page that was not freed stays allocated until the next boot. The other
 * chunks go back.
 *
 * To spare the system's other users, __GFP_NORETRY makes the kernel reclaim and compact once for
 * each chunk but never call the OOM killer, and before the first chunk the total is compared
 * with the available memory, less a margin.
 */
#include "env.h"

#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>

#include "budget.h"
#include "compat.h"
#include "reserve.h"
#include "base/sort.h"
#include "zone/zone.h"

#define MIB_PAGES	MYALLOC_BUDGET_MIB_PAGES

static unsigned long to_mib(unsigned long pages)
{
	return pages / MIB_PAGES;
}

/* Memory of a node, or of all nodes. */
static unsigned long present_pages(int node)
{
	return node == NUMA_NO_NODE ? totalram_pages() : node_present_pages(node);
}

static int check_size(const char *asked, u64 mib, int node)
{
	unsigned long present = present_pages(node), available, most;

	if (mib > to_mib(present)) {
		pr_err("%s: %s has only %lu MiB of memory; give less\n", asked,
		       node == NUMA_NO_NODE ? "this machine" : "that node", to_mib(present));
		return -ENOMEM;
	}
	if (mib * MIB_PAGES > U32_MAX / 2) {
		pr_err("%s: the reserve can have at most %lu MiB\n", asked,
		       to_mib(U32_MAX / 2));
		return -EINVAL;
	}
	available = max(si_mem_available(), 0L);
	most = myalloc_budget_pages(available, totalram_pages());
	if (mib * MIB_PAGES > most) {
		pr_err("%s: %lu MiB are available, of which %lu are left to the system; at most %lu can be reserved\n",
		       asked, to_mib(available), to_mib(myalloc_budget_margin(totalram_pages())),
		       to_mib(most));
		return -ENOMEM;
	}
	return 0;
}

/* The reserve need not fit now if it is to grow later, but it must be able to fit at all. */
static int check_max(u64 mib, int node)
{
	if (mib <= to_mib(min(present_pages(node), U32_MAX / 2UL)))
		return 0;
	pr_err("max_mb=%llu: the reserve can grow to at most %lu MiB here; give less\n", mib,
	       to_mib(min(present_pages(node), U32_MAX / 2UL)));
	return -EINVAL;
}

static int compare(const void *a, const void *b)
{
	const void *x = *(void * const *)a, *y = *(void * const *)b;

	return x < y ? -1 : x > y;
}

/* Pages in the last chunk that are part of the reserve. */
static u32 last_pages(const struct myalloc_reserve *r)
{
	return r->nr_pages - ((r->nr_chunks - 1) << r->chunk_order);
}

/* Bytes of a chunk that are part of the reserve. */
static size_t chunk_bytes(const struct myalloc_reserve *r, u32 nr)
{
	return (size_t)(nr == r->nr_chunks - 1 ? last_pages(r) : BIT(r->chunk_order)) << PAGE_SHIFT;
}

/*
 * kmemleak looks for pointers in memory that it knows, and it does not know pages: without this
 * it would report memory as leaked if only our objects point to it. A min_count of 0 means that
 * the reserve itself is never reported. Registering each object instead is impossible: that
 * allocates, which is not allowed in NMI. So the whole reserve is scanned, including free
 * memory, where a stale pointer may hide a leak.
 */
static void kmemleak_add(const struct myalloc_reserve *r)
{
	u32 i;

	for (i = 0; i < r->nr_chunks; i++)
		kmemleak_alloc(r->chunks[i], chunk_bytes(r, i), 0, GFP_KERNEL);
}

static void kmemleak_remove(const struct myalloc_reserve *r)
{
	u32 i;

	for (i = 0; i < r->nr_chunks; i++)
		kmemleak_free(r->chunks[i]);
}

/* Does the system know one of the pages to be bad? One marked after this goes back as it is. */
static bool any_bad(void *chunk, u32 nr)
{
	struct page *page = virt_to_page(chunk);

	while (nr--)
		if (PageHWPoison(page + nr))
			return true;
	return false;
}

static void free_pages_of(void *chunk, u32 from, u32 to)
{
	for (; from < to; from++)
		__free_page(virt_to_page(chunk + ((size_t)from << PAGE_SHIFT)));
}

/* Free a chunk that is not split, but split it if it has a bad page. */
static void free_chunk(unsigned int order, void *chunk)
{
	if (any_bad(chunk, BIT(order))) {
		split_page(virt_to_page(chunk), order);
		free_pages_of(chunk, 0, BIT(order));
	} else {
		free_pages((unsigned long)chunk, order);
	}
}

/* Free the pages after the end of the reserve. */
static void trim_last(struct myalloc_reserve *r)
{
	free_pages_of(r->chunks[r->nr_chunks - 1], last_pages(r), BIT(r->chunk_order));
}

/*
 * Allocate the chunks, and up to @spare more; these are not split yet. r->nr_chunks is the number
 * allocated, also after an error.
 */
static int take_chunks(struct myalloc_reserve *r, u32 nr, u32 spare)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

	if (r->node != NUMA_NO_NODE)
		gfp |= __GFP_THISNODE;
	for (r->nr_chunks = 0; r->nr_chunks < nr + spare; r->nr_chunks++) {
		bool needed = r->nr_chunks < nr;
		struct page *page = NULL;

		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!needed)
			gfp &= ~__GFP_RECLAIM;
		if (!needed || !myalloc_env_should_fail())
			page = alloc_pages_node(r->node, gfp, r->chunk_order);
		if (!page)
			return needed ? -ENOMEM : 0;
		r->chunks[r->nr_chunks] = page_address(page);
	}
	return 0;
}

/* Number of chunks to take in addition. */
static u32 spare_chunks(const struct myalloc_reserve *r, unsigned int max_order, u32 nr)
{
	unsigned long available = max(si_mem_available(), 0L), most, spare;

	if (max_order <= r->chunk_order || nr < 2)
		return 0;
	most = myalloc_budget_pages(available, totalram_pages());
	spare = most > r->nr_pages ? (most - r->nr_pages) / 2 : 0;
	return min_t(unsigned long, spare >> r->chunk_order,
		     2 * BIT(max_order - r->chunk_order) - 2);
}

/*
 * Keep @nr of the chunks, which are sorted, and free the others: those of the largest blocks first,
 * and of equal ones the lowest.
 */
static void choose_chunks(struct myalloc_reserve *r, u32 nr, unsigned int max_order)
{
	const unsigned long *addr = (const unsigned long *)r->chunks;
	u32 left = nr, kept = 0, i, n;
	unsigned int order;

	if (r->nr_chunks == nr)
		return;
	/* The lowest bit of an address marks a chunk that is kept. */
	for (order = max_order; left; order--)
		for (i = 0; left && i < r->nr_chunks; i += n) {
			n = 1;
			if (addr[i] & 1 ||
			    myalloc_chunks_limit(addr, r->nr_chunks, i, r->chunk_order,
						 order) != order)
				continue;
			for (n = 0; left && n < BIT(order - r->chunk_order); n++, left--)
				r->chunks[i + n] += 1;
		}
	for (i = 0; i < r->nr_chunks; i++) {
		if (addr[i] & 1)
			r->chunks[kept++] = (void *)(addr[i] - 1);
		else
			free_chunk(r->chunk_order, (void *)addr[i]);
	}
	r->nr_chunks = kept;
}

/*
 * Turn a split chunk back into one block, in which only the first page has a reference. Fails
 * if another user (a scan of physical memory) holds a page for a moment.
 */
static bool join(struct page *page, u32 nr)
{
	u32 i;

	for (i = 1; i < nr; i++) {
		if (!page_ref_freeze(page + i, 1))
			break;
	}
	if (i == nr)
		return true;
	while (--i)
		page_ref_unfreeze(page + i, 1);
	return false;
}

/*
 * Free a chunk as one block, as it was allocated, if that is possible and no page is bad. Page by
 * page it would pass through the page allocator's per-CPU lists, and each load would leave some
 * KiB less free (scenario load_unload).
 */
static void give_chunk(unsigned int order, void *chunk, u32 nr)
{
	if (nr == BIT(order) && !any_bad(chunk, nr) && join(virt_to_page(chunk), nr))
		free_pages((unsigned long)chunk, order);
	else
		free_pages_of(chunk, 0, nr);
}

/* Free chunks that are not split. */
static void free_chunks(struct myalloc_reserve *r)
{
	while (r->nr_chunks)
		free_chunk(r->chunk_order, r->chunks[--r->nr_chunks]);
	myalloc_env_free(r->chunks);
	r->chunks = NULL;
}

/* @last: pages in the last chunk */
static void give_chunks(struct myalloc_reserve *r, u32 last)
{
	for (; r->nr_chunks; last = BIT(r->chunk_order)) {
		cond_resched();
		give_chunk(r->chunk_order, r->chunks[--r->nr_chunks], last);
	}
	myalloc_env_free(r->chunks);
	r->chunks = NULL;
}

/**
 * myalloc_reserve_take() - take pages from the system
 * @reserve: out
 * @asked: the parameter that requests it, for messages
 * @mib: size in MiB; not 0
 * @max_mib: size up to which it may grow in MiB, at least @mib; if it is more, @mib is rounded up
 *	to whole chunks
 * @chunk_order: log2 of pages in a chunk, at most the kernel's and MYALLOC_CHUNK_MAX
 * @max_order: largest order of a block where chunks are adjacent
 * @node: an online NUMA node, NUMA_NO_NODE for any
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM or -EINVAL after a message was printed; -EINTR if the task was
 * killed. After an error nothing is held.
 */
int myalloc_reserve_take(struct myalloc_reserve *reserve, const char *asked, u64 mib, u64 max_mib,
			 unsigned int chunk_order, unsigned int max_order, int node)
{
	unsigned long had;
	u32 nr, spare, i;
	int err;

	memset(reserve, 0, sizeof(*reserve));
	err = check_size(asked, mib, node) ?: check_max(max_mib, node);
	if (err)
		return err;
	reserve->nr_pages = mib * MIB_PAGES;
	reserve->chunk_order = min_t(u32, chunk_order, ilog2(reserve->nr_pages));
	reserve->node = node;
	nr = DIV_ROUND_UP(reserve->nr_pages, BIT(reserve->chunk_order));
	if (max_mib > mib) {
		reserve->nr_pages = nr << reserve->chunk_order;
		reserve->max_chunks = DIV_ROUND_UP(max_mib * MIB_PAGES, BIT(reserve->chunk_order));
		if (reserve->max_chunks == nr)	/* it would only fill its last chunk */
			reserve->max_chunks = 0;
	}
	spare = spare_chunks(reserve, max_order, nr);
	reserve->chunks = myalloc_env_zalloc((nr + spare) * sizeof(*reserve->chunks), node);
	if (!reserve->chunks) {
		pr_err("%s: out of memory for the list of %u chunks\n", asked, nr);
		return -ENOMEM;
	}
	err = take_chunks(reserve, nr, spare);
	if (err) {
		had = (unsigned long)reserve->nr_chunks << reserve->chunk_order;
		free_chunks(reserve);
		if (err == -ENOMEM)
			pr_err("%s: only %lu MiB could be allocated in chunks of %lu KiB and have been freed again; give less, or a chunk_order below %u\n",
			       asked, to_mib(had),
			       (PAGE_SIZE << reserve->chunk_order) / 1024,
			       reserve->chunk_order);
		return err;
	}
	myalloc_sort(reserve->chunks, reserve->nr_chunks, sizeof(*reserve->chunks), compare);
	choose_chunks(reserve, nr, max_order);
	for (i = 0; i < nr; i++)
		split_page(virt_to_page(reserve->chunks[i]), reserve->chunk_order);
	trim_last(reserve);
	kmemleak_add(reserve);
	return 0;
}

static void *take_more(struct myalloc_zone *zone)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC;
	unsigned long pages = BIT(zone->chunk_order);
	struct page *page;

	if (myalloc_budget_pages(si_mem_available(), totalram_pages()) < pages ||
	    myalloc_env_should_fail())
		return NULL;
	if (zone->node != NUMA_NO_NODE)
		gfp |= __GFP_THISNODE;
	gfp = current_gfp_context(gfp);
	page = alloc_pages_node(zone->node, gfp, zone->chunk_order);
	if (!page)
		return NULL;
	split_page(page, zone->chunk_order);
	kmemleak_alloc(page_address(page), pages << PAGE_SHIFT, 0, gfp);
	return page_address(page);
}

static void give_back(struct myalloc_zone *zone, void *chunk)
{
	kmemleak_free(chunk);
	give_chunk(zone->chunk_order, chunk, BIT(zone->chunk_order));
}

const struct myalloc_chunk_ops myalloc_reserve_chunk_ops = { .take = take_more, .give = give_back };

/**
 * myalloc_reserve_release() - give every page back to the system
 * @reserve: from myalloc_reserve_take(); the module must no longer use the pages
 *
 * Context: task, may sleep.
 */
void myalloc_reserve_release(struct myalloc_reserve *reserve)
{
	kmemleak_remove(reserve);
	give_chunks(reserve, last_pages(reserve));
}

static void salvage_chunk(struct myalloc_zone *zone, void *chunk, u32 pages)
{
	kmemleak_free(chunk);
	give_chunk(zone->chunk_order, chunk, pages);
}

/**
 * myalloc_reserve_salvage() - give back the unused chunks of a zone that cannot be destroyed
 * @reserve: from myalloc_reserve_take()
 * @zone: the zone made of it, abandoned
 *
 * Unused chunks go back to the system. The others stay allocated, and a message names their size.
 *
 * Context: task, may sleep.
 */
void myalloc_reserve_salvage(struct myalloc_reserve *reserve, struct myalloc_zone *zone)
{
	struct myalloc_salvage s;

	myalloc_zone_salvage(zone, salvage_chunk, &s);
	myalloc_env_free(reserve->chunks);
	reserve->chunks = NULL;
	reserve->nr_chunks = 0;
	pr_err("%llu KiB of the reserve went back to the system; %u page%s in %u chunk%s stay reserved until the next boot, because %u of them %s not freed\n",
	       (u64)s.pages << (PAGE_SHIFT - 10), s.kept_pages, myalloc_s(s.kept_pages),
	       s.kept_chunks, myalloc_s(s.kept_chunks), s.held_pages,
	       s.held_pages == 1 ? "was" : "were");
}
