/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel, as much of it as mod/device, mod/stat.c and mod/stress/stress_params.c need
 *
 * lib/env/host/env.h is the allocator's environment; this is the rest, in the same spirit: a
 * stand-in does what the real one does. The headers in linux/ all lead here. There is one
 * process, and nothing sleeps: who would have to wait is interrupted by a signal instead.
 *
 * User memory is USER_SIZE bytes at USER_BASE, the last USER_READONLY of them write-protected;
 * everything else faults. See kernel.c for what a fuzzer can do to it.
 */
#ifndef MYALLOC_FUZZ_KERNEL_H
#define MYALLOC_FUZZ_KERNEL_H

#include "env.h"

#include <fcntl.h>
#include <linux/ioctl.h>
#include <linux/types.h>

#define USER_BASE	0x7f0000000000UL
#define USER_SIZE	0x10000UL
#define USER_READONLY	0x4000UL

#define ERESTARTSYS	512

/* --- memory ------------------------------------------------------------------------ */

typedef unsigned int gfp_t;

#define GFP_KERNEL_ACCOUNT	0u
#define __GFP_NORETRY		0u
#define __GFP_NOWARN		0u

#define totalram_pages()	(1UL << 20)
#define si_mem_available()	(1L << 19)
#define pr_err_ratelimited	pr_err

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	might_sleep();
	return malloc(size);
}

static inline void kfree(const void *ptr)
{
	free((void *)ptr);
}

/* --- user memory ------------------------------------------------------------------- */

unsigned long copy_from_user(void *to, const void __user *from, unsigned long size);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long size);
int copy_struct_from_user(void *to, size_t size, const void __user *from, size_t user_size);

#define get_user(x, ptr) ({						\
	typeof(x) __value = 0;						\
	static_assert(sizeof(__value) == sizeof(*(ptr)));		\
	int __err = copy_from_user(&__value, (ptr), sizeof(__value)) ? -EFAULT : 0; \
	(x) = __value;							\
	__err; })
#define u64_to_user_ptr(x)	((void __user *)(uintptr_t)(x))

/* --- tasks, signals, waiting --------------------------------------------------------- */

#define TASK_COMM_LEN	16

/* Both are up to the fuzzer: see kernel.c. */
bool fuzz_fatal_signal_pending(void);
int mutex_lock_interruptible(struct mutex *mutex);

#define current				((struct task_struct *)NULL)
#define fatal_signal_pending(task)	((void)(task), fuzz_fatal_signal_pending())
#define signal_pending(task)		fatal_signal_pending(task)
#define task_tgid_nr(task)		((void)(task), (pid_t)1)
#define get_task_comm(buf, task)	((void)(task), strscpy(buf, "fuzz", TASK_COMM_LEN))

#define DEFINE_MUTEX(name)						\
	struct mutex name;						\
	static void __attribute__((__constructor__)) name##_init(void)	\
	{ mutex_init(&name); }

typedef struct { unsigned int woken; } wait_queue_head_t;
typedef struct { u32 unused; } spinlock_t;
typedef s64 ktime_t;
struct completion { bool done; };

/* A thread that never runs: the fuzz target does what it would do. */
struct task_struct { u32 references; bool woken; };

__printf(4, 5) struct task_struct *
kthread_create_on_node(int (*fn)(void *arg), void *arg, int node, const char *name, ...);
struct task_struct *get_task_struct(struct task_struct *task);
void put_task_struct(struct task_struct *task);
int kthread_stop(struct task_struct *task);

#define kthread_bind(task, cpu)		((void)(task), (void)(cpu))
#define wake_up_process(task)		((void)((task)->woken = true))
#define cpu_to_node(cpu)		((void)(cpu), NUMA_NO_NODE)

#define init_completion(c)		((void)((c)->done = false))
#define complete_all(c)			((void)((c)->done = true))
/* Nobody else is there to complete it. */
#define wait_for_completion(c) \
	((c)->done ? might_sleep() : host_fatal("waits for what does not come"))

#define ktime_get()			((ktime_t)0)
#define ktime_sub(later, earlier)	((later) - (earlier))
#define ktime_to_ns(time)		(time)
#define ktime_ms_delta(later, earlier)	(((later) - (earlier)) / 1000000)

#define init_waitqueue_head(head)	((void)((head)->woken = 0))
#define wake_up_interruptible(head)	((void)(head)->woken++)
/* Nobody else is there to make it true. */
#define wait_event_interruptible(head, cond) \
	((void)(head), might_sleep(), (cond) ? 0 : -ERESTARTSYS)

/* --- files ----------------------------------------------------------------------------- */

