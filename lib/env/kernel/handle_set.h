/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A set of numbers that only grows: all stack handles that were ever saved
 *
 * The kernel's stack depot answers an unknown handle with a WARN. The allocator reads handles
 * from records that a user's overflow may have damaged, or that change while they are read. So
 * each handle is looked up in this set first.
 *
 * The set is a hash table with open addressing and without removal. An entry is stored once, by a
 * compare-and-exchange, so readers need no lock. A handle is not added if there is no free slot
 * within MYALLOC_HANDLES_PROBES of its hash.
 */
#ifndef MYALLOC_HANDLE_SET_H
#define MYALLOC_HANDLE_SET_H

/* 32 KiB; a busy kernel has some hundred stacks per zone. */
#define MYALLOC_HANDLES_BITS	13
#define MYALLOC_HANDLES_PROBES	16

/**
 * struct myalloc_handle_set - the set
 * @slot: hash table of handles; 0 is an empty slot
 */
struct myalloc_handle_set {
	u32 slot[BIT(MYALLOC_HANDLES_BITS)];
};

/*
 * The place of a probe in the table. Multiplicative hashing (Knuth 6.4): 2^32 divided by the
 * golden ratio.
 */
static inline u32 myalloc_handle_at(u32 handle, u32 probe)
{
	return ((handle * 0x61c88647U >> (32 - MYALLOC_HANDLES_BITS)) + probe) %
	       BIT(MYALLOC_HANDLES_BITS);
}

/**
 * myalloc_handle_set_add() - add a handle
 * @set: the set
 * @handle: the handle, not 0
 *
 * Context: any.
 * Return: true if the set contains @handle now; false if there is no room.
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

/**
 * myalloc_handle_set_has() - test whether a handle is in the set
 * @set: the set
 * @handle: any value
 *
 * Context: any.
 * Return: true if @handle was added before.
 */
static inline bool myalloc_handle_set_has(const struct myalloc_handle_set *set, u32 handle)
{
	u32 probe;

	for (probe = 0; handle && probe < MYALLOC_HANDLES_PROBES; probe++)
		if (READ_ONCE(set->slot[myalloc_handle_at(handle, probe)]) == handle)
			return true;
	return false;
}

#endif /* MYALLOC_HANDLE_SET_H */
