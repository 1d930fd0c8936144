/* SPDX-License-Identifier: GPL-2.0 */
/* Frame descriptors, and how an address leads to its descriptor */
#ifndef MYALLOC_FRAME_H
#define MYALLOC_FRAME_H

#include "myalloc.h"

/*
 * Types of frames. Only the first frame of a block has a type; its other frames, and all frames
 * of free blocks, have MYALLOC_FRAME_NONE. An extent (extent.c) is several blocks. The values are
 * outside the range of enum myalloc_slot_state, whose bytes fill the descriptors after the first
 * one of a slab. Types that are counted together differ in more than one bit, so that validation
 * detects each single-bit error.
 */
enum myalloc_frame_type {
	MYALLOC_FRAME_NONE = 0,
	MYALLOC_FRAME_PAGE = 0x81,	/* a block allocated to a page user */
	MYALLOC_FRAME_CACHED = 0x82,	/* a block in a magazine or the depot */
	MYALLOC_FRAME_DEFERRED = 0x83,	/* a freed block that waits for the lock */
	MYALLOC_FRAME_DEFERRING = 0x86,	/* will be DEFERRED; may not be in the list yet */
	MYALLOC_FRAME_RECOVERING = 0x87, /* a deferred one that a recovery has marked */
	MYALLOC_FRAME_SLAB = 0x84,	/* a slab */
	MYALLOC_FRAME_NEW = 0x85,	/* a slab under construction or being dismantled */
	MYALLOC_FRAME_LIMBO = 0x88,	/* an empty slab that has left its cache, see limbo.c */
	MYALLOC_FRAME_EXTENT = 0x8b,	/* the first block of a page user's extent */
	MYALLOC_FRAME_PIECE = 0x8c,	/* a later block of an extent */
	MYALLOC_FRAME_LENT = 0x96,	/* a page user's lendable block (lend.c) */
	MYALLOC_FRAME_QUARANTINE = 0x8a, /* a freed block with references to its pages */
	MYALLOC_FRAME_BAD = 0x8d,	/* a page that the machine reports as bad (bad_page.c) */
	MYALLOC_FRAME_CONTRACT = 0x93,	/* a chunk of the zone of a contract, a child of this one */
	MYALLOC_FRAME_KEPT = 0x99,	/* a block that a contract keeps for NMI handlers */
	MYALLOC_FRAME_FREEING = 0x8e,	/* a block that a page user's free has claimed */
	MYALLOC_FRAME_HOLE = 0x90,	/* a chunk without memory (zone/elastic.c) */
};

/* Bytes of a frame descriptor; frame.c asserts it. */
#define MYALLOC_FRAME_BYTES	16
/* Descriptors that a walk looks at between two offers to reschedule. */
#define MYALLOC_WALK_PART	1024

/**
 * struct myalloc_frame - descriptor of a frame
 * @type: enum myalloc_frame_type
 * @order: order of the block that begins here
 * @cache: slab: number of the cache, never 0; chunk of a contract's zone: number of that zone;
 *	first block of an extent: number of pages less 1, and above MYALLOC_EXTENT_BITS the number
 *	of its owner, 0 for none
 * @tag: the three members above, to compare them at once
 * @stack: pages: handle of the stack of the allocation, or, when they are free, of the free, with
 *	MYALLOC_OWNER; without it, an extent of a client: seconds since boot (extent.c); in
 *	quarantine: the next block (lend.c)
 * @caller: pages: code address of the caller that allocated the block; it stays when the block is
 *	freed (Z7)
 * @inuse: slab: number of slots that are not SLOT_FREE
 * @hint: slab: no slot below this one is free
 * @next: slab: index of the next slab in its list
 * @prev: slab: index of the previous slab in its list
 *
 * 16 bytes per frame, 0.39 % of the memory. The descriptors after the first one of a slab hold
 * the states of its slots if they fit (see slab_layout.c).
 */