typedef unsigned int __poll_t;
typedef struct { u32 unused; } poll_table;

#define EPOLLIN		1u
#define EPOLLRDNORM	0x40u

/* References to the one module there is: what takes one gives it back. */
struct module;
extern int fuzz_module_refs;

#define try_module_get(module)	((void)(module), fuzz_module_refs++, true)
#define __module_get(module)	((void)(module), (void)fuzz_module_refs++)
#define module_put(module)	((void)(module), (void)fuzz_module_refs--)

struct inode { u32 unused; };

struct file {
	void *private_data;
	unsigned int f_flags;
};

/* A mapping; no command makes one. */
struct vm_area_struct {
	unsigned long vm_pgoff;
};

struct file_operations {
	struct module *owner;
	int (*open)(struct inode *inode, struct file *file);
	int (*release)(struct inode *inode, struct file *file);
	ssize_t (*read)(struct file *file, char __user *buf, size_t size, loff_t *pos);
	__poll_t (*poll)(struct file *file, poll_table *wait);
	int (*mmap)(struct file *file, struct vm_area_struct *vma);
	long (*unlocked_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
	long (*compat_ioctl)(struct file *file, unsigned int cmd, unsigned long arg);
};

struct attribute_group;

struct miscdevice {
	int minor;
	const char *name;
	const struct file_operations *fops;
	const struct attribute_group **groups;
	mode_t mode;
};

#define THIS_MODULE		((struct module *)NULL)
#define MISC_DYNAMIC_MINOR	255
#define CAP_SYS_ADMIN		21
#define CAP_SYSLOG		34
#define NSEC_PER_MSEC		1000000L

int misc_register(struct miscdevice *misc);
void misc_deregister(struct miscdevice *misc);
long compat_ptr_ioctl(struct file *file, unsigned int cmd, unsigned long arg);
bool capable(int cap);

static inline int stream_open(struct inode *inode, struct file *file)
{
	return 0;
}

static inline void poll_wait(struct file *file, wait_queue_head_t *head, poll_table *wait)
{
}

/* Shown to nobody, but formatted. */
struct seq_file { size_t count; };

__printf(2, 3) void seq_printf(struct seq_file *m, const char *fmt, ...);
void seq_puts(struct seq_file *m, const char *text);

/* --- xarray: a sorted array ---------------------------------------------------------------- */

struct xarray {
	struct xa_entry {
		unsigned long index;
		void *entry;
		bool marked;
	} *slot;
	size_t nr, room;
	raw_spinlock_t lock;	/* for xa_lock(); changes take it, too */
};

void *xa_load(struct xarray *xa, unsigned long index);
void *xa_store(struct xarray *xa, unsigned long index, void *entry, gfp_t gfp);
void *xa_erase(struct xarray *xa, unsigned long index);
void *xa_next(struct xarray *xa, unsigned long *index, bool first);
void xa_destroy(struct xarray *xa);
void xa_set_mark(struct xarray *xa, unsigned long index, int mark);
bool xa_get_mark(struct xarray *xa, unsigned long index, int mark);

#define XA_MARK_1	1	/* the only one in use */

#define xa_lock(xa)	raw_spin_lock(&(xa)->lock)
#define xa_unlock(xa)	raw_spin_unlock(&(xa)->lock)
#define xa_init(xa)	do { memset((xa), 0, sizeof(*(xa))); raw_spin_lock_init(&(xa)->lock); } while (0)
#define xa_err(entry)	PTR_ERR_OR_ZERO(entry)
#define xa_for_each(xa, index, entry)					\
	for ((index) = 0, (entry) = xa_next((xa), &(index), true); (entry); \
	     (entry) = xa_next((xa), &(index), false))

/* --- for the fuzz target --------------------------------------------------------------------- */

extern u8 fuzz_user[USER_SIZE];
extern const struct file_operations *fuzz_device;

/**
 * struct fuzz_world - what the world does to the next command
 * @fatal_signal: the task is to die
 * @interrupted: a signal comes while it waits for a lock
 * @flip_at: after so many copies from user memory, one byte that was copied changes; 0: never
 * @nr_writable: entries of @writable
 * @writable: where the command may write to, as bytes from USER_BASE
 * @secret: addresses from here on must not be told
 * @secret_size: and up to so many bytes behind
 */
struct fuzz_world {
	bool fatal_signal;
	bool interrupted;
	u32 flip_at;
	u32 nr_writable;
	struct {
		unsigned long from, to;
	} writable[2];
	const u8 *secret;
	size_t secret_size;
};

extern struct fuzz_world fuzz_world;

#endif /* MYALLOC_FUZZ_KERNEL_H */
