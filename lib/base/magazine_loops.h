/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loops over the loaded magazine, for the two that have magazines: pages and objects
 *
 * Each takes as arguments the functions in which the two differ, and @arg for them. All is inlined,
 * and these arguments are constants, so that no call through a pointer is left.
 *
 * The loops go over fours: that takes a quarter fewer instructions than over single things.
 */
#ifndef MYALLOC_MAGAZINE_LOOPS_H
#define MYALLOC_MAGAZINE_LOOPS_H

#include "base/magazine.h"

/* Things that a bulk operation moves with preemption off. */
#define MYALLOC_BULK_STEP	64U

/* Hands out what is in a slot, in *@addr; false if its state is not "cached". */
typedef bool (*myalloc_get_fn)(const struct myalloc_slot *slot, void **addr, void *arg);

/* Puts @addr into the slot that it was handed out from; false if it was not, or is no user's. */
typedef bool (*myalloc_put_stale_fn)(const struct myalloc_slot *slot, void *addr, void *arg);

/* Puts @addr into the slot at @top, if there is room; false if that is for the slow path. */
typedef bool (*myalloc_put_fn)(const struct myalloc_magazine_cpu *cpu, struct myalloc_slot *top,
			       void *addr, void *arg);

/* Has a good thing on top of the loaded magazine, or room in it; false if that cannot be. */
typedef bool (*myalloc_ready_fn)(struct myalloc_magazine_cpu *cpu, void *arg);

static __always_inline u32 myalloc_get_four(const struct myalloc_slot *end, void **addrs,
					    myalloc_get_fn get, void *arg)
{
	if (!get(end - 1, addrs, arg))
		return 0;
	if (!get(end - 2, addrs + 1, arg))
		return 1;
	if (!get(end - 3, addrs + 2, arg))
		return 2;
	return get(end - 4, addrs + 3, arg) ? 4 : 3;
}

/**
 * myalloc_get_run() - take things from the top of the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 * @most: how many at most
 * @addrs: out: their addresses
 * @get: for each of them
 * @arg: its argument
 *
 * Return: how many: it stops at the end of the magazine, and before a thing that is not "cached".
 */
static __always_inline u32 myalloc_get_run(struct myalloc_magazine_cpu *cpu, u32 most,
					   void **addrs, myalloc_get_fn get, void *arg)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = most, n = 4;

	for (; left >= 4 && n == 4; left -= n, top -= n, addrs += n)
		n = myalloc_get_four(top, addrs, get, arg);
	for (; left && get(top - 1, addrs, arg); left--, addrs++)
		top--;
	cpu->nr_gets += most - left;
	WRITE_ONCE(cpu->top, top);
	return most - left;
}

static __always_inline u32 myalloc_put_four(const struct myalloc_slot *top, void **end,
					    myalloc_put_stale_fn put_stale, void *arg)
{
	if (!put_stale(top, end[-1], arg))
		return 0;
	if (!put_stale(top + 1, end[-2], arg))
		return 1;
	if (!put_stale(top + 2, end[-3], arg))
		return 2;
	return put_stale(top + 3, end[-4], arg) ? 4 : 3;
}

/**
 * myalloc_put_run() - put things on the top of the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 * @nr: how many
 * @addrs: their addresses, taken from the end on, as an allocation in bulk has filled it
 * @put_stale: for those that were handed out from where they go to
 * @put: for the others
 * @arg: argument of both
 *
 * Return: how many: it stops when the magazine is full, and at one that is not as it should be.
 */
static __always_inline u32 myalloc_put_run(struct myalloc_magazine_cpu *cpu, u32 nr, void **addrs,
					   myalloc_put_stale_fn put_stale, myalloc_put_fn put,
					   void *arg)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = nr, n = 4;

	for (; left >= 4 && n == 4; left -= n, top += n)
		n = myalloc_put_four(top, addrs + left, put_stale, arg);
	for (; left && put(cpu, top, addrs[left - 1], arg); left--)
		top++;
	cpu->nr_puts += nr - left;
	WRITE_ONCE(cpu->top, top);
	return nr - left;
}

/**
 * myalloc_get_bulk() - take things out of this CPU's magazines
 * @mags: the magazines
 * @nr: how many
 * @addrs: out: their addresses
 * @get: for each of them
 * @arg: its argument; if it is a structure, one that nobody else is given, so that it is registers
 * @ready: has more in the loaded magazine
 * @slow: its argument
 *
 * Context: any.
 * Return: how many; fewer if there are no more, or the caller interrupted somebody at work there.
 */
static __always_inline u32 myalloc_get_bulk(struct myalloc_magazines *mags, u32 nr, void **addrs,
					    myalloc_get_fn get, void *arg,
					    myalloc_ready_fn ready, void *slow)
{
	u32 n = 0;

	while (n < nr) {
		struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(mags);
		u32 end = min(nr, n + MYALLOC_BULK_STEP);

		if (unlikely(!cpu))
			break;
		do
			n += myalloc_get_run(cpu, end - n, addrs + n, get, arg);
		while (n < end && ready(cpu, slow));
		myalloc_magazines_leave(cpu);
		if (unlikely(n < end))
			break;
	}
	return n;
}

/**
 * myalloc_put_bulk() - put things into this CPU's magazines
 * @mags: the magazines
 * @most: how many at most
 * @end: behind the last of their addresses
 * @put_stale: as for myalloc_put_run()
 * @put: the same
 * @arg: argument of both, as for myalloc_get_bulk()
 * @room: has room in the loaded magazine
 * @slow: its argument
 *
 * Context: any.
 * Return: how many; fewer if one of them is not as it should be, there is no room, the caller
 * interrupted somebody at work there, or the owner wants every free to take the slow path.
 */
static __always_inline u32 myalloc_put_bulk(struct myalloc_magazines *mags, u32 most, void **end,
					    myalloc_put_stale_fn put_stale, myalloc_put_fn put,
					    void *arg, myalloc_ready_fn room, void *slow)
{
	struct myalloc_magazine_cpu *cpu;
	u32 n = 0;

	if (unlikely(READ_ONCE(mags->epoch) == MYALLOC_EPOCH_NEVER))
		return 0;
	cpu = myalloc_magazines_enter(mags);
	if (unlikely(!cpu))
		return 0;
	do
		n += myalloc_put_run(cpu, most - n, end - most, put_stale, put, arg);
	while (n < most && cpu->top == cpu->end && room(cpu, slow));
	myalloc_magazines_leave(cpu);
	return n;
}

#endif /* MYALLOC_MAGAZINE_LOOPS_H */
