// SPDX-License-Identifier: GPL-2.0
/*
 * Contracts: the numbers of a plan, by search and by attack
 *
 * Small lines: all states that a client can reach are visited, in a store of the plan's N pages,
 * where no request may fail, and in one of N - 1, where one must. Large lines, up to 16 Mi pages:
 * an adversary that keeps in each slot the smallest block that it can, and random loads, against
 * lib/page/buddy.c; exhaustive_test shows that buddy.c is that first fit. Finally many requests
 * within one contract, attacks and random loads in turn.
 *
 * A state of the search: which frames are allocated, and at which of them an allocation begins.
 */
#include "env.h"
#include "base/random.h"
#include "client/contract.h"
#include "client/plan.h"
#include "ktap.h"
#include "program.h"
#include "state_set.h"
#include "zone/validate.h"
#include "zone/zone.h"

#define LARGE_MOST	BIT(24)	/* frames of a large store */

/* --- every state of a small line ----------------------------------------------------------- */

static struct state_set s;
static u64 nr_states;	/* of all searches of a kind */

static void visit(u32 used, u32 head)
{
	if (!state_set_visit(&s, used, head))
		host_fatal("more states than memory");
}

/* The lowest slot of the class of @size that is wholly free, -1 if there is none. */
static int first_fit(u32 used, u32 nr, u32 size)
{
	u32 slot = 1u << fls(size - 1), idx;

	for (idx = 0; idx + slot <= nr; idx += slot)
		if (!(used & state_mask(slot) << idx))
			return idx;
	return -1;
}

/* Can a client with up to @live pages, in extents of @sizes (a bit each), exhaust @nr pages? */
static bool can_fail(u32 nr, u32 live, u32 sizes)
{
	u32 used, head, rest;

	state_set_begin(&s);
	while (state_set_next(&s, &used, &head)) {
		for (rest = sizes; rest; rest &= rest - 1) {
			u32 size = __ffs(rest);
			int idx;

			if (hweight32(used) + size > live)
				break;
			idx = first_fit(used, nr, size);
			if (idx < 0)
				return true;
			visit(used | state_mask(size) << idx, head | 1u << idx);
		}
		for (rest = head; rest; rest &= rest - 1) {
			u32 idx = __ffs(rest), size = state_size(used, head, idx, nr);

			visit(used & ~(state_mask(size) << idx), head & ~(1u << idx));
		}
	}
	nr_states += s.nr;
	return false;
}

/* Cases of one kind. */
struct count {
	u32 cases;
	u32 wrong;
	char first[120];
};

static void check_case(struct count *count, u32 live, u32 needed, u32 sizes)
{
	bool fails, suffices;

	count->cases++;
	suffices = !can_fail(needed, live, sizes);
	fails = can_fail(needed - 1, live, sizes);
	if ((!suffices || !fails) && !count->wrong++)
		snprintf(count->first, sizeof(count->first),
			 "; M = %u, sizes 0x%x, N = %u: %s", live, sizes, needed,
			 suffices ? "N - 1 never fails" : "N fails");
}

/* Blocks: all sets of orders up to @top, all M up to @most with that top order in the set. */
static void small_blocks(u32 top, u32 most)
{
	struct count count = { 0 };
	u32 orders, live, sizes, k;

	nr_states = 0;
	for (orders = BIT(top); orders < BIT(top + 1); orders++) {
		for (live = BIT(top); live <= most; live++) {
			for (sizes = 0, k = 0; k <= top; k++)
				if (orders & BIT(k))
					sizes |= 1u << BIT(k);
			check_case(&count, live, myalloc_plan_blocks(live, orders), sizes);
		}
	}
	ktap_result(!count.wrong, "blocks up to order %u, M up to %u: N suffices and N - 1 does not, in %u cases (%llu states)%s",
		    top, most, count.cases, nr_states, count.first);
}

