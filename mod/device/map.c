// SPDX-License-Identifier: GPL-2.0
/*
 * Blocks of a session in the address space of a process
 *
 * mmap() of the device, with a block's handle as the number of the page of the offset, maps the
 * block, or its beginning, into the process.
 *
 * Content: the block is zeroed before its first mapping, so that it holds neither older content nor
 * an address of the kernel. From then on it holds what its processes have written, also for later
 * mappings of the same block.
 *
 * References: the mapping has page frame numbers only (VM_PFNMAP, VM_IO), so no page gets another
 * reference. get_user_pages() fails, and with it direct I/O, process_vm_readv(), vmsplice() and
 * registered buffers; a plain read() or write() copies and works. So only page tables refer to the
 * pages, and the block may be freed when its last mapping is gone.
 *
 * Refused are private mappings, whose copies would be pages of the system, executable mappings, and
 * calls that would divide a mapping: munmap() or mprotect() of a part. A mapping is never extended
 * (VM_DONTEXPAND) or dumped (VM_DONTDUMP).
 *
 * Rings: the same, but they can only be read, and only as a whole: a control page with positions,
 * and behind it the pages of the ring twice. They were zeroed when the ring was created, and hold
 * what its producers store. The mapping holds a reference to the ring's file, and the file
 * one to the ring.
 *
 * Lifetime: a mapping holds a reference to the file and so to the session. The block counts its
 * mappings: mmap(), fork() and mremap() add one, munmap(), exec() and exit() remove one. A free of
 * a block with mappings fails with -EBUSY.
 *
 * Size: pages are entered when they are touched, 2 MiB at once where block and address allow it
 * and the kernel marks such entries as special (CONFIG_ARCH_SUPPORTS_PMD_PFNMAP, from 6.12), which
 * keeps get_user_pages() off; otherwise 4 KiB. A kernel without transparent huge pages, such as
 * PREEMPT_RT's, lacks the function that enters them, which is not called there.
 *
 * Limits: the pages count as pinned memory of the process, limited by RLIMIT_MEMLOCK unless it has
 * CAP_IPC_LOCK, as those of RDMA and io_uring do. Memory that is locked already is added when a
 * block is mapped, but a later mlock() ignores pinned memory. The pages cannot be accounted as
 * locked instead: account_locked_vm() takes the mmap_lock, which mmap() and close hold, and
 * __account_locked_vm() needs it held for writing, while munmap() has released it before it calls
 * close. A child of fork() is counted but cannot be refused. The block itself counts for the
 * session's quota. It is not charged to a memory cgroup: its pages are the reserve's, and the
 * kernel exports no function that a module could charge them with.
 *
 * Locking: the caller of myalloc_map_begin() holds the mmap_lock, and a lock that excludes a free
 * of the block. The number of mappings changes from 0 only there, so a free that sees 0 under that
 * lock frees an unmapped block.
 */
#include "env.h"

#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "compat.h"
#include "device/map.h"

/* Pages zeroed without rescheduling */
#define ZERO_PAGES	256

/**
 * myalloc_map_create() - prepare a block for its first mapping: zero it
 * @addr: its address
 * @nr_pages: its pages
 *
 * Context: task, may sleep.
 * Return: the structure that counts its mappings, to be freed by kfree(); NULL if out of memory.
 */
struct myalloc_mapped *myalloc_map_create(void *addr, u32 nr_pages)
{
	struct myalloc_mapped *mapped;
	u32 i, n;

	if (myalloc_env_should_fail())
		return NULL;
	mapped = kzalloc(sizeof(*mapped), GFP_KERNEL_ACCOUNT | __GFP_NORETRY | __GFP_NOWARN);
	if (!mapped)
		return NULL;
	mapped->addr = addr;
	mapped->nr_pages = nr_pages;
	for (i = 0; i < nr_pages; i += n) {
		n = min_t(u32, nr_pages - i, ZERO_PAGES);
		memset(addr + ((size_t)i << PAGE_SHIFT), 0, (size_t)n << PAGE_SHIFT);
		cond_resched();
	}
	return mapped;
}

/*
 * Count pages as pinned memory of the process. Returns false if pinned and locked memory together
 * would exceed its limit. The caller holds the mmap_lock for writing, so locked_vm is constant.
 */
static bool pin(struct mm_struct *mm, unsigned long pages)
{
	unsigned long most = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(pages, &mm->pinned_vm) + READ_ONCE(mm->locked_vm) <= most ||
	    capable(CAP_IPC_LOCK))
		return true;
	atomic64_sub(pages, &mm->pinned_vm);
	return false;
}

/* fork(), mremap() */
static void map_open(struct vm_area_struct *vma)
{
	struct myalloc_mapped *mapped = vma->vm_private_data;

	atomic_inc(&mapped->maps);
	atomic64_add(vma_pages(vma), &vma->vm_mm->pinned_vm);
}

static void map_close(struct vm_area_struct *vma)
{
	struct myalloc_mapped *mapped = vma->vm_private_data;

	atomic64_sub(vma_pages(vma), &vma->vm_mm->pinned_vm);
	atomic_dec(&mapped->maps);	/* the last access: the block may be freed now */
}

static int map_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return -EINVAL;
}

