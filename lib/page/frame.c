// SPDX-License-Identifier: GPL-2.0
/*
 * Frame descriptors, and how an address leads to its descriptor
 *
 * Structures
 *
 *	address space	[ chunk 0 ][ chunk 1 ]........................[ chunk 2 ]....
 *	buckets		|  bucket 0           |  bucket 1           |  bucket 2
 *	map.first	   0                     2                     2           3
 *	map.chunks	[    0    ][    1    ]                        [    2    ]
 *	frames		[ 0 ... 1023 ][ 1024 ... 2047 ][ 2048 ... 3071 ]
 *
 * The linear range is the longest sequence of adjacent chunks, usually all of them. Inside it one
 * subtraction and one shift lead from an address to its descriptor. Fast paths use only the
 * linear range.
 *
 * The map serves all other addresses. Its first level divides the address space between the first
 * and the last chunk into buckets of equal size, a power of two times the chunk size; there are
 * at most as many buckets as chunks. The second level is the sorted list of chunks: first[b] and
 * first[b + 1] delimit the chunks of bucket b, and a binary search finds the last chunk that
 * begins at or below the address. An address is foreign if it lies in no bucket, or not in that
 * chunk. A chunk never spans two buckets, because both are aligned to the first chunk. This map
 * never changes, so a lookup needs no lock and works in NMI.
 *
 * The size of the map depends only on the number of chunks, not on their addresses: 12 bytes per
 * chunk. A lookup takes at most log2(nr_chunks) + 1 steps, which happens if all chunks but one
 * lie close together, and one or two steps if they are spread evenly. An array with an entry for
 * each chunk-sized piece of address space would always need one step, but with 16 MiB in chunks
 * of 32 KiB that are spread over 64 GiB it would take another 16 MiB.
 *
 * Chunks that come and go (zone/elastic.c) can lie anywhere in a span of addresses, in any order.
 * Their map is an array by address instead, in two levels: the span is divided into pieces of the
 * size of a chunk, and a leaf holds for each of 512 pieces the number of the chunk there. A lookup
 * takes two loads wherever the chunk is and whenever it was added; so that the first chunks have
 * no privilege, such a map has no linear range. Leaves are allocated when a chunk first needs one,
 * and never freed before the map.
 *
 *	span		| 512 pieces          | 512 pieces          | 512 pieces
 *	map.leaves	   *                     NULL                  *
 *	leaf		[ 1 2 . . 4 . . . ]                         [ . . . 3 . . . ]
 *
 * Writers are serialised by the lock of the zone, readers take no lock. A leaf is published by
 * store-release of its address after it was zeroed (pairs with the load-acquire of a lookup). An
 * entry is written before the first block of the chunk is given to the buddy, and cleared after
 * the last one was taken; so the entry of an allocated block is constant, and whoever got its
 * address from an allocation sees the entry.
 *
 * Invariant
 *	A1  The linear range, the map and the frames agree: the descriptor found for the address
 *	    of a frame is the frame's own, both with the linear range and by the map alone; and an
 *	    address directly before or after a sequence of adjacent chunks is foreign.
 */
#include "env.h"
#include "page/frame.h"

static_assert(sizeof(struct myalloc_frame) == MYALLOC_FRAME_BYTES);

#define LEAF_MASK	(BIT(MYALLOC_LEAF_SHIFT) - 1)

/* Finds the longest sequence of adjacent chunks. */
static void init_linear(struct myalloc_map *map, u32 nr_chunks)
{
	unsigned long chunk_bytes = 1UL << map->shift;
	u32 first = 0, next;

	for (next = 1; next <= nr_chunks; next++) {
		unsigned long bytes = (next - first) * chunk_bytes;

		if (next < nr_chunks && map->chunks[next] == map->chunks[first] + bytes)
			continue;
		if (bytes > map->linear.bytes) {
			map->linear.base = map->chunks[first];
			map->linear.bytes = bytes;
			map->linear.frames = map->frames +
					     ((size_t)first << (map->shift - PAGE_SHIFT));
		}
		first = next;
	}
}