struct myalloc_frame {
	union {
		struct {
			u8 type;
			u8 order;
			u16 cache;
		};
		u32 tag;
	};
	union {
		u32 stack;
		struct {
			u16 inuse;
			u16 hint;
		};
	};
	union {
		u64 caller;
		struct {
			u32 next;
			u32 prev;
		};
	};
};

/**
 * struct myalloc_linear - the longest sequence of adjacent chunks
 * @base: address of the first chunk
 * @bytes: size of all of them
 * @frames: descriptor of the first frame
 *
 * Inside it the descriptor of an address is computed without a lookup. On a machine that was
 * booted recently it is the whole zone; other addresses are looked up in the map.
 */
struct myalloc_linear {
	unsigned long base;
	unsigned long bytes;
	struct myalloc_frame *frames;
};

/* log2 of the chunk-sized pieces of the address space that one leaf of a map covers */
#define MYALLOC_LEAF_SHIFT	9

/**
 * struct myalloc_map - maps an address to its frame descriptor; a copy serves as well
 * @linear: copy of the zone's linear range
 * @base: address of the first chunk; with leaves, where the first leaf begins
 * @shift: log2 of bytes in a chunk
 * @bucket_shift: log2 of bytes in a bucket or leaf
 * @nr_buckets: number of buckets between the beginnings of the first and the last chunk, at most
 *	the number of chunks; or number of leaves
 * @has_leaves: 1 if the chunks come and go, otherwise 0
 * @first: for each bucket the number of chunks below it, followed by the number of all chunks
 * @leaves: for each chunk-sized piece in a leaf the number of the chunk there plus 1, or 0 if there
 *	is none; NULL for a leaf that was never needed
 * @chunks: address of each chunk, ascending
 * @frames: descriptors, in the order of chunks
 *
 * See frame.c.
 */
struct myalloc_map {
	struct myalloc_linear linear;
	unsigned long base;
	u32 shift;
	u32 bucket_shift;
	u32 nr_buckets;
	u32 has_leaves;
	union {
		u32 *first;
		u32 **leaves;
	};
	const unsigned long *chunks;
	struct myalloc_frame *frames;
};

/**
 * struct myalloc_map_span - the addresses at which chunks of an elastic zone may lie
 * @begin: the lowest one
 * @end: the end, above @begin
 */
struct myalloc_map_span {
	unsigned long begin;
	unsigned long end;
};

/**
 * myalloc_frame_tag() - the tag of the first frame of a block
 * @type: enum myalloc_frame_type
 * @order: order of the block
 * @cache: number of the cache, or the number of pages of an extent less 1, or 0
 *
 * Combines the members of struct myalloc_frame as they lie in memory.
 *
 * Context: any.
 * Return: the tag.
 */
static __always_inline u32 myalloc_frame_tag(enum myalloc_frame_type type,
					     unsigned int order, u32 cache)
{
	return (__force u32)cpu_to_le32(type | order << 8) |
	       (__force u32)cpu_to_le32((u32)(__force u16)cpu_to_le16(cache) << 16);
}

/**
 * myalloc_user_tag() - the tag of a block that is allocated to a page user
 * @order: order of the block
 *
 * Context: any.
 * Return: the tag of its first frame.
 */
static __always_inline u32 myalloc_user_tag(unsigned int order)
{
	return myalloc_frame_tag(MYALLOC_FRAME_PAGE, order, 0);
}

/**
 * myalloc_frame_is_users() - is a block of this type allocated to a page user?
 * @type: type of the first frame of the block
 *
 * Context: any.
 * Return: true if it is.
 */
static inline bool myalloc_frame_is_users(u8 type)
{
	return type == MYALLOC_FRAME_PAGE || type == MYALLOC_FRAME_LENT ||
	       type == MYALLOC_FRAME_EXTENT || type == MYALLOC_FRAME_PIECE;
}

