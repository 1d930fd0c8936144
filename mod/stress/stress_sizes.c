// SPDX-License-Identifier: GPL-2.0
/*
 * Allocations of any size, of the kinds HEAP, ARENA and RING. See stress.c for the theory.
 *
 * The size of an allocation follows from its number, so that it needs no more room in a list than
 * any other: numbers that differ only in their STRESS_SIZE_BITS lowest bits have the same size. A
 * single allocation uses the first of such numbers, a bulk allocation several of them. Each
 * doubling of the size is as frequent as the others.
 */
#include "env.h"

#include "stress/stress_run.h"

/**
 * stress_size_of() - the size of an allocation of any size
 * @t: a thread of the run
 * @identity: of the allocation
 *
 * Context: any.
 * Return: bytes.
 */
u32 stress_size_of(const struct stress_thread *t, u64 identity)
{
	return myalloc_random_size(myalloc_mix64(t->run->params.seed ^
						 identity >> STRESS_SIZE_BITS),
				   t->run->what[STRESS_WHAT_SIZES].bytes);
}

/**
 * stress_next_size() - the identity of a thread's next allocation of any size
 * @t: the thread
 *
 * Context: the thread.
 * Return: an identity; those that differ only in their STRESS_SIZE_BITS lowest bits are unused.
 */
u64 stress_next_size(struct stress_thread *t)
{
	WRITE_ONCE(t->number, (t->number | ((1 << STRESS_SIZE_BITS) - 1)) + 1);
	return stress_identity(STRESS_WHAT_SIZES, t->index, t->number);
}

static u64 key_of(const struct stress_thread *t, u64 identity)
{
	return myalloc_pattern_key(t->run->params.seed, identity);
}

/**
 * stress_fill() - write the pattern of an allocation of any size, unless the run does not verify
 * @t: the thread
 * @item: the allocation
 *
 * Context: the thread.
 */
void stress_fill(struct stress_thread *t, const struct stress_item *item)
{
	if (t->run->verify)
		myalloc_pattern_fill(item->addr, stress_size_of(t, item->identity),
				     key_of(t, item->identity));
}

/**
 * stress_verify() - compare an allocation of any size with its pattern, unless the run does not
 *	verify
 * @t: the thread
 * @item: the allocation
 * @size: bytes to compare
 * @when: for the message: "when freed"
 *
 * Context: the thread.
 */
void stress_verify(struct stress_thread *t, const struct stress_item *item, u32 size,
		   const char *when)
{
	struct myalloc_damage damage;

	if (t->run->verify && !myalloc_pattern_check(item->addr, size, key_of(t, item->identity),
						     &damage))
		myalloc_stress_tell_damage(t, item, &damage, when);
}

/**
 * stress_check_new() - check that a new allocation of any size is aligned, and zeroed if requested
 * @t: the thread
 * @item: the allocation
 * @align: bytes
 * @zeroed: zeroed memory was requested
 *
 * Context: the thread.
 */
void stress_check_new(struct stress_thread *t, const struct stress_item *item, u32 align,
		      bool zeroed)
{
	u32 size = stress_size_of(t, item->identity);
	struct myalloc_damage damage;

	if (!IS_ALIGNED((unsigned long)item->addr, align))
		myalloc_stress_tell(t, STRESS_VERIFY_ERRORS,
				    "allocation #%llu of thread %u, of %u bytes, is misplaced",
				    stress_identity_number(item->identity), t->index, size);
	if (zeroed && t->run->verify && !myalloc_pattern_check_zero(item->addr, size, &damage))
		myalloc_stress_tell_damage(t, item, &damage, "asked for zeroed");
}
