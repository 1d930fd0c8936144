// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of a slab
 *
 *	slab	[ slot 0 | slot 1 | ... | slot n-1 | owners | unused | out bits | states ]
 *	slot	[ left red zone | object | right red zone | link | padding ]
 *
 * Usually a slot has neither red zones nor a link of its own: it is just the object, rounded up to
 * its alignment.
 *
 * For each slot, slab.c keeps one byte of state and one out bit. They lie in the frame descriptors
 * of the slab, behind the header in the first one, if they fit there and one word of bits is
 * enough: a slab of order k has 16 * 2^k - 16 bytes of room. So eight objects of 4096 bytes fill a
 * slab of 32 KiB to the last byte. The bits are the last 8 bytes of the last descriptor, clear of
 * its tag. With smaller objects, both lie at the end of the slab. The bits come first because
 * slab.c compares them with a count stored elsewhere before it uses a slab. They thus reveal a
 * write beyond the end of the last object before it reaches the states. Every multiple of the slot
 * size in the slab has a state, even where no object fits any more. Those states stay FREE, so a
 * free of such an address needs no check of its own.
 *
 * The order is the smallest one at which the slab holds at least MIN_OBJECTS and wastes at most a
 * 32nd of itself, not counting bits and states. If no order up to the largest one allowed does so,
 * it is the one that wastes the smallest share. A slab has at most MYALLOC_SLAB_BYTES unless a
 * single object needs more. Small orders limit fragmentation of the zone and let a slab become
 * empty sooner; a slab is a user of the zone like any other and does not get the last large block.
 *
 * The link of a deferred free (slab.c) is written to the beginning of the object, if that content
 * may be overwritten. Otherwise (with a constructor, with poison, or if a red zone would be in the
 * way) it has its own 8 bytes behind the object.
 *
 * Invariants
 *	L1  No two of slots, owners' records, out bits and states overlap; all lie in the slab.
 *	L2  Objects are aligned to align; slot_size is a multiple of align and of 8.
 *	L3  myalloc_slot_index() finds i at offset i * slot_size for every slot, and U32_MAX
 *	    at every other offset.
 *	L4  For any offset in the slab, the low half of offset * reciprocal is below the reciprocal
 *	    if and only if the offset is a multiple of slot_size.
 *
 * Why L4 holds: let e = reciprocal * slot_size - 2^32, the error of the reciprocal; e <
 * slot_size, and e = 0 for a power of two. With offset = q * slot_size + r the low half is
 * q * e + r * reciprocal, as long as that is below 2^32. It is if offset * e < 2^32, and then
 * it is below the reciprocal only for r = 0. For slots of at most MYALLOC_MAX_OBJECT bytes,
 * e < 2^15 and offset < 2^17 (static_assert below). Larger slots exist only with red zones,
 * with a link of their own or with an alignment above MYALLOC_MAX_OBJECT. For those,
 * layout_all_exact in kunit tries every size, alignment and set of flags, with each page size.
 * A slab larger than 2^17 bytes holds a single object, with an alignment of 64 KiB: its slot is
 * a power of two.
 */
#include "env.h"
#include "myalloc.h"
#include "object/slab_layout.h"

#define MIN_OBJECTS	8
#define MIN_SLOT	8

static_assert((u64)MYALLOC_SLAB_BYTES * MYALLOC_MAX_OBJECT <= BIT_ULL(32),
	      "L4: the error of the reciprocal times an offset must be below 2^32");
static_assert(PAGE_SIZE << 1 <= MYALLOC_SLAB_BYTES,
	      "pages of more than 64 KiB: a slab would be larger than L4 allows");
static_assert(PAGE_SIZE << MYALLOC_SLAB_ORDER_MAX >= MYALLOC_SLAB_BYTES);
static_assert(MYALLOC_SLAB_BYTES / MIN_SLOT <= U16_MAX,
	      "inuse and hint of a frame count slots in 16 bits");
/* At most the states that one word of out bits covers may lie in the descriptors. */
#define STATES_IN_FRAMES	64

/* Number of slots that begin in a slab, whether they fit or not: the range of an index. */
static u32 nr_states(u32 bytes, const struct myalloc_slab_layout *l)
{
	return DIV_ROUND_UP(bytes, l->slot_size);
}

static u32 out_bytes(u32 states)
{
	return DIV_ROUND_UP(states, 64) * sizeof(u64);
}