/* Extents: all sets of sizes whose largest is @largest, and all M up to @most. */
static void small_extents(u32 largest, u32 most)
{
	struct count count = { 0 };
	u32 set, live, nr, k, sizes[16];

	nr_states = 0;
	for (set = 1u << largest; set < 2u << largest; set += 2) {
		for (nr = 0, k = 1; k <= largest; k++)
			if (set >> k & 1)
				sizes[nr++] = k;
		for (live = largest; live <= most; live++) {
			u32 needed = myalloc_plan_extents(live, sizes, nr);

			if (needed <= 32)
				check_case(&count, live, needed, set);
		}
	}
	ktap_result(!count.wrong && count.cases,
		    "extents up to %u pages, M up to %u: N suffices and N - 1 does not, in %u cases (%llu states)%s",
		    largest, most, count.cases, nr_states, count.first);
}

/* --- large lines: an adversary ------------------------------------------------------------- */

/* A store, and for each of its frames the pages of the allocation that begins there. */
static struct {
	struct myalloc_buddy buddy;
	struct myalloc_zone *zone;	/* of a contract, in place of @buddy */
	void *meta;
	u16 *size;
	u32 nr, live, end;
	u64 requests;
	bool failed;
} store;

static void begin_store(u32 nr)
{
	store.nr = nr;
	store.live = 0;
	store.end = 0;
	store.requests = 0;
	store.failed = false;
	store.size = calloc(nr, sizeof(*store.size));
	if (!store.size)
		host_fatal("no memory for a store of %u frames", nr);
}

static void make_store(u32 nr, u32 order)
{
	begin_store(nr);
	store.meta = calloc(1, myalloc_buddy_meta_size(nr, order));
	if (!store.meta)
		host_fatal("no memory for a store of %u frames", nr);
	myalloc_buddy_init(&store.buddy, nr, order, MYALLOC_FIRST_FIT, store.meta);
}

static void end_store(void)
{
	free(store.meta);
	free(store.size);
}

static u32 take(u32 size)
{
	u32 idx = MYALLOC_NO_FRAME;
	void *addr;

	if (store.zone) {
		addr = is_power_of_2(size) ? myalloc_pages_alloc(store.zone, fls(size) - 1, 0) :
					     myalloc_pages_alloc_exact(store.zone, size, 0, 0);
		if (addr)
			idx = myalloc_frame_idx(store.zone,
						myalloc_map_frame(&store.zone->map, addr));
	} else {
		idx = is_power_of_2(size) ?
		      myalloc_buddy_alloc(&store.buddy, fls(size) - 1, false) :
		      myalloc_buddy_alloc_exact(&store.buddy, size, 0, false);
	}
	store.requests++;
	if (idx == MYALLOC_NO_FRAME) {
		store.failed = true;
		return idx;
	}
	store.size[idx] = size;
	store.live += size;
	store.end = max(store.end, idx + size);
	return idx;
}

static void give(u32 idx)
{
	u32 size = store.size[idx];

	if (store.zone ? myalloc_free(store.zone, myalloc_frame_addr(store.zone, idx)) :
			 (int)myalloc_buddy_free_exact(&store.buddy, idx, size))
		host_fatal("the buddy refuses a free");
	store.size[idx] = 0;
	store.live -= size;
}

/*
 * A phase: of each slot of the class of @size keep the smallest, as long as all of them together
 * leave room for one request, free the rest, and allocate until M is reached.
 */
static void phase(u32 live, u32 size)
{
	u32 slot = 1u << fls(size - 1), kept = 0, at, i, best;

	for (at = 0; at < store.nr; at += slot) {
		best = MYALLOC_NO_FRAME;
		for (i = at; i < min(at + slot, store.nr); i++)
			if (store.size[i] && (best == MYALLOC_NO_FRAME ||
					      store.size[i] < store.size[best]))
				best = i;
		if (best != MYALLOC_NO_FRAME && kept + store.size[best] > live - size)
			best = MYALLOC_NO_FRAME;
		else if (best != MYALLOC_NO_FRAME)
			kept += store.size[best];
		for (i = at; i < min(at + slot, store.nr); i++)
			if (store.size[i] && i != best)
				give(i);
	}
	while (store.live + size <= live && !store.failed)
		take(size);
}

static void attack(u32 live, const u32 *sizes, u32 nr)
{
	u32 i;

	for (i = 0; i < nr && !store.failed; i++)
		phase(live, sizes[i]);
}

