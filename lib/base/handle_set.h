/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of numbers that only grows: which handles of call stacks were ever given out
 *
 * The kernel's stack depot answers a handle that it never gave with a WARN. Ours come out of
 * records that a user's overflow may have hit, or that were read while they changed; they are
 * looked up here first.
 *
 * Open addressing without removal: an entry is stored once by a compare-and-exchange, so that
 * a reader needs no lock. What does not find a place near where it belongs is not taken in.
 */
#ifndef MYALLOC_HANDLE_SET_H
#define MYALLOC_HANDLE_SET_H

/* 32 KiB; a busy kernel has some hundred stacks for one zone. */
#define MYALLOC_HANDLES_BITS	13
#define MYALLOC_HANDLES_PROBES	16

struct myalloc_handle_set {
	u32 slot[BIT(MYALLOC_HANDLES_BITS)];
};

/* Multiplicative hashing (Knuth 6.4), by 2^32 over the golden ratio. */
static inline u32 myalloc_handle_at(u32 handle, u32 probe)
{
	return ((handle * 0x61c88647U >> (32 - MYALLOC_HANDLES_BITS)) + probe) %
	       BIT(MYALLOC_HANDLES_BITS);
}

/**
 * myalloc_handle_set_add() - take a number in
 * @set: the set
 * @handle: the number, not 0
 *
 * Context: any.
 * Return: it is in the set now; false if there is no place.
 */
static inline bool myalloc_handle_set_add(struct myalloc_handle_set *set, u32 handle)
{
	u32 probe;

	for (probe = 0; probe < MYALLOC_HANDLES_PROBES; probe++) {
		u32 *slot = &set->slot[myalloc_handle_at(handle, probe)], found = READ_ONCE(*slot);

		if (!found) {
			myalloc_env_point("handle-place");
			found = cmpxchg(slot, 0, handle) ?: handle;
		}
		if (found == handle)
			return true;
	}
	return false;
}

/* Is it in the set? Context: any. */
static inline bool myalloc_handle_set_has(const struct myalloc_handle_set *set, u32 handle)
{
	u32 probe;

	for (probe = 0; handle && probe < MYALLOC_HANDLES_PROBES; probe++)
		if (READ_ONCE(set->slot[myalloc_handle_at(handle, probe)]) == handle)
			return true;
	return false;
}

#endif /* MYALLOC_HANDLE_SET_H */