/* Bytes of out bits and states at the end of a slab; 0 if they fit into the descriptors. */
static u32 end_bytes(u32 bytes, const struct myalloc_slab_layout *l)
{
	u32 room = bytes / PAGE_SIZE * MYALLOC_FRAME_BYTES - MYALLOC_FRAME_BYTES;
	u32 states = nr_states(bytes, l);

	if (states <= STATES_IN_FRAMES && states + sizeof(u64) <= room)
		return 0;
	return out_bytes(states) + ALIGN(states, 8);
}

static u32 fit(u32 bytes, const struct myalloc_slab_layout *l, u32 track)
{
	return (bytes - end_bytes(bytes, l)) / (l->slot_size + track);
}

static u32 waste(u32 bytes, const struct myalloc_slab_layout *l, u32 objects, u32 track)
{
	return bytes - end_bytes(bytes, l) - objects * (l->slot_size + track);
}

static void place(struct myalloc_slab_layout *l, u32 track, unsigned int order)
{
	u32 bytes = PAGE_SIZE << order, end = end_bytes(bytes, l);

	l->order = order;
	l->objects = fit(bytes, l, track);
	l->states = nr_states(bytes, l);
	l->track_offset = track ? l->objects * l->slot_size : 0;
	l->out_offset = end ? bytes - end : 0;
	l->state_offset = end ? bytes - ALIGN(l->states, 8) : 0;
	l->waste = bytes - l->objects * l->object_size;
}

/**
 * myalloc_slab_layout() - lay out the slabs of a cache
 * @layout: out
 * @object_size: bytes, 1 to MYALLOC_MAX_OBJECT
 * @align: bytes, a power of two up to the page size; 0 for 8
 * @flags: MYALLOC_REDZONE, MYALLOC_POISON and MYALLOC_OWNER affect the layout
 * @keeps_content: objects keep their content while free: the cache has a constructor, or is
 *	typesafe by RCU
 * @max_order: largest order of a slab, log2 of pages; MYALLOC_SLAB_BYTES limits it further
 *
 * Context: any.
 * Return: 0; -EINVAL for a size or alignment out of range; -E2BIG if a slab of the largest order is
 * too small for one object.
 */
int myalloc_slab_layout(struct myalloc_slab_layout *layout, u32 object_size, u32 align,
			myalloc_cache_flags_t flags, bool keeps_content, unsigned int max_order)
{
	struct myalloc_slab_layout *l = layout;
	u32 track = flags & MYALLOC_OWNER ?
		    sizeof(struct myalloc_track) * MYALLOC_NR_TRACKS : 0;
	unsigned int order, best = 0;
	u64 best_waste = U64_MAX;
	u32 end;

	align = align ?: MIN_SLOT;
	if (!object_size || object_size > MYALLOC_MAX_OBJECT || !is_power_of_2(align) ||
	    align > PAGE_SIZE)
		return -EINVAL;
	align = max_t(u32, align, MIN_SLOT);

	memset(l, 0, sizeof(*l));
	l->object_size = object_size;
	l->align = align;
	end = object_size;
	if (flags & MYALLOC_REDZONE) {
		/* At least 8 bytes on each side, and on the left a whole alignment. */
		l->object_offset = align;
		end = ALIGN(object_size, 8) + 8;
	}
	l->redzone_end = end;
	if (keeps_content || flags & MYALLOC_POISON ||
	    (flags & MYALLOC_REDZONE && object_size < sizeof(void *))) {
		l->link_offset = ALIGN(end, 8);
		end = l->link_offset + sizeof(void *);
	}
	l->slot_size = ALIGN(l->object_offset + end, align);	/* at least 8 */
	l->reciprocal = (u32)DIV_ROUND_UP_ULL(1ULL << 32, l->slot_size);
	/* The order of MYALLOC_SLAB_BYTES, or of one object if that is larger. */
	max_order = min_t(unsigned int, max_order,
			  fls((MYALLOC_SLAB_BYTES - 1) | (l->slot_size + track - 1)) - PAGE_SHIFT);

	for (order = 0; order <= max_order; order++) {
		u32 bytes = PAGE_SIZE << order, objects;
		u64 wasted;

		objects = fit(bytes, l, track);
		if (!objects)
			continue;
		wasted = waste(bytes, l, objects, track);
		if (objects >= MIN_OBJECTS && wasted <= bytes / 32) {
			best = order;
			best_waste = 0;
			break;
		}
		/* Scale to the largest slab, so that orders compare. */
		wasted <<= MYALLOC_SLAB_ORDER_MAX - order;
		if (wasted < best_waste) {
			best = order;
			best_waste = wasted;
		}
	}
	if (best_waste == U64_MAX)
		return -E2BIG;
	place(l, track, best);
	return 0;
}