/* The sizes of a set of orders, ascending; returns their number. */
static u32 sizes_of(u32 orders, u32 *sizes)
{
	u32 nr = 0, k;

	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		if (orders & BIT(k))
			sizes[nr++] = BIT(k);
	return nr;
}

/* N withstands the adversary, which reaches the end of the store; N - 1 does not. */
static void large_blocks(u32 live, u32 orders)
{
	u32 needed = myalloc_plan_blocks(live, orders), top = fls(orders) - 1, end;
	u32 sizes[MYALLOC_NR_ORDERS], nr = sizes_of(orders, sizes);
	u64 requests;
	bool good;

	make_store(needed, top);
	attack(live, sizes, nr);
	good = !store.failed;
	end = store.end;
	requests = store.requests;
	end_store();
	make_store(needed - 1, top);
	attack(live, sizes, nr);
	ktap_result(good && end == needed && store.failed,
		    "M = %u, orders 0x%x: the adversary uses %u of N = %u pages in %llu requests, and breaks N - 1",
		    live, orders, end, needed, requests);
	end_store();
}

static void large_extents(u32 live, u32 largest)
{
	u32 sizes[MYALLOC_NR_ORDERS * 2], all[BIT(MYALLOC_CHUNK_MAX)] = {}, nr = 0, k, needed;

	/* The smallest size of each class. */
	for (k = 0; 1u << k <= largest; k++)
		sizes[nr++] = k ? (1u << (k - 1)) + 1 : 1;
	for (k = 0; k < largest; k++)
		all[k] = k + 1;
	needed = myalloc_plan_extents(live, all, largest);
	make_store(needed, fls(largest - 1));
	attack(live, sizes, nr);
	ktap_result(!store.failed && store.end <= needed,
		    "M = %u, extents up to %u: the adversary uses %u of N = %u pages in %llu requests",
		    live, largest, store.end, needed, store.requests);
	end_store();
}

/*
 * Sizes of which no larger one has fewer pages for each slot of a smaller class that it covers:
 * each is three times the previous one. With them the adversary reaches N, whose last slot must be
 * whole.
 */
static const u32 tight_sizes[] = { 1, 3, 9, 27, 81, 243, 729 };

/* N withstands the adversary, which reaches its last slot; N - 1 does not. */
static void tight_extents(u32 live, u32 nr)
{
	u32 needed = myalloc_plan_extents(live, tight_sizes, nr), end;
	u32 top = fls(tight_sizes[nr - 1] - 1);
	u64 requests;
	bool good;

	make_store(needed, top);
	attack(live, tight_sizes, nr);
	good = !store.failed;
	end = roundup(store.end, BIT(top));
	requests = store.requests;
	end_store();
	make_store(needed - 1, top);
	attack(live, tight_sizes, nr);
	ktap_result(good && end == needed && store.failed,
		    "M = %u, extents of 1 to %u pages, times 3: the adversary uses %u of N = %u pages in %llu requests, and breaks N - 1",
		    live, tight_sizes[nr - 1], end, needed, requests);
	end_store();
}

/* --- contracts, under attack while all other memory is taken ------------------------------ */

#define PARENT_ORDER	10

/* A parent without memory behind it. */
static struct myalloc_zone *make_parent(u32 nr_chunks)
{
	void **chunks = calloc(nr_chunks, sizeof(*chunks));
	struct myalloc_zone_args args = {
		.name = "parent", .chunks = chunks, .nr_chunks = nr_chunks,
		.chunk_order = PARENT_ORDER, .nr_pages = nr_chunks << PARENT_ORDER,
		.node = NUMA_NO_NODE, .simulated = true, .no_magazines = true,
	};
	struct myalloc_zone *zone;
	u32 i;

	/* Every other chunk is missing in some places. */
	for (i = 0; i < nr_chunks; i++)
		chunks[i] = (void *)((i + i / 7 + 1ul) << (PARENT_ORDER + PAGE_SHIFT));
	zone = myalloc_zone_create(&args);
	free(chunks);
	if (IS_ERR(zone))
		host_fatal("no zone");
	return zone;
}

/* The contract that is under attack; its parent is parent_zone. */
static struct myalloc_contract *contract;
static struct myalloc_zone *parent_zone;

