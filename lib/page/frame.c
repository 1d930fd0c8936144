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
 * chunk. A chunk never spans two buckets, because both are aligned to the first chunk. The map
 * never changes, so a lookup needs no lock and works in NMI.
 *
 * The size of the map depends only on the number of chunks, not on their addresses: 12 bytes per
 * chunk. A lookup takes at most log2(nr_chunks) + 1 steps, which happens if all chunks but one
 * lie close together, and one or two steps if they are spread evenly. An array with an entry for
 * each chunk-sized piece of address space would always need one step, but with 16 MiB in chunks
 * of 32 KiB that are spread over 64 GiB it would take another 16 MiB.
 *
 * Invariant
 *	A1  The linear range, the map and the frames agree: the descriptor found for the address
 *	    of a frame is the frame's own, both with the linear range and by the map alone; and an
 *	    address directly before or after a sequence of adjacent chunks is foreign.
 */
#include "env.h"
#include "page/frame.h"

static_assert(sizeof(struct myalloc_frame) == MYALLOC_FRAME_BYTES);

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
 * The caller frees @map->first by myalloc_env_free().
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
 * myalloc_map_search() - look up an address in the map
 * @map: the zone's map, or a copy
 * @addr: any value
 *
 * Used for addresses outside the linear range, see myalloc_map_frame(). Takes at most
 * log2(chunks) + 1 steps.
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
