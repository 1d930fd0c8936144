/* SPDX-License-Identifier: GPL-2.0 */
/* Where things lie in a slab: pure arithmetic, no memory touched. */
#ifndef MYALLOC_SLAB_LAYOUT_H
#define MYALLOC_SLAB_LAYOUT_H

#include "page/frame.h"

/*
 * Bytes of the largest slab, unless one object needs more: offsets have 17 bits, which the
 * 32 bits of the reciprocal allow (L4), and slots are counted in 16.
 */
#define MYALLOC_SLAB_BYTES_SHIFT 17
#define MYALLOC_SLAB_BYTES	(1u << MYALLOC_SLAB_BYTES_SHIFT)

/* Largest order of a slab: MYALLOC_SLAB_BYTES of the smallest pages. */
#define MYALLOC_SLAB_ORDER_MAX	5

/**
 * struct myalloc_track - who did it
 * @caller: address of the code
 * @when: ns since boot
 * @stack: handle of the call stack, 0 if unknown
 * @pid: task
 */
struct myalloc_track {
	u64 caller;
	u64 when;
	u32 stack;
	u32 pid;
};

/* Two records for each slot: */
enum { MYALLOC_TRACK_ALLOC, MYALLOC_TRACK_FREE, MYALLOC_NR_TRACKS };

/**
 * struct myalloc_slab_layout - see slab_layout.c for the theory
 * @object_size: bytes the user asked for
 * @slot_size: bytes from one object to the next
 * @object_offset: bytes from the beginning of a slot to the object: left red zone
 * @redzone_end: bytes from the beginning of the object to the end of its right red
 *	zone, @object_size if it has none
 * @link_offset: bytes from the beginning of the object to the place where the link of
 *	a deferred free may be written
 * @align: of objects, bytes
 * @order: log2 of pages in a slab
 * @objects: slots in a slab
 * @track_offset: bytes from the beginning of the slab to the owners' records, 0 if none
 * @out_offset: bytes from the beginning of the slab to the out bits, 0 if they are in
 *	the frame descriptors
 * @state_offset: the same of the states
 * @states: bytes of states
 * @waste: bytes in a slab that are neither object nor asked-for check
 * @reciprocal: ceil(2^32 / slot_size)
 */
struct myalloc_slab_layout {
	u32 object_size;
	u32 slot_size;
	u32 object_offset;
	u32 redzone_end;
	u32 link_offset;
	u32 align;
	u32 order;
	u32 objects;
	u32 track_offset;
	u32 out_offset;
	u32 state_offset;
	u32 states;
	u32 waste;
	u32 reciprocal;
};

int myalloc_slab_layout(struct myalloc_slab_layout *layout, u32 object_size, u32 align,
			myalloc_cache_flags_t flags, bool ctor, unsigned int max_order);

/**
 * myalloc_slot_index() - the slot that begins at an offset
 * @layout: of the slab
 * @offset: bytes from the beginning of the slab
 *
 * Division by multiplication with the reciprocal. For a multiple of the slot size the
 * quotient q is exact: the error, q * (slot_size - 1) / 2^32, is less than 1. For any
 * other offset the product with any q differs from it.
 *
 * Return: the index, U32_MAX if no slot begins there.
 */
static __always_inline u32 myalloc_slot_index(const struct myalloc_slab_layout *layout,
					      u32 offset)
{
	u32 index = (u64)layout->reciprocal * offset >> 32;

	if (unlikely(index * layout->slot_size != offset || index >= layout->objects))
		return U32_MAX;
	return index;
}

#endif /* MYALLOC_SLAB_LAYOUT_H */