/**
 * myalloc_map_init() - initialise the map of a set of chunks
 * @map: zeroed memory
 * @chunks: address of each chunk, ascending; must stay valid for as long as the map is in use
 * @nr_chunks: number of chunks, at least 1
 * @chunk_order: log2 of frames in a chunk
 * @frames: descriptors of all frames, in the order of chunks; must stay valid as @chunks
 * @node: NUMA node for the memory of the map
 *
 * Context: task, may sleep.
 * Return: bytes of memory used by the map; -ENOMEM if out of memory.
 */
long myalloc_map_init(struct myalloc_map *map, const unsigned long *chunks, u32 nr_chunks,
		      unsigned int chunk_order, struct myalloc_frame *frames, int node)
{
	unsigned long span;
	size_t size;
	u32 i;

	map->base = chunks[0];
	map->chunks = chunks;
	map->frames = frames;
	map->shift = chunk_order + PAGE_SHIFT;
	map->bucket_shift = map->shift;
	init_linear(map, nr_chunks);
	span = chunks[nr_chunks - 1] - map->base;
	while (span >> map->bucket_shift >= nr_chunks)
		map->bucket_shift++;
	map->nr_buckets = (span >> map->bucket_shift) + 1;
	size = ((size_t)map->nr_buckets + 1) * sizeof(*map->first);
	map->first = myalloc_env_zalloc(size, node);
	if (!map->first)
		return -ENOMEM;
	/* Count the chunks of each bucket, then add up. */
	for (i = 0; i < nr_chunks; i++)
		map->first[((chunks[i] - map->base) >> map->bucket_shift) + 1]++;
	for (i = 1; i <= map->nr_buckets; i++)
		map->first[i] += map->first[i - 1];
	return size;
}

/**
 * myalloc_map_init_leaves() - initialise the map of chunks that come and go
 * @map: zeroed memory
 * @span: the addresses of all chunks ever
 * @chunks: as for myalloc_map_init()
 * @nr_chunks: number of chunks that exist now, at least 1
 * @chunk_order: as for myalloc_map_init()
 * @frames: the same
 * @node: the same
 *
 * Context: task, may sleep.
 * Return: bytes of memory used by the map; -ENOMEM if out of memory; -ERANGE if a chunk is not in
 * the span. After an error the caller calls myalloc_map_fini().
 */
long myalloc_map_init_leaves(struct myalloc_map *map, const struct myalloc_map_span *span,
			     const unsigned long *chunks, u32 nr_chunks, unsigned int chunk_order,
			     struct myalloc_frame *frames, int node)
{
	long bytes, more;
	u32 i;

	map->chunks = chunks;
	map->frames = frames;
	map->shift = chunk_order + PAGE_SHIFT;
	map->bucket_shift = map->shift + MYALLOC_LEAF_SHIFT;
	map->has_leaves = true;
	/* The pieces begin where chunks do. */
	map->base = span->begin + ((chunks[0] - span->begin) & ((1UL << map->shift) - 1));
	map->nr_buckets = ((span->end - 1 - map->base) >> map->bucket_shift) + 1;
	map->linear.base = map->base;
	map->linear.frames = frames;
	bytes = map->nr_buckets * sizeof(*map->leaves);
	map->leaves = myalloc_env_zalloc(bytes, node);
	if (!map->leaves)
		return -ENOMEM;
	for (i = 0; i < nr_chunks; i++) {
		more = myalloc_map_reach(map, chunks[i], node);
		if (more < 0)
			return more;
		bytes += more;
		myalloc_map_set(map, chunks[i], i + 1);
	}
	return bytes;
}

/**
 * myalloc_map_reach() - make sure that a chunk can be entered into a map with leaves
 * @map: the zone's map
 * @chunk: address of the chunk
 * @node: NUMA node for memory
 *
 * Context: task, may sleep.
 * Return: bytes of memory allocated; -ENOMEM if out of memory; -ERANGE if no chunk can begin at
 * this address.
 */
