// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel around mod/, for the fuzz target
 *
 * What a fuzzer can do to it, by fuzz_world: let a byte of user memory change behind the
 * back of a command after it was read (another thread of the user's), let signals come. What
 * it watches: a command writes to user memory only where it may, and nothing that is a kernel
 * address.
 */
#include "kernel.h"

#include "device/command.h"
#include "device/map.h"
#include "device/sysfs.h"
#include "shrinker.h"

u8 fuzz_user[USER_SIZE];
const struct file_operations *fuzz_device;
struct fuzz_world fuzz_world;
int fuzz_module_refs;

/* How many of @size bytes at @ptr are there. */
static unsigned long reachable(const void __user *ptr, unsigned long size, unsigned long end)
{
	unsigned long at = (unsigned long)ptr - USER_BASE;

	return at >= end ? 0 : min(size, end - at);
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long size)
{
	unsigned long at = (unsigned long)from - USER_BASE, n = reachable(from, size, USER_SIZE);

	might_sleep();
	if (n)
		memcpy(to, fuzz_user + at, n);
	memset(to + n, 0, size - n);
	if (n && fuzz_world.flip_at && !--fuzz_world.flip_at)
		fuzz_user[at + size % n] ^= 0x41;
	return size - n;
}

static void check_write(unsigned long at, const u8 *from, unsigned long size)
{
	unsigned long i;
	u32 k;

	for (k = 0; k < fuzz_world.nr_writable; k++)
		if (at >= fuzz_world.writable[k].from && at + size <= fuzz_world.writable[k].to)
			break;
	if (k == fuzz_world.nr_writable)
		host_fatal("%lu bytes were written at user address 0x%lx, not the command's",
			   size, at);
	for (i = 0; i + 8 <= size; i++) {
		u64 word;

		memcpy(&word, from + i, sizeof(word));
		if (word - (uintptr_t)fuzz_world.secret >= fuzz_world.secret_size)
			continue;
		/* A fuzzer guesses well: what it has put there itself tells it nothing. */
		if (memcmp(fuzz_user + at + i, &word, sizeof(word)))
			host_fatal("a kernel address was written to user memory");
	}
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long size)
{
	unsigned long at = (unsigned long)to - USER_BASE;
	unsigned long n = reachable(to, size, USER_SIZE - USER_READONLY);

	might_sleep();
	if (n) {
		check_write(at, from, n);
		memcpy(fuzz_user + at, from, n);
	}
	return size - n;
}

/* As in include/linux/uaccess.h. */
int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size)
{
	size_t n = min(size, user_size), i;
	u8 byte;

	if (user_size < size)
		memset(to + user_size, 0, size - user_size);
	for (i = size; i < user_size; i++) {
		if (copy_from_user(&byte, from + i, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	return copy_from_user(to, from, n) ? -EFAULT : 0;
}

bool fuzz_fatal_signal_pending(void)
{
	return fuzz_world.fatal_signal;
}

int mutex_lock_interruptible(struct mutex *mutex)
{
	might_sleep();
	if (fuzz_world.interrupted)
		return -EINTR;
	mutex_lock(mutex);
	return 0;
}

int misc_register(struct miscdevice *misc)
{
	if (fuzz_device)
		host_fatal("device registered twice");
	fuzz_device = misc->fops;
	return 0;
}

void misc_deregister(struct miscdevice *misc)
{
	if (fuzz_device != misc->fops)
		host_fatal("device removed that was never registered");
	fuzz_device = NULL;
}

long compat_ptr_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return fuzz_device->unlocked_ioctl(file, cmd, (u32)arg);
}

bool capable(int cap)
{
	return cap == CAP_SYS_ADMIN;
}

void seq_printf(struct seq_file *m, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	m->count += vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
}

void seq_puts(struct seq_file *m, const char *text)
{
	m->count += strlen(text);
}

/* --- threads ------------------------------------------------------------------------ */

/* One reference is the creator's, until kthread_stop(). */
struct task_struct *kthread_create_on_node(int (*fn)(void *arg), void *arg, int node,
					   const char *name, ...)
{
	struct task_struct *task;

	might_sleep();
	task = calloc(1, sizeof(*task));
	if (!task)
		host_fatal("out of memory");
	task->references = 1;
	return task;
}

struct task_struct *get_task_struct(struct task_struct *task)
{
	task->references++;
	return task;
}

void put_task_struct(struct task_struct *task)
{
	if (!--task->references)
		free(task);
}

int kthread_stop(struct task_struct *task)
{
	might_sleep();
	put_task_struct(task);
	return 0;
}

/* --- xarray ------------------------------------------------------------------------- */

/* Where @index is, or would be. */
static size_t xa_find(const struct xarray *xa, unsigned long index)
{
	size_t low = 0, high = xa->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (xa->slot[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void *xa_load(struct xarray *xa, unsigned long index)
{
	size_t at = xa_find(xa, index);

	return at < xa->nr && xa->slot[at].index == index ? xa->slot[at].entry : NULL;
}

void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp)
{
	size_t at = xa_find(xa, index);

	xa_lock(xa);
	if (xa_load(xa, index))
		host_fatal("index %lu of an xarray is stored twice", index);
	if (xa->nr == xa->room) {
		xa->room = xa->room ? 2 * xa->room : 16;
		xa->slot = realloc(xa->slot, xa->room * sizeof(*xa->slot));
		if (!xa->slot)
			host_fatal("out of memory");
	}
	memmove(&xa->slot[at + 1], &xa->slot[at], (xa->nr - at) * sizeof(*xa->slot));
	xa->slot[at].index = index;
	xa->slot[at].entry = entry;
	xa->slot[at].marked = false;
	xa->nr++;
	xa_unlock(xa);
	return NULL;
}

void *xa_erase(struct xarray *xa, unsigned long index)
{
	void *old = xa_load(xa, index);
	size_t at = xa_find(xa, index);

	if (!old)
		host_fatal("index %lu of an xarray is erased and not there", index);
	xa_lock(xa);
	xa->nr--;
	memmove(&xa->slot[at], &xa->slot[at + 1], (xa->nr - at) * sizeof(*xa->slot));
	xa_unlock(xa);
	return old;
}

void xa_set_mark(struct xarray *xa, unsigned long index, int mark)
{
	if (!xa_load(xa, index))
		host_fatal("index %lu of an xarray is marked and not there", index);
	xa->slot[xa_find(xa, index)].marked = true;
}

bool xa_get_mark(struct xarray *xa, unsigned long index, int mark)
{
	return xa_load(xa, index) && xa->slot[xa_find(xa, index)].marked;
}

/* The first entry at @index or, if not @first, behind it. */
void *xa_next(struct xarray *xa, unsigned long *index, bool first)
{
	size_t at = xa_find(xa, *index + !first);

	if (at == xa->nr)
		return NULL;
	*index = xa->slot[at].index;
	return xa->slot[at].entry;
}

void xa_destroy(struct xarray *xa)
{
	free(xa->slot);
	memset(xa, 0, sizeof(*xa));
}

/* --- mappings, in place of mod/device/map.c: no command makes one ------------------------------ */

struct myalloc_mapped *myalloc_map_create(void *addr, u32 nr_pages)
{
	return NULL;
}

int myalloc_map_check(struct vm_area_struct *vma, u32 nr_pages)
{
	return -EINVAL;
}

int myalloc_map_begin(struct vm_area_struct *vma, struct myalloc_mapped *mapped)
{
	return -EINVAL;
}

/* --- in place of mod/device/ring_file.c: there are no other files ----------------------------- */

const struct myalloc_command myalloc_ring_file_commands[] = { { } };

u32 myalloc_map_granule(const void *addr, u32 nr_pages)
{
	return 1;
}

/* The files in sysfs have no commands. */
const struct attribute_group **myalloc_sysfs_groups(struct myalloc_zone *zone)
{
	return NULL;
}

/* The parameters in place of mod/shrinker.c. */
void myalloc_decay_get(u32 *half_life_ms, u32 *most_mb)
{
	*half_life_ms = 10000;
	*most_mb = 64;
}
