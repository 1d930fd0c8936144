/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loops over the loaded magazine, shared by pages and objects
 *
 * Each loop takes as arguments the functions in which pages and objects differ, and @arg for
 * those functions. Everything is inlined and these arguments are constants, so no indirect call
 * is left.
 *
 * The loops handle four things at a time, which takes a quarter fewer instructions than one at a
 * time.
 */
#ifndef MYALLOC_MAGAZINE_LOOPS_H
#define MYALLOC_MAGAZINE_LOOPS_H

#include "base/magazine.h"

/* Things that a bulk operation moves in one section with preemption off */
#define MYALLOC_BULK_STEP	64U

/*
 * Takes the thing in a slot and stores its address in *@addr; false if its state is not "cached".
 */
typedef bool (*myalloc_take_fn)(const struct myalloc_slot *slot, void **addr, void *arg);

/* Gives @addr to the slot that it was allocated from; false if it was not, or is not in use. */
typedef bool (*myalloc_give_stale_fn)(const struct myalloc_slot *slot, void *addr, void *arg);

/* Gives @addr to the slot at @top if there is room; false if the slow path must do it. */
typedef bool (*myalloc_give_fn)(const struct myalloc_magazine_cpu *cpu, struct myalloc_slot *top,
			       void *addr, void *arg);

/* Makes sure that the loaded magazine has a valid thing on top, or room; false if that fails. */
typedef bool (*myalloc_ready_fn)(struct myalloc_magazine_cpu *cpu, void *arg);

static __always_inline u32 myalloc_take_four(const struct myalloc_slot *end, void **addrs,
					     myalloc_take_fn take, void *arg)
{
	if (!take(end - 1, addrs, arg))
		return 0;
	if (!take(end - 2, addrs + 1, arg))
		return 1;
	if (!take(end - 3, addrs + 2, arg))
		return 2;
	return take(end - 4, addrs + 3, arg) ? 4 : 3;
}

/**
 * myalloc_take_top() - take things from the top of the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 * @most: maximum number of things
 * @addrs: out: their addresses
 * @take: called for each thing
 * @arg: argument of @take
 *
 * Stops at the bottom of the magazine, and at a thing that is not "cached".
 *
 * Context: any, between enter and leave.
 * Return: the number of things taken.
 */
static __always_inline u32 myalloc_take_top(struct myalloc_magazine_cpu *cpu, u32 most,
					    void **addrs, myalloc_take_fn take, void *arg)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = most, n = 4;

	for (; left >= 4 && n == 4; left -= n, top -= n, addrs += n)
		n = myalloc_take_four(top, addrs, take, arg);
	for (; left && take(top - 1, addrs, arg); left--, addrs++)
		top--;
	cpu->nr_takes += most - left;
	WRITE_ONCE(cpu->top, top);
	return most - left;
}

static __always_inline u32 myalloc_give_four(const struct myalloc_slot *top, void **end,
					     myalloc_give_stale_fn give_stale, void *arg)
{
	if (!give_stale(top, end[-1], arg))
		return 0;
	if (!give_stale(top + 1, end[-2], arg))
		return 1;
	if (!give_stale(top + 2, end[-3], arg))
		return 2;
	return give_stale(top + 3, end[-4], arg) ? 4 : 3;
}

/**
 * myalloc_give_top() - give things to the top of the loaded magazine
 * @cpu: from myalloc_magazines_enter()
 * @nr: number of things
 * @addrs: their addresses, taken from the end backwards, the reverse of the order in which a bulk
 *	allocation fills the array
 * @give_stale: gives a thing to the slot that it was allocated from
 * @give: gives any other thing
 * @arg: argument of both
 *
 * Stops when the magazine is full, and at a thing that cannot be freed.
 *
 * Context: any, between enter and leave.
 * Return: the number of things given.
 */
static __always_inline u32 myalloc_give_top(struct myalloc_magazine_cpu *cpu, u32 nr, void **addrs,
					    myalloc_give_stale_fn give_stale, myalloc_give_fn give,
					    void *arg)
{
	struct myalloc_slot *top = cpu->top;
	u32 left = nr, n = 4;

	for (; left >= 4 && n == 4; left -= n, top += n)
		n = myalloc_give_four(top, addrs + left, give_stale, arg);
	for (; left && give(cpu, top, addrs[left - 1], arg); left--)
		top++;
	cpu->nr_gives += nr - left;
	WRITE_ONCE(cpu->top, top);
	return nr - left;
}

/**
 * myalloc_take_bulk() - take things from this CPU's magazines
 * @mags: the magazines
 * @nr: number of things
 * @addrs: out: their addresses
 * @take: called for each thing
 * @arg: argument of @take; if it is a structure, no other function may take its address, so that
 *	the compiler can keep it in registers
 * @ready: refills the loaded magazine
 * @slow: argument of @ready
 *
 * Context: any.
 * Return: the number of things taken; less than @nr if no more are available or the caller
 * interrupted code that is at work on the magazines.
 */
static __always_inline u32 myalloc_take_bulk(struct myalloc_magazines *mags, u32 nr, void **addrs,
					     myalloc_take_fn take, void *arg,
					     myalloc_ready_fn ready, void *slow)
{
	u32 n = 0;

	while (n < nr) {
		struct myalloc_magazine_cpu *cpu = myalloc_magazines_enter(mags);
		u32 end = min(nr, n + MYALLOC_BULK_STEP);

		if (unlikely(!cpu))
			break;
		do
			n += myalloc_take_top(cpu, end - n, addrs + n, take, arg);
		while (n < end && ready(cpu, slow));
		myalloc_magazines_leave(cpu);
		if (unlikely(n < end))
			break;
	}
	return n;
}

/**
 * myalloc_give_bulk() - give things to this CPU's magazines
 * @mags: the magazines
 * @most: maximum number of things
 * @end: the place behind the last of their addresses
 * @give_stale: as for myalloc_give_top()
 * @give: as for myalloc_give_top()
 * @arg: argument of both, as for myalloc_take_bulk()
 * @room: makes room in the loaded magazine
 * @slow: argument of @room
 *
 * Context: any.
 * Return: the number of things given; less than @most if one of them cannot be freed, there is
 * no room, the caller interrupted code that is at work on the magazines, or the owner requires
 * the slow path.
 */
static __always_inline u32 myalloc_give_bulk(struct myalloc_magazines *mags, u32 most, void **end,
					     myalloc_give_stale_fn give_stale, myalloc_give_fn give,
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
		n += myalloc_give_top(cpu, most - n, end - most, give_stale, give, arg);
	while (n < most && cpu->top == cpu->end && room(cpu, slow));
	myalloc_magazines_leave(cpu);
	return n;
}

#endif /* MYALLOC_MAGAZINE_LOOPS_H */