long myalloc_map_reach(struct myalloc_map *map, unsigned long chunk, int node)
{
	unsigned long off = chunk - map->base, nr = off >> map->bucket_shift;
	size_t size = sizeof(u32) << MYALLOC_LEAF_SHIFT;
	u32 *leaf, *none = NULL;

	if (off & ((1UL << map->shift) - 1) || nr >= map->nr_buckets)
		return -ERANGE;
	if (READ_ONCE(map->leaves[nr]))
		return 0;
	leaf = myalloc_env_zalloc(size, node);
	if (!leaf)
		return -ENOMEM;
	myalloc_env_point("map-leaf");
	/* A full barrier, after the leaf was zeroed. */
	if (try_cmpxchg(&map->leaves[nr], &none, leaf))
		return size;
	myalloc_env_free(leaf);
	return 0;
}

/**
 * myalloc_map_set() - change the entry of a chunk in a map with leaves
 * @map: the zone's map
 * @chunk: address of the chunk, for which myalloc_map_reach() has succeeded
 * @value: number of the chunk plus 1; 0 to remove it
 *
 * Context: any; the caller excludes other writers.
 */
void myalloc_map_set(const struct myalloc_map *map, unsigned long chunk, u32 value)
{
	unsigned long nr = (chunk - map->base) >> map->shift;

	WRITE_ONCE(map->leaves[nr >> MYALLOC_LEAF_SHIFT][nr & LEAF_MASK], value);
}

/**
 * myalloc_map_fini() - free the memory of a map
 * @map: the zone's map; zeroed memory is allowed
 *
 * Context: task, may sleep.
 */
void myalloc_map_fini(struct myalloc_map *map)
{
	u32 i;

	for (i = 0; map->has_leaves && map->leaves && i < map->nr_buckets; i++)
		myalloc_env_free(map->leaves[i]);
	myalloc_env_free(map->first);	/* or leaves */
}

/* The search in a map with leaves. */
static struct myalloc_frame *search_leaf(const struct myalloc_map *map, unsigned long nr,
					 unsigned long off)
{
	const u32 *leaf = smp_load_acquire(&map->leaves[nr]);	/* pairs with myalloc_map_reach() */
	u32 value = leaf ? READ_ONCE(leaf[off >> map->shift & LEAF_MASK]) : 0;

	if (!value)
		return NULL;
	return map->frames + ((size_t)(value - 1) << (map->shift - PAGE_SHIFT)) +
	       ((off & ((1UL << map->shift) - 1)) >> PAGE_SHIFT);
}

/**
 * myalloc_map_search() - look up an address in the map
 * @map: the zone's map, or a copy
 * @addr: any value
 *
 * Used for addresses outside the linear range, see myalloc_map_frame(). Takes at most
 * log2(chunks) + 1 steps, or two loads if the map has leaves.
 *
 * Context: any.
 * Return: the descriptor of the frame; NULL if the address is not in a chunk.
 */
noinline struct myalloc_frame *myalloc_map_search(const struct myalloc_map *map,
						  const void *addr)
{
	unsigned long off, bucket = ((unsigned long)addr - map->base) >> map->bucket_shift;
	u32 low, high;

	if (bucket >= map->nr_buckets)
		return NULL;
	if (map->has_leaves)
		return search_leaf(map, bucket, (unsigned long)addr - map->base);
	low = map->first[bucket];
	high = map->first[bucket + 1];
	if (low == high)
		return NULL;
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		myalloc_env_step("map-step");
		if (map->chunks[middle] <= (unsigned long)addr)
			low = middle;
		else
			high = middle;
	}
	/*
	 * If the address is below the first chunk of the bucket, off wraps around and is too
	 * large.
	 */
	off = (unsigned long)addr - map->chunks[low];
	if (off >> map->shift)
		return NULL;
	return map->frames + ((size_t)low << (map->shift - PAGE_SHIFT)) + (off >> PAGE_SHIFT);
}