/* Make a contract of one line, and take the rest of the parent. @flags may make it a page short. */
static void begin_contract(const struct myalloc_contract_line *line, unsigned int flags)
{
	struct myalloc_contract_plan plan;
	u32 order;

	parent_zone = make_parent(512);
	if (myalloc_contract_plan(parent_zone, line, 1, &plan))
		host_fatal("no plan");
	contract = myalloc_contract_create(parent_zone, "c", line, 1, flags, &plan);
	if (IS_ERR(contract))
		host_fatal("no contract");
	for (order = PARENT_ORDER + 1; order--; )
		while (myalloc_pages_alloc(parent_zone, order, 0))
			;
	begin_store(plan.line[0].needed);
	store.zone = myalloc_contract_zone(contract, 0);
}

static void end_contract(struct myalloc_contract_stats *stats)
{
	u32 i;

	myalloc_contract_stats(contract, 0, stats);
	free(store.size);
	store.zone = NULL;
	/* The parent has no memory behind it, and a walk over its metadata would take too long. */
	if (myalloc_contract_end(contract, MYALLOC_CONTRACT_RELEASE))
		host_fatal("the contract does not end");
	for (i = 0; i < parent_zone->buddy.nr_frames; i++)
		if (parent_zone->frames[i].type == MYALLOC_FRAME_PAGE)
			myalloc_free(parent_zone, myalloc_frame_addr(parent_zone, i));
	if (myalloc_zone_destroy(parent_zone))
		host_fatal("the zone does not end");
}

/* A user chooses how large the metadata of a contract is, so it is charged. */
static void contract_charged(void)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = 20000, .orders = 0x200, .nmi = 5,
	};
	struct myalloc_contract_stats stats;
	u64 before = host_charged, charged, least;

	begin_contract(&line, 0);
	charged = host_charged - before;
	least = sizeof(*store.zone) + store.zone->nr_chunks * sizeof(*store.zone->chunks) +
		myalloc_buddy_meta_size(store.zone->buddy.nr_frames, store.zone->chunk_order) +
		store.zone->buddy.nr_frames * sizeof(*store.zone->frames) +
		contract->part[0].nr_blocks * sizeof(*contract->part[0].blocks) +
		nr_cpu_ids * (line.nmi * sizeof(long) + sizeof(struct myalloc_limit_refill));
	end_contract(&stats);
	ktap_result(charged >= least,
		    "a contract of %u pages charges %llu bytes, at least %llu", line.pages, charged,
		    least);
}

static void contract_blocks(u32 live, u32 orders)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = live, .orders = orders,
	};
	struct myalloc_contract_stats stats, less;
	u32 sizes[MYALLOC_NR_ORDERS], nr = sizes_of(orders, sizes);

	begin_contract(&line, 0);
	attack(live, sizes, nr);
	end_contract(&stats);
	begin_contract(&line, MYALLOC_CONTRACT_SHORT);
	attack(live, sizes, nr);
	end_contract(&less);
	ktap_result(!stats.failed_within && !stats.beyond && stats.peak <= live &&
		    stats.highest_end == stats.needed && less.failed_within == 1,
		    "a contract, M = %u, orders 0x%x: %llu of %llu pages used, %llu requests within failed; %llu with a page less",
		    live, orders, stats.highest_end, stats.set_aside, stats.failed_within,
		    less.failed_within);
}

static void contract_extents(u32 live, u32 nr)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_EXTENTS, .pages = live, .sizes = tight_sizes,
		.nr_sizes = nr,
	};
	struct myalloc_contract_stats stats, less;

	begin_contract(&line, 0);
	attack(live, tight_sizes, nr);
	end_contract(&stats);
	begin_contract(&line, MYALLOC_CONTRACT_SHORT);
	attack(live, tight_sizes, nr);
	end_contract(&less);
	ktap_result(!stats.failed_within && !stats.beyond && stats.peak <= live &&
		    roundup(stats.highest_end, BIT(fls(tight_sizes[nr - 1] - 1))) ==
		    stats.needed && less.failed_within == 1,
		    "a contract, M = %u, extents of 1 to %u pages, times 3: %llu of %llu pages used, %llu requests within failed; %llu with a page less",
		    live, tight_sizes[nr - 1], stats.highest_end, stats.set_aside,
		    stats.failed_within, less.failed_within);
}

