// SPDX-License-Identifier: GPL-2.0
/*
 * The reserve: pages taken from the system once, and given back once
 *
 * What it is: chunks, each one block of 2^chunk_order pages from alloc_pages_node(),
 * sorted by address. The zone needs nothing more: chunks need not be adjacent, and a block
 * never crosses from one chunk to another.
 *
 * Chunks are split: each page has a reference count of its own, which is 1. In an unsplit block
 * all pages but the first have 0, and a get_page() and put_page() of one would free it to the
 * system, whoever uses it. So pages that may be lent (lib/lend.c) can be. At the end each page
 * is freed on its own; the system merges them again, keeps one that it knows to be bad, and
 * gets one that somebody still has a reference to when that reference goes.
 *
 * A reserve is exactly as large as was asked for. If that is no multiple of a chunk, the
 * pages behind the end of the last chunk go back at once. A reserve smaller than one
 * chunk gets a chunk order that fits: no larger block could lie in it.
 *
 * All or nothing: what cannot be had in full is given back and refused, with a sentence
 * that says how much there was. There is no retreat to smaller chunks, because then a user who
 * counts on large blocks would find out when it is too late; who can do with smaller
 * ones says so by chunk_order.
 *
 * The system's other users: __GFP_NORETRY makes the kernel reclaim and compact once for
 * each chunk, but never call the OOM killer, and before anything is taken the sum is
 * compared with what is available, less a margin.
 */
#include "env.h"

#include <linux/gfp.h>
#include <linux/kmemleak.h>
#include <linux/sched/signal.h>

#include "budget.h"
#include "compat.h"
#include "reserve.h"
#include "base/sort.h"

#define MIB_PAGES	MYALLOC_BUDGET_MIB_PAGES

static unsigned long to_mib(unsigned long pages)
{
	return pages / MIB_PAGES;
}

/* Memory of a node, or of all. */
static unsigned long present_pages(int node)
{
	return node == NUMA_NO_NODE ? totalram_pages() : node_present_pages(node);
}

static int check_size(u64 mib, int node)
{
	unsigned long present = present_pages(node), available, most;

	if (mib > to_mib(present)) {
		pr_err("reserve_mb=%llu: %s has %lu MiB of memory in all; give less\n", mib,
		       node == NUMA_NO_NODE ? "this machine" : "that node", to_mib(present));
		return -ENOMEM;
	}
	if (mib * MIB_PAGES > U32_MAX / 2) {
		pr_err("reserve_mb=%llu: one reserve has at most %lu MiB\n", mib,
		       to_mib(U32_MAX / 2));
		return -EINVAL;
	}
	available = max(si_mem_available(), 0L);
	most = myalloc_budget_pages(available, totalram_pages());
	if (mib * MIB_PAGES > most) {
		pr_err("reserve_mb=%llu: %lu MiB are available and %lu are left to the system; at most %lu can be reserved\n",
		       mib, to_mib(available), to_mib(myalloc_budget_margin(totalram_pages())),
		       to_mib(most));
		return -ENOMEM;
	}
	return 0;
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
 * kmemleak looks for pointers in what it knows, and it does not know pages: without this it
 * would report as leaked what only our objects point to. A count of 0: never reported. To tell
 * it of each object would not do, as it allocates for that, which is impossible in NMI. So all
 * of the reserve counts, free memory too: a stale pointer in it may hide a leak.
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

static void free_pages_of(void *chunk, u32 from, u32 to)
{
	for (; from < to; from++)
		__free_page(virt_to_page(chunk + ((size_t)from << PAGE_SHIFT)));
}

/* Gives the pages behind the end of the reserve back. */
static void trim_last(struct myalloc_reserve *r)
{
	free_pages_of(r->chunks[r->nr_chunks - 1], last_pages(r), BIT(r->chunk_order));
}

/* Takes the chunks; r->nr_chunks says how many there are, also after an error. */
static int take_chunks(struct myalloc_reserve *r, u32 nr)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN;

	if (r->node != NUMA_NO_NODE)
		gfp |= __GFP_THISNODE;
	for (r->nr_chunks = 0; r->nr_chunks < nr; r->nr_chunks++) {
		struct page *page = NULL;

		cond_resched();
		if (fatal_signal_pending(current))
			return -EINTR;
		if (!myalloc_env_should_fail())
			page = alloc_pages_node(r->node, gfp, r->chunk_order);
		if (!page)
			return -ENOMEM;
		split_page(page, r->chunk_order);
		r->chunks[r->nr_chunks] = page_address(page);
	}
	return 0;
}