/* The frame at an address of a mapping; the mapping of a ring begins with the control page. */
static unsigned long frame_at(const struct vm_area_struct *vma, unsigned long addr)
{
	const struct myalloc_mapped *mapped = vma->vm_private_data;
	unsigned long i = (addr - vma->vm_start) >> PAGE_SHIFT;

	if (mapped->control) {
		if (!i)
			return page_to_pfn(virt_to_page(mapped->control));
		i = (i - 1) % mapped->nr_pages;
	}
	return page_to_pfn(virt_to_page(mapped->addr)) + i;
}

static vm_fault_t map_fault(struct vm_fault *vmf)
{
	unsigned long addr = vmf->address & PAGE_MASK;

	return vmf_insert_pfn(vmf->vma, addr, frame_at(vmf->vma, addr));
}

#if MYALLOC_COMPAT_PMD_PFNMAP
static vm_fault_t map_huge_fault(struct vm_fault *vmf, unsigned int order)
{
	unsigned long addr = vmf->address & PMD_MASK;
	struct vm_area_struct *vma = vmf->vma;
	struct myalloc_mapped *mapped = vma->vm_private_data;
	vm_fault_t ret;

	if (order != PMD_SHIFT - PAGE_SHIFT || addr < vma->vm_start ||
	    addr + PMD_SIZE > vma->vm_end || frame_at(vma, addr) % BIT(order))
		return VM_FAULT_FALLBACK;
	ret = myalloc_compat_insert_pmd(vmf, frame_at(vma, addr));
	if (ret == VM_FAULT_NOPAGE)
		atomic_inc(&mapped->large);
	return ret;
}
#endif

static const struct vm_operations_struct map_ops = {
	.open = map_open,
	.close = map_close,
	.may_split = map_may_split,
	.fault = map_fault,
#if MYALLOC_COMPAT_PMD_PFNMAP
	.huge_fault = map_huge_fault,
#endif
};

/* Single pages: behind the control page, addresses of the ring are not aligned to 2 MiB. */
static const struct vm_operations_struct ring_ops = {
	.open = map_open,
	.close = map_close,
	.may_split = map_may_split,
	.fault = map_fault,
};

/**
 * myalloc_map_granule() - how much of a block can be mapped at once
 * @addr: its address
 * @nr_pages: its pages
 *
 * Context: any.
 * Return: pages.
 */
u32 myalloc_map_granule(const void *addr, u32 nr_pages)
{
	if (MYALLOC_COMPAT_PMD_PFNMAP && nr_pages >= PMD_SIZE >> PAGE_SHIFT &&
	    !((unsigned long)addr & (PMD_SIZE - 1)))
		return PMD_SIZE >> PAGE_SHIFT;
	return 1;
}

/**
 * myalloc_map_check() - test whether a block may be mapped like this
 * @vma: the requested mapping
 * @nr_pages: pages of the block
 *
 * Context: task.
 * Return: 0; -EINVAL if the mapping is private or larger than the block; -EPERM if it is
 * executable.
 */
int myalloc_map_check(struct vm_area_struct *vma, u32 nr_pages)
{
	if (!(vma->vm_flags & VM_SHARED) || vma_pages(vma) > nr_pages)
		return -EINVAL;
	return vma->vm_flags & VM_EXEC ? -EPERM : 0;
}

static int begin(struct vm_area_struct *vma, struct myalloc_mapped *mapped,
		 const struct vm_operations_struct *ops, unsigned long never)
{
	if (!pin(vma->vm_mm, vma_pages(vma)))
		return -ENOMEM;
	atomic_inc(&mapped->maps);
	myalloc_compat_vm_flags(vma, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP, never);
	vma->vm_private_data = mapped;
	vma->vm_ops = ops;
	return 0;
}

/**
 * myalloc_map_begin() - map a block
 * @vma: the new mapping, for which myalloc_map_check() returned 0
 * @mapped: the block
 *
 * Context: task, mmap_lock held; the caller excludes a free of the block.
 * Return: 0; -ENOMEM if the process may pin no more memory.
 */
int myalloc_map_begin(struct vm_area_struct *vma, struct myalloc_mapped *mapped)
{
	return begin(vma, mapped, &map_ops, VM_MAYEXEC);
}

/**
 * myalloc_map_ring() - map a ring, to be read only
 * @vma: the new mapping
 * @mapped: the ring; exists as long as the file of the mapping does
 *
 * Context: task, mmap_lock held.
 * Return: 0; -EINVAL if the mapping is private or not exactly the whole; -EACCES if it can be
 * written; -EPERM if it is executable; -ENOMEM if the process may pin no more memory.
 */
int myalloc_map_ring(struct vm_area_struct *vma, struct myalloc_mapped *mapped)
{
	/* VM_SHARED is not set if the file cannot be written. */
	if (!(vma->vm_flags & VM_MAYSHARE) || vma->vm_pgoff ||
	    vma_pages(vma) != 1 + 2ul * mapped->nr_pages)
		return -EINVAL;
	if (vma->vm_flags & VM_WRITE)
		return -EACCES;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	return begin(vma, mapped, &ring_ops, VM_MAYWRITE | VM_MAYEXEC);
}
