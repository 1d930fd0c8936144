/* SPDX-License-Identifier: GPL-2.0 */
/* Blocks of a session in the address space of a process; see map.c. */
#ifndef MYALLOC_MAP_H
#define MYALLOC_MAP_H

struct vm_area_struct;

/**
 * struct myalloc_mapped - a block that a process has mapped at least once, or a ring
 * @addr: address of the block
 * @nr_pages: pages of the block
 * @control: rings: the page before the block, which is mapped twice behind it; otherwise NULL
 * @maps: mappings that exist now
 * @large: times that 2 MiB were mapped at once
 */
struct myalloc_mapped {
	void *addr;
	u32 nr_pages;
	void *control;
	atomic_t maps;
	atomic_t large;
};

struct myalloc_mapped *myalloc_map_create(void *addr, u32 nr_pages);
int myalloc_map_check(struct vm_area_struct *vma, u32 nr_pages);
int myalloc_map_begin(struct vm_area_struct *vma, struct myalloc_mapped *mapped);
int myalloc_map_ring(struct vm_area_struct *vma, struct myalloc_mapped *mapped);
u32 myalloc_map_granule(const void *addr, u32 nr_pages);

#endif /* MYALLOC_MAP_H */
