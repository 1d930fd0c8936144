/* SPDX-License-Identifier: GPL-2.0 */
/* Positions within a slab: pure arithmetic, which touches no memory. */
#ifndef MYALLOC_SLAB_LAYOUT_H
#define MYALLOC_SLAB_LAYOUT_H

#include "page/frame.h"

/*
 * Bytes of the largest slab, unless a single object needs more: offsets have 17 bits, which is what
 * the 32 bits of the reciprocal allow (L4), and slots are counted in 16 bits.
 */
#define MYALLOC_SLAB_BYTES_SHIFT 17
#define MYALLOC_SLAB_BYTES	((u32)BIT(MYALLOC_SLAB_BYTES_SHIFT))

/* Largest order of a slab: MYALLOC_SLAB_BYTES made of the smallest pages. */
#define MYALLOC_SLAB_ORDER_MAX	5

/**
 * struct myalloc_track - record of an allocation or a free
 * @caller: address of the calling code
 * @when: ns since boot
 * @stack: handle of the call stack, 0 if unknown
 * @pid: id of the task
 */
struct myalloc_track {
	u64 caller;
	u64 when;
	u32 stack;
	u32 pid;
};

/* Each slot has two records: */
enum { MYALLOC_TRACK_ALLOC, MYALLOC_TRACK_FREE, MYALLOC_NR_TRACKS };

/**
 * struct myalloc_slab_layout - layout of a slab; see slab_layout.c for the theory
 * @object_size: bytes the user asked for
 * @slot_size: bytes from one object to the next
 * @object_offset: bytes from the beginning of a slot to its object; the size of the left red zone
 * @redzone_end: bytes from the beginning of the object to the end of its right red zone;
 *	@object_size if it has none
 * @link_offset: bytes from the beginning of the object to the link of a deferred free
 * @align: alignment of objects, bytes
 * @order: log2 of pages in a slab
 * @objects: slots in a slab
 * @track_offset: bytes from the beginning of the slab to the owners' records, 0 if none
 * @out_offset: bytes from the beginning of the slab to the out bits, 0 if they lie in the frame
 *	descriptors
 * @state_offset: bytes from the beginning of the slab to the states, 0 if they lie in the frame
 *	descriptors
 * @states: bytes of states
 * @waste: bytes in a slab that hold neither an object nor a check that was asked for
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
 * @layout: layout of the slab
 * @offset: bytes from the beginning of the slab
 *
 * Divides by multiplying with the reciprocal. For a multiple of the slot size the quotient q is
 * exact, because the error, q * (slot_size - 1) / 2^32, is less than 1. Any other offset differs
 * from the product of the slot size with every q.
 *
 * Context: any.
 * Return: the index; U32_MAX if no slot begins there.
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