/*
 * Makes of a split chunk one block again: only its first page has a reference. A page that
 * somebody else holds for a moment (a scan of physical memory) prevents it.
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
 * A chunk goes back as it came, in one piece. Page by page it passes through the page allocator's
 * lists per CPU, and after each load some KiB less are free (scenario load_unload).
 */
static void put_chunk(const struct myalloc_reserve *r, void *chunk, u32 nr)
{
	if (nr == BIT(r->chunk_order) && join(virt_to_page(chunk), nr))
		free_pages((unsigned long)chunk, r->chunk_order);
	else
		free_pages_of(chunk, 0, nr);
}

/* @last: pages in the last chunk */
static void put_chunks(struct myalloc_reserve *r, u32 last)
{
	for (; r->nr_chunks; last = BIT(r->chunk_order)) {
		cond_resched();
		put_chunk(r, r->chunks[--r->nr_chunks], last);
	}
	myalloc_env_free(r->chunks);
	r->chunks = NULL;
}

/**
 * myalloc_reserve_take() - take pages from the system
 * @reserve: to be filled in
 * @mib: how much, in MiB; not 0
 * @chunk_order: log2 of pages in a chunk, at most the kernel's and MYALLOC_TOP_ORDER
 * @node: an online NUMA node, NUMA_NO_NODE for any
 *
 * Context: task, may sleep.
 * Return: 0; -ENOMEM or -EINVAL after a sentence was printed; -EINTR if the task was
 * killed. After an error nothing is held.
 */
int myalloc_reserve_take(struct myalloc_reserve *reserve, u64 mib,
			 unsigned int chunk_order, int node)
{
	unsigned long had;
	u32 nr;
	int err;

	memset(reserve, 0, sizeof(*reserve));
	err = check_size(mib, node);
	if (err)
		return err;
	reserve->nr_pages = mib * MIB_PAGES;
	reserve->chunk_order = min_t(u32, chunk_order, ilog2(reserve->nr_pages));
	reserve->node = node;
	nr = DIV_ROUND_UP(reserve->nr_pages, BIT(reserve->chunk_order));
	reserve->chunks = myalloc_env_zalloc(nr * sizeof(*reserve->chunks), node);
	if (!reserve->chunks) {
		pr_err("reserve_mb=%llu: no memory for the list of %u chunks\n", mib, nr);
		return -ENOMEM;
	}
	err = take_chunks(reserve, nr);
	if (err) {
		had = (unsigned long)reserve->nr_chunks << reserve->chunk_order;
		put_chunks(reserve, BIT(reserve->chunk_order));
		if (err == -ENOMEM)
			pr_err("reserve_mb=%llu: only %lu MiB were to be had in chunks of %lu KiB, and have been given back; ask for less, or for smaller chunks by chunk_order below %u\n",
			       mib, to_mib(had),
			       (PAGE_SIZE << reserve->chunk_order) / 1024,
			       reserve->chunk_order);
		return err;
	}
	myalloc_sort(reserve->chunks, nr, sizeof(*reserve->chunks), compare);
	trim_last(reserve);
	kmemleak_add(reserve);
	return 0;
}

/**
 * myalloc_reserve_release() - give every page back to the system
 * @reserve: from myalloc_reserve_take(); nobody of ours uses the pages any more
 *
 * Context: task, may sleep.
 */
void myalloc_reserve_release(struct myalloc_reserve *reserve)
{
	kmemleak_remove(reserve);
	put_chunks(reserve, last_pages(reserve));
}