/* In the first tag of an extent: bits of its pages less 1. The owner's number lies above them. */
#define MYALLOC_EXTENT_BITS	MYALLOC_CHUNK_MAX
#define MYALLOC_OWNERS_MAX	BIT(16 - MYALLOC_EXTENT_BITS)
/*
 * The last numbers are each that of all fronts of one kind. Their extents are no memory of a user:
 * a free by address alone refuses them.
 */
#define MYALLOC_OWNER_ARENAS	(MYALLOC_OWNERS_MAX - 1)
#define MYALLOC_OWNER_RINGS	(MYALLOC_OWNERS_MAX - 2)
#define MYALLOC_OWNERS_KINDS	MYALLOC_OWNER_RINGS	/* the first of them */

/* Nanoseconds to a unit of the time that the first descriptor of a client's extent records. */
#define MYALLOC_STAMP_NS	1000000000u

/**
 * myalloc_extent_mark() - the number in the first tag of an extent, in place of a cache
 * @nr: pages of the extent
 * @owner: number of the owner, 0 for none
 *
 * Context: any.
 * Return: the number.
 */
static __always_inline u32 myalloc_extent_mark(u32 nr, u32 owner)
{
	return owner << MYALLOC_EXTENT_BITS | (nr - 1);
}

/**
 * myalloc_frame_pages() - number of pages of an allocation
 * @frame: first frame of the allocation
 *
 * Context: any.
 * Return: the number of pages; for an extent, of the whole extent and not of its first block.
 */
static inline u32 myalloc_frame_pages(const struct myalloc_frame *frame)
{
	if (frame->type != MYALLOC_FRAME_EXTENT)
		return BIT(frame->order);
	return (READ_ONCE(frame->cache) & (BIT(MYALLOC_EXTENT_BITS) - 1)) + 1U;
}

/**
 * myalloc_frame_owner() - the owner of an extent
 * @frame: its first frame; any frame is valid
 *
 * Context: any.
 * Return: the number of the owner; 0 if there is none, or no extent begins at @frame.
 */
static inline u32 myalloc_frame_owner(const struct myalloc_frame *frame)
{
	return READ_ONCE(frame->type) == MYALLOC_FRAME_EXTENT ?
	       READ_ONCE(frame->cache) >> MYALLOC_EXTENT_BITS : 0;
}

/**
 * myalloc_owner_kind() - the kind of front that an owner number stands for
 * @owner: number of an owner of extents
 *
 * Context: any.
 * Return: the kind in words; NULL if the number is that of one owner.
 */
static inline const char *myalloc_owner_kind(u32 owner)
{
	if (owner < MYALLOC_OWNERS_KINDS)
		return NULL;
	return owner == MYALLOC_OWNER_RINGS ? "a ring" : "an arena";
}

long myalloc_map_init(struct myalloc_map *map, const unsigned long *chunks, u32 nr_chunks,
		      unsigned int chunk_order, struct myalloc_frame *frames, int node);
long myalloc_map_init_leaves(struct myalloc_map *map, const struct myalloc_map_span *span,
			     const unsigned long *chunks, u32 nr_chunks, unsigned int chunk_order,
			     struct myalloc_frame *frames, int node);
long myalloc_map_reach(struct myalloc_map *map, unsigned long chunk, int node);
void myalloc_map_set(const struct myalloc_map *map, unsigned long chunk, u32 value);
void myalloc_map_fini(struct myalloc_map *map);
struct myalloc_frame *myalloc_map_search(const struct myalloc_map *map, const void *addr);

/**
 * myalloc_map_frame() - find the descriptor of the frame that contains an address
 * @map: the zone's map, or a copy
 * @addr: any value
 *
 * Context: any.
 * Return: the descriptor; NULL if the address is not in a chunk.
 */
static __always_inline struct myalloc_frame *
myalloc_map_frame(const struct myalloc_map *map, const void *addr)
{
	unsigned long off = (unsigned long)addr - map->linear.base;

	if (likely(off < map->linear.bytes))
		return map->linear.frames + (off >> PAGE_SHIFT);
	return myalloc_map_search(map, addr);
}

#endif /* MYALLOC_FRAME_H */