/* --- random loads -------------------------------------------------------------------------- */

static struct myalloc_random rng;

static u32 below(u32 n)
{
	return myalloc_random_below(&rng, n);
}

/* @rounds of allocations up to M, of one size more often than of the others, and frees. */
static void load(u32 live, const u32 *sizes, u32 nr, u32 rounds)
{
	static u32 held[BIT(16)];
	u32 nr_held = 0, i;

	while (rounds-- && !store.failed) {
		u32 often = sizes[below(nr)], keep;

		for (i = 0; i < 64 && nr_held < ARRAY_SIZE(held); ) {
			u32 size = below(4) ? often : sizes[below(nr)];

			if (store.live + size > live) {
				i++;
				continue;
			}
			held[nr_held++] = take(size);
			if (store.failed)
				return;
		}
		/* Free most of them, anywhere. */
		keep = below(nr_held + 1);
		while (nr_held > keep) {
			i = below(nr_held);
			give(held[i]);
			held[i] = held[--nr_held];
		}
	}
}

static void random_lines(u32 lines, u32 rounds, bool extents)
{
	u32 sizes[32], nr, i, k, wrong = 0, needed = 0, live = 0;
	u64 requests = 0;

	for (i = 0; i < lines && !wrong; i++) {
		u32 orders = 1 + below(BIT(10) - 1), top = fls(orders) - 1, largest = 1;

		nr = 0;
		for (k = 0; k < 10 && !extents; k++)
			if (orders & BIT(k))
				sizes[nr++] = BIT(k);
		for (k = 0; extents && k < 1 + i % 16; k++)
			sizes[nr++] = 1 + below(BIT(below(9)));
		for (k = 0; k < nr; k++)
			largest = max(largest, sizes[k]);
		top = fls(largest - 1);
		live = largest + below(6 * largest + 200);
		needed = extents ? myalloc_plan_extents(live, sizes, nr) :
				   myalloc_plan_blocks(live, orders);
		make_store(needed, top);
		load(live, sizes, nr, rounds);
		wrong += store.failed;
		requests += store.requests;
		end_store();
	}
	ktap_result(!wrong, "%u random lines of %s: %llu requests, none failed%s", lines,
		    extents ? "extents" : "blocks", requests, wrong ? " until this one" : "");
	if (wrong)
		ktap_note("M = %u, N = %u", live, needed);
}

/* --- many requests ---------------------------------------------------------------------------- */

#define ENDURE_LIVE	2048
#define ENDURE_ORDERS	0x3ff

static void give_all(void)
{
	u32 i;

	for (i = 0; i < store.nr && store.live; i++)
		if (store.size[i])
			give(i);
}

/* Attacks on an empty store and random loads in turn. Counts the attacks that use the last page. */
static void endure(u64 requests, u64 *attacks, u64 *full)
{
	u32 sizes[MYALLOC_NR_ORDERS], nr = sizes_of(ENDURE_ORDERS, sizes);

	*attacks = 0;
	*full = 0;
	while (store.requests < requests && !store.failed) {
		give_all();
		store.end = 0;
		attack(ENDURE_LIVE, sizes, nr);
		++*attacks;
		*full += store.end == store.nr;
		give_all();
		load(ENDURE_LIVE, sizes, nr, 10);
	}
}

/* Check the statistics of a contract without the parent's memory: no failure, nothing lost. */
static u64 served(void)
{
	struct myalloc_validation v;
	u64 sum = 0;
	u32 k;

	give_all();
	myalloc_zone_validate(store.zone, &v);
	if (v.errors || store.zone->buddy.nr_free != store.zone->buddy.nr_frames)
		return 0;
	for (k = 0; k < MYALLOC_NR_ORDERS; k++)
		sum += store.zone->allocs[k];
	return sum;
}

