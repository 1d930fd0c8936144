// SPDX-License-Identifier: GPL-2.0
/*
 * The memory that first fit needs so that it never fails: by search, not by the literature
 *
 * A user has at most M frames allocated at any time, in blocks of 2^0 to n = 2^k frames, aligned to
 * their size. Address-ordered first fit puts each block at the lowest aligned extent of free
 * frames. What is the least N for which no sequence of allocations and frees makes it fail? Robson
 * (JACM 1971, 1974; SQLite's mem5.c) gives N >= M(1 + log2(n)/2) - n + 1, for stores without
 * alignment. This program visits all states that the user can reach, for every N from M on, until
 * every request that fits M also fits the store, in every state.
 *
 * If the search confirms it, a contract may rely on the bound with M and N both rounded up to
 * multiples of n. exhaustive_test shows that MYALLOC_FIRST_FIT is this first fit.
 */
#include "env.h"
#include "ktap.h"
#include "program.h"
#include "state_set.h"

static struct state_set s;

/* The lowest aligned range of 2^order free frames, -1 if there is none. */
static int first_fit(u32 used, u32 nr, u32 order)
{
	u32 size = 1u << order, mask = state_mask(size), idx;

	for (idx = 0; idx + size <= nr; idx += size)
		if (!(used & mask << idx))
			return idx;
	return -1;
}

enum result { NEVER_FAILS, FAILS, TOO_LARGE };

/* Every state of a store of @nr frames in which at most @live are allocated. */
static enum result search(u32 nr, u32 live, u32 top)
{
	u32 used, head, rest, order;

	state_set_begin(&s);
	while (state_set_next(&s, &used, &head)) {
		for (order = 0; order <= top; order++) {
			int idx;

			if (hweight32(used) + BIT(order) > live)
				break;
			idx = first_fit(used, nr, order);
			if (idx < 0)
				return FAILS;
			if (!state_set_visit(&s, used | state_mask(BIT(order)) << idx,
					     head | 1u << idx))
				return TOO_LARGE;
		}
		for (rest = head; rest; rest &= rest - 1) {
			u32 idx = __ffs(rest), size = state_size(used, head, idx, nr);

			if (!state_set_visit(&s, used & ~(state_mask(size) << idx),
					     head & ~(1u << idx)))
				return TOO_LARGE;
		}
	}
	return NEVER_FAILS;
}

static enum result search_and_free(u32 nr, u32 live, u32 top)
{
	enum result result = search(nr, live, top);

	state_set_end(&s);
	return result;
}

static u32 bound(u32 live, u32 top)
{
	/* M(1 + k/2) - n + 1, rounded up where k is odd and M too. */
	return live + DIV_ROUND_UP(live * top, 2) - (1u << top) + 1;
}

static void find(u32 top, u32 live)
{
	u32 n = 1u << top, rounded = roundup(live, n), nr;
	u32 book = bound(live, top), promise = roundup(bound(rounded, top), n);
	static struct {
		u32 top, live;
		enum result result;
		u64 states;
	} last;
	enum result result = FAILS;

	/* The guarantee is for the rounded M, so the user may allocate that much. */
	if (last.top != top || last.live != rounded) {
		last.result = search_and_free(promise, rounded, top);
		last.states = s.nr;
		last.top = top;
		last.live = rounded;
	}
	if (last.result == TOO_LARGE) {
		ktap_result(false, "n = %u, M = %u: more states than memory", n, live);
		return;
	}
	for (nr = live; nr <= promise && result == FAILS; nr++)
		result = search_and_free(nr, live, top);
	ktap_result(last.result == NEVER_FAILS,
		    "n = %u, M = %2u: needs N = %2u, the book says %2u; rounded to M = %2u, N = %2u it %s (%llu states)",
		    n, live, nr - 1, book, rounded, promise,
		    last.result == NEVER_FAILS ? "never fails" : "FAILS", last.states);
}

int main(int argc, char **argv)
{
	static const struct {
		u8 top, from, to;
	} quick[] = { { 0, 1, 8 }, { 1, 2, 14 }, { 2, 4, 12 }, { 3, 8, 8 } },
	  more[] = { { 1, 15, 16 }, { 2, 13, 16 } };
	bool full = false;
	const struct program_option options[] = {
		{ "full", PROGRAM_FLAG, &full, "larger cases (about 2 minutes, 500 MB)" },
		{ }
	};
	u32 i, live, nr = 0;

	program_options(argc, argv, "In how much memory first fit never fails, by exhaustive search.",
			options);
	for (i = 0; i < ARRAY_SIZE(quick); i++)
		nr += quick[i].to - quick[i].from + 1;
	for (i = 0; full && i < ARRAY_SIZE(more); i++)
		nr += more[i].to - more[i].from + 1;
	ktap_plan(nr);
	for (i = 0; i < ARRAY_SIZE(quick); i++)
		for (live = quick[i].from; live <= quick[i].to; live++)
			find(quick[i].top, live);
	for (i = 0; full && i < ARRAY_SIZE(more); i++)
		for (live = more[i].from; live <= more[i].to; live++)
			find(more[i].top, live);
	return ktap_end();
}
