// SPDX-License-Identifier: GPL-2.0
/*
 * Frame descriptors, and the way from an address to them
 *
 * Structures
 *
 *	address space	[ chunk 0 ][ chunk 1 ]........................[ chunk 2 ]....
 *	buckets		|  bucket 0           |  bucket 1           |  bucket 2
 *	map.first	   0                     2                     2           3
 *	map.chunks	[    0    ][    1    ]                        [    2    ]
 *	frames		[ 0 ... 1023 ][ 1024 ... 2047 ][ 2048 ... 3071 ]
 *
 * The linear range: the longest run of adjacent chunks, usually all of them. Inside it an address
 * leads to its descriptor by one subtraction and one shift; fast paths know nothing else.
 *
 * The map: all other addresses. Its first level cuts the address space between the first and
 * the last chunk into buckets of equal size, a power of two of chunk sizes, as many as there
 * are chunks or fewer. The second level is the sorted list of chunks: first[b] and first[b + 1]
 * delimit the chunks of bucket b, and a binary search finds the last one that begins at or
 * below the address. An address is foreign if it lies in no bucket, or not in that chunk.
 * A chunk never crosses from one bucket to the next, because both are aligned to the first
 * chunk. The map never changes, so a look-up needs no lock and works in NMI.
 *
 * Its metadata depends on the reserve alone: 12 bytes for each chunk, wherever the chunks lie.
 * A look-up takes at most log2(nr_chunks) + 1 steps, if all chunks but one lie close together,
 * and one or two if they are spread evenly. An array with an entry for each chunk-sized piece of
 * address space would need one step always, but 16 MiB spread over 64 GiB in chunks of 32 KiB
 * would need another 16 MiB for it.
 *
 * Invariant
 *	A1  linear range, map and frames agree: the descriptor found for the address of a frame is
 *	    the frame's own, with the linear range and by the map alone; and an address directly
 *	    before or behind a run of adjacent chunks is foreign.
 */
#include "env.h"
#include "page/frame.h"

static_assert(sizeof(struct myalloc_frame) == MYALLOC_FRAME_BYTES);

/* The longest run of adjacent chunks. */
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
 * myalloc_map_init() - make the map of some chunks
 * @map: zeroed
 * @chunks: address of each chunk, ascending; kept for as long as the map is used
 * @nr_chunks: how many, at least 1
 * @chunk_order: log2 of frames in a chunk
 * @frames: descriptors of all frames, in the order of chunks; kept likewise
 * @node: NUMA node for its memory
 *
 * Context: task, may sleep.
 * Return: bytes of memory that the map takes, for the caller to free @map->first with
 * myalloc_env_free(); -ENOMEM.
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
 * myalloc_map_search() - look an address up in the map
 * @map: the zone's map, or a copy
 * @addr: any number
 *
 * For addresses outside the linear range: see myalloc_map_frame().
 *
 * Context: any. At most log2(chunks) + 1 steps.
 * Return: NULL if the address is not in a chunk.
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
	/* Also if the address is below the first chunk of the bucket: then it wraps around. */
	off = (unsigned long)addr - map->chunks[low];
	if (off >> map->shift)
		return NULL;
	return map->frames + ((size_t)low << (map->shift - PAGE_SHIFT)) + (off >> PAGE_SHIFT);
}