/* Within a contract @requests succeed, and each attack uses its last page; a page less, one fails. */
static void many_requests(u64 requests)
{
	const struct myalloc_contract_line line = {
		.kind = MYALLOC_CONTRACT_PAGES, .pages = ENDURE_LIVE, .orders = ENDURE_ORDERS,
	};
	struct myalloc_contract_stats stats, less;
	u64 attacks, full, made, sum;

	begin_contract(&line, 0);
	endure(requests, &attacks, &full);
	made = store.requests;
	sum = served();
	end_contract(&stats);
	ktap_result(made >= requests && sum == made && !stats.failed_within && !stats.beyond &&
		    !stats.live && stats.peak <= ENDURE_LIVE,
		    "%llu requests within a contract, %llu of them served; %llu failed, %llu were beyond",
		    made, sum, stats.failed_within, stats.beyond);
	ktap_result(attacks && full == attacks && stats.highest_end * 100 >= stats.set_aside * 95,
		    "of %llu attacks %llu used the last page needed: %llu of %llu set aside", attacks,
		    full, stats.highest_end, stats.set_aside);
	begin_contract(&line, MYALLOC_CONTRACT_SHORT);
	endure(requests, &attacks, &full);
	made = store.requests;
	end_contract(&less);
	ktap_result(store.failed && attacks == 1 && less.failed_within == 1,
		    "with a page less, request %llu in attack %llu fails", made, attacks);
}

int main(int argc, char **argv)
{
	static const struct {
		u32 live, orders;
	} large[] = {
		{ 100000, 0x201 }, { 100000, 0x209 }, { 65536, 0x3ff }, { 99999, 0x3ff },
		{ 250000, 0x155 }, { 1000001, 0x00f }, { 70000, 0x7ff }, { 12345, 0x2aa },
	}, full_large[] = {
		{ LARGE_MOST / 11 * 2, 0x3ff }, { LARGE_MOST / 6, 0x7ff },
		{ LARGE_MOST / 2, 0x201 }, { 3000017, 0x3ff },
	};
	bool full = false;
	u64 seed = program_seed(), requests = 0;
	const struct program_option options[] = {
		{ "full", PROGRAM_FLAG, &full, "larger cases (some minutes, 1 GB)" },
		{ "requests", PROGRAM_U64, &requests,
		  "requests within one contract; 0: 300000, with --full 100000000" },
		{ "seed", PROGRAM_U64, &seed, "repeat a run" },
		{ }
	};
	u32 i;

	program_options(argc, argv, "In how many pages no request within a contract fails.",
			options);
	myalloc_random_init(&rng, seed, 0);
	ktap_plan(10 + ARRAY_SIZE(large) + 2 + 4 + 4 + 2 + 2 + 3 +
		  (full ? ARRAY_SIZE(full_large) + 6 : 0));
	ktap_note("--seed %llu", seed);
	small_blocks(0, 20);
	small_blocks(1, 12);
	small_blocks(2, full ? 13 : 11);
	small_blocks(3, full ? 12 : 10);
	small_extents(2, 12);
	small_extents(3, 11);
	small_extents(4, 10);
	small_extents(5, 9);
	small_extents(6, 9);
	small_extents(8, 9);
	for (i = 0; i < ARRAY_SIZE(large); i++)
		large_blocks(large[i].live, large[i].orders);
	large_extents(50000, 512);
	large_extents(99999, 1000);
	tight_extents(50000, 7);
	tight_extents(99999, 7);
	tight_extents(123457, 5);
	tight_extents(70000, 3);
	contract_charged();
	contract_blocks(20000, 0x3ff);
	contract_blocks(70001, 0x209);
	contract_blocks(50000, 0x055);
	contract_extents(20000, 7);
	contract_extents(70001, 4);
	random_lines(full ? 3000 : 200, 60, false);
	random_lines(full ? 3000 : 200, 60, true);
	many_requests(requests ? requests : full ? 100000000 : 300000);
	for (i = 0; full && i < ARRAY_SIZE(full_large); i++)
		large_blocks(full_large[i].live, full_large[i].orders);
	if (full) {
		large_extents(LARGE_MOST / 16, 512);
		large_extents(LARGE_MOST / 16, 1024);
		tight_extents(LARGE_MOST / 16, 7);
		tight_extents(LARGE_MOST / 4, 7);
		small_extents(7, 10);
		small_extents(9, 10);
	}
	return ktap_end();
}
