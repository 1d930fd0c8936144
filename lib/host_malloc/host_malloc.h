/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of host_malloc; see malloc.c for what it is. */
#ifndef MYALLOC_HOST_MALLOC_H
#define MYALLOC_HOST_MALLOC_H

/* Not part of the simulation, and no lock of the allocator. */
struct hidden_lock {
	int taken;
};

void hidden_acquire(struct hidden_lock *lock);
bool hidden_try(struct hidden_lock *lock);
void hidden_release(struct hidden_lock *lock);

/* threads.c */
void host_threads_init(unsigned int own);
void host_threads_stop(void);
void host_threads_parent(void);
void host_threads_child(void);

/* memory.c */
void *host_map(size_t size, size_t align);
void host_unmap(void *addr, size_t size);
void host_memory_lock(void);
void host_memory_unlock(void);

/* large.c */
void *host_large_alloc(size_t size, size_t align);
bool host_large_free(void *addr);
size_t host_large_usable(const void *addr);
void *host_large_resize(void *addr, size_t size);
void host_large_lock(void);
void host_large_unlock(void);

#endif /* MYALLOC_HOST_MALLOC_H */
