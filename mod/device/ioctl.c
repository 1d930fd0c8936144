// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/myalloc: copy in, check, dispatch, copy out
 *
 * The contract is uapi/myalloc.h. This file checks all user input against it; handles.c,
 * session*.c and the allocator receive arguments that are in range. The kind of a job checks its
 * own parameters (job.c), as this file does not know them. If the result cannot be copied out, the
 * effect of the command is undone.
 *
 * Structs that may grow are recognised by the command's type and number alone: the size that
 * _IOWR() encodes is that of the caller's version.
 */
#include "env.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "device/command.h"
#include "device/handles.h"
#include "device/ioctl.h"
#include "device/job.h"
#include "device/session.h"
#include "device/session_cache.h"
#include "device/session_job.h"
#include "device/sysfs.h"
#include "object/cache.h"
#include "object/limbo.h"
#include "page/drain.h"
#include "stat.h"
#include "trace.h"
#include "zone/nodes.h"
#include "zone/validate.h"

/* The layout is the same for every compiler and word size. */
static_assert(sizeof(struct myalloc_info) == 64);
static_assert(sizeof(struct myalloc_stat) == 56 + 120 * 2 + 60 * 2 + 8 + 120 * 4 + 144);
static_assert(sizeof(struct myalloc_page_alloc) == 32);
static_assert(sizeof(struct myalloc_free) == 16);
static_assert(sizeof(struct myalloc_page_map) == 24);
static_assert(sizeof(struct myalloc_cache_create) == 40 + MYALLOC_NAME_MAX);
static_assert(sizeof(struct myalloc_handle) == 16);
static_assert(sizeof(struct myalloc_obj_alloc) == 32);
static_assert(sizeof(struct myalloc_cache_stat) == 48 + 18 * 8 + MYALLOC_NAME_MAX);
static_assert(sizeof(struct myalloc_validate) == 32 + 160);
static_assert(sizeof(struct myalloc_drain) == 16);
static_assert(sizeof(struct myalloc_node_stat) == 56);
static_assert(sizeof(struct myalloc_node_use) == 8);

static struct {
	struct miscdevice misc;
	struct myalloc_nodes *nodes;
} device;

/* --- copying ----------------------------------------------------------------------- */

static int copy_in_fixed(void *to, size_t size, const void __user *from)
{
	return copy_from_user(to, from, size) ? -EFAULT : 0;
}

static int copy_out_fixed(void __user *to, const void *from, size_t size)
{
	return copy_to_user(to, from, size) ? -EFAULT : 0;
}

/* --- the zone ------------------------------------------------------------------------ */

static int do_info(struct myalloc_session *session, struct myalloc_zone *zone,
		   void __user *user)
{
	struct myalloc_info info;
	int err = myalloc_copy_in(&info, sizeof(info), user);

	if (err)
		return err;
	myalloc_info_fill(&info, zone);
	return myalloc_copy_out(user, &info, sizeof(info));
}

static int do_stat(struct myalloc_session *session, struct myalloc_zone *zone,
		   void __user *user)
{
	struct myalloc_stat stat;
	int err = myalloc_copy_in(&stat, sizeof(stat), user);

	if (!err)
		err = myalloc_stat_fill(&stat, zone);
	return err ?: myalloc_copy_out(user, &stat, sizeof(stat));
}

static int do_validate(struct myalloc_session *session, struct myalloc_zone *zone,
		       void __user *user)
{
	struct myalloc_validation found = {};
	struct myalloc_validate arg = {};

	myalloc_zone_validate(zone, &found);
	arg.errors = found.errors;
	arg.frames = found.frames;
	arg.slabs = found.slabs;
	arg.objects = found.objects;
	strscpy(arg.first, found.first, sizeof(arg.first));
	return copy_out_fixed(user, &arg, sizeof(arg));
}

static_assert(MYALLOC_DRAIN_PAGES == MYALLOC_KIND_PAGES);
static_assert(MYALLOC_DRAIN_OBJECTS == MYALLOC_KIND_OBJECTS);

static int do_drain(struct myalloc_session *session, struct myalloc_zone *zone,
		    void __user *user)
{
	struct myalloc_drain arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (!arg.flags || arg.flags & ~MYALLOC_DRAIN_FLAGS || arg.pad)
		return -EINVAL;
	if (arg.flags == MYALLOC_DRAIN_FLAGS)
		arg.pages = myalloc_zone_drain(zone);
	else
		arg.pages = myalloc_zone_drain_kinds(zone, arg.flags);
	trace_session_drain(arg.flags, arg.pages);
	return copy_out_fixed(user, &arg, sizeof(arg));
}

/* --- pages and objects ------------------------------------------------------------------ */

static bool good_count(u32 count)
{
	return count && count <= MYALLOC_BULK_MAX;
}

static int check_page_alloc(const struct myalloc_zone *zone, const struct myalloc_page_alloc *arg)
{
	if (!good_count(arg->count) || arg->flags & ~MYALLOC_PAGE_FLAGS)
		return -EINVAL;
	if (arg->order > MYALLOC_MAX_ORDER || arg->nr_pages > BIT(MYALLOC_MAX_ORDER) ||
	    (arg->nr_pages && arg->order))
		return -EINVAL;
	return arg->align_order > zone->chunk_order ? -EINVAL : 0;
}

static int do_page_alloc(struct myalloc_session *session, struct myalloc_zone *zone,
			 void __user *user)
{
	struct myalloc_page_alloc arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (!err)
		err = check_page_alloc(zone, &arg);
	if (err)
		return err;
	err = myalloc_session_page_alloc(session, &arg);
	return copy_out_fixed(user, &arg, sizeof(arg)) ?: err;
}

static int do_obj_alloc(struct myalloc_session *session, struct myalloc_zone *zone,
			void __user *user)
{
	struct myalloc_obj_alloc arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (!good_count(arg.count) || arg.flags & ~MYALLOC_OBJ_FLAGS || arg.pad)
		return -EINVAL;
	err = myalloc_session_obj_alloc(session, &arg);
	return copy_out_fixed(user, &arg, sizeof(arg)) ?: err;
}

static int do_free(struct myalloc_session *session, void __user *user,
		   int (*fn)(struct myalloc_session *session, struct myalloc_free *arg))
{
	struct myalloc_free arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (!good_count(arg.count))
		return -EINVAL;
	err = fn(session, &arg);
	return copy_out_fixed(user, &arg, sizeof(arg)) ?: err;
}

static int do_page_free(struct myalloc_session *session, struct myalloc_zone *zone,
			void __user *user)
{
	return do_free(session, user, myalloc_session_page_free);
}

static int do_page_map(struct myalloc_session *session, struct myalloc_zone *zone,
		       void __user *user)
{
	struct myalloc_page_map arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (!err)
		err = myalloc_session_page_map(session, &arg);
	return err ?: copy_out_fixed(user, &arg, sizeof(arg));
}

static int do_obj_free(struct myalloc_session *session, struct myalloc_zone *zone,
		       void __user *user)
{
	return do_free(session, user, myalloc_session_obj_free);
}

/* --- caches ------------------------------------------------------------------------------- */

static int check_cache_create(const struct myalloc_cache_create *arg)
{
	if (arg->reserved || arg->pad || arg->flags & ~MYALLOC_CACHE_FLAGS)
		return -EINVAL;
	if (!arg->object_size || arg->object_size > MYALLOC_OBJECT_MAX ||
	    arg->magazine > MYALLOC_MAGAZINE_MAX)
		return -EINVAL;
	if (arg->align && (!is_power_of_2(arg->align) || arg->align > PAGE_SIZE))
		return -EINVAL;
	if (!memchr(arg->name, 0, sizeof(arg->name)) || !myalloc_cache_good_name(arg->name))
		return -EINVAL;
	return 0;
}

static int do_cache_create(struct myalloc_session *session, struct myalloc_zone *zone,
			   void __user *user)
{
	struct myalloc_cache_create arg;
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (!err)
		err = check_cache_create(&arg);
	if (!err)
		err = myalloc_session_cache_create(session, &arg);
	if (err)
		return err;
	err = myalloc_copy_out(user, &arg, sizeof(arg));
	if (err)
		myalloc_session_cache_destroy(session, arg.handle);
	return err;
}

static int do_cache_destroy(struct myalloc_session *session, struct myalloc_zone *zone,
			    void __user *user)
{
	struct myalloc_handle arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (!err)
		err = myalloc_session_cache_destroy(session, arg.handle);
	arg.result = 0;
	return err ?: copy_out_fixed(user, &arg, sizeof(arg));
}

static int do_cache_shrink(struct myalloc_session *session, struct myalloc_zone *zone,
			   void __user *user)
{
	struct myalloc_handle arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (!err)
		err = myalloc_session_cache_shrink(session, arg.handle, &arg.result);
	return err ?: copy_out_fixed(user, &arg, sizeof(arg));
}

static int do_cache_drain(struct myalloc_session *session, struct myalloc_zone *zone,
			  void __user *user)
{
	struct myalloc_handle arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (!err)
		err = myalloc_session_cache_drain(session, arg.handle, &arg.result);
	return err ?: copy_out_fixed(user, &arg, sizeof(arg));
}

static int do_cache_stat(struct myalloc_session *session, struct myalloc_zone *zone,
			 void __user *user)
{
	struct myalloc_cache_stat arg;
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (err)
		return err;
	switch (arg.how) {
	case MYALLOC_BY_HANDLE:
		err = myalloc_session_cache_stat(session, &arg);
		break;
	case MYALLOC_BY_ID:
		err = myalloc_cache_stat_find(&arg, zone, arg.id, false);
		break;
	case MYALLOC_NEXT_ID:
		err = myalloc_cache_stat_find(&arg, zone, arg.id, true);
		break;
	default:
		return -EINVAL;
	}
	return err ?: myalloc_copy_out(user, &arg, sizeof(arg));
}

/* --- jobs ------------------------------------------------------------------------------------ */

/* The argument of a job command of any kind; the size in its number is that of the used part. */
union job_arg {
	u32 size;
	u8 bytes[MYALLOC_JOB_ARG_MAX];
	u64 align;
};

static int call_kind(struct myalloc_session *session, const struct myalloc_job_kind *kind,
		     enum myalloc_job_call call, union job_arg *arg)
{
	switch (call) {
	case MYALLOC_JOB_START:
		return myalloc_session_job_start(session, kind, arg);
	case MYALLOC_JOB_RESULT:
		return myalloc_session_job_result(session, kind, arg);
	default:
		return kind->ask(arg);
	}
}

static int do_call(struct myalloc_session *session, const struct myalloc_job_kind *kind,
		   enum myalloc_job_call call, void __user *user)
{
	size_t size = _IOC_SIZE(kind->cmd[call]);
	union job_arg arg;
	int err, lost;

	if (call == MYALLOC_JOB_CANCEL)
		return myalloc_session_cancel(session);
	err = myalloc_copy_in(&arg, size, user);
	if (err)
		return err;
	err = call_kind(session, kind, call, &arg);
	/* With -ENOMEM, report how much memory was missing, if possible. */
	if (err && (call != MYALLOC_JOB_START || err != -ENOMEM))
		return err;
	lost = myalloc_copy_out(user, &arg, size);
	if (lost && !err && call == MYALLOC_JOB_START)
		myalloc_session_cancel(session);
	return lost ?: err;
}

static int do_job(struct myalloc_session *session, unsigned int cmd, void __user *user)
{
	const struct myalloc_job_kind *kind;
	enum myalloc_job_call call;
	int err;

	kind = myalloc_job_kind_get(cmd, &call);
	if (IS_ERR(kind))
		return PTR_ERR(kind);
	err = do_call(session, kind, call, user);
	myalloc_job_kind_put(kind);
	return err;
}

/* --- NUMA nodes ------------------------------------------------------------------- */

static int do_node_stat(struct myalloc_session *session, struct myalloc_zone *zone,
			void __user *user)
{
	struct myalloc_node_stats stats;
	struct myalloc_node_stat arg;
	int err = myalloc_copy_in(&arg, sizeof(arg), user);

	if (!err)
		err = myalloc_nodes_stats(device.nodes, arg.nr, &stats);
	if (err)
		return err;
	arg.node = stats.node;
	arg.used = device.nodes->zone[arg.nr].zone == zone;
	arg.nr_pages = stats.nr_pages;
	arg.free_pages = stats.free_pages;
	arg.hit = stats.hit;
	arg.miss = stats.miss;
	arg.foreign = stats.foreign;
	return myalloc_copy_out(user, &arg, sizeof(arg));
}

static int do_node_use(struct myalloc_session *session, struct myalloc_zone *zone,
		       void __user *user)
{
	struct myalloc_node_use arg;
	int err = copy_in_fixed(&arg, sizeof(arg), user);

	if (err)
		return err;
	if (arg.pad || arg.node < 0)
		return -EINVAL;
	zone = myalloc_nodes_zone(device.nodes, arg.node, MYALLOC_THISNODE);
	return zone ? myalloc_session_use(session, zone) : -ENOENT;
}

/* --- the file -------------------------------------------------------------------- */

static const struct myalloc_command commands[] = {
	{ MYALLOC_IOC_INFO, true, do_info },
	{ MYALLOC_IOC_STAT, true, do_stat },
	{ MYALLOC_IOC_VALIDATE, false, do_validate },
	{ MYALLOC_IOC_DRAIN, false, do_drain },
	{ MYALLOC_IOC_NODE_STAT, true, do_node_stat },
	{ MYALLOC_IOC_NODE_USE, false, do_node_use },
	{ MYALLOC_IOC_PAGE_ALLOC, false, do_page_alloc },
	{ MYALLOC_IOC_PAGE_FREE, false, do_page_free },
	{ MYALLOC_IOC_PAGE_MAP, false, do_page_map },
	{ MYALLOC_IOC_CACHE_CREATE, true, do_cache_create },
	{ MYALLOC_IOC_CACHE_DESTROY, false, do_cache_destroy },
	{ MYALLOC_IOC_CACHE_SHRINK, false, do_cache_shrink },
	{ MYALLOC_IOC_CACHE_DRAIN, false, do_cache_drain },
	{ MYALLOC_IOC_CACHE_STAT, true, do_cache_stat },
	{ MYALLOC_IOC_OBJ_ALLOC, false, do_obj_alloc },
	{ MYALLOC_IOC_OBJ_FREE, false, do_obj_free },
	{ }
};

static const struct myalloc_command *const tables[] = {
	commands, myalloc_look_commands, myalloc_heap_commands, myalloc_ring_commands,
	myalloc_arena_commands, myalloc_pool_commands, myalloc_contract_commands,
	myalloc_client_commands, myalloc_reserve_commands, myalloc_ring_file_commands,
};

static const struct myalloc_command *find_command(unsigned int cmd)
{
	const struct myalloc_command *command;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (command = tables[i]; command->cmd; command++) {
			unsigned int differ = command->cmd ^ cmd;

			if (command->grows)
				differ &= ~(unsigned int)IOCSIZE_MASK;
			if (!differ)
				return command;
		}
	return NULL;
}

static int do_command(const struct myalloc_command *command, struct myalloc_session *session,
		      void __user *user)
{
	struct myalloc_zone *zone = myalloc_session_zone(session);

	if (command->view)
		return myalloc_front_stat_command(command->view, zone, user);
	if (command->test)
		return myalloc_front_test_command(command->test, zone, user);
	return command->fn(session, zone, user);
}

static long device_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct myalloc_command *command = find_command(cmd);
	struct myalloc_session *session = file->private_data;

	if (!command)
		return do_job(session, cmd, (void __user *)arg);
	return do_command(command, session, (void __user *)arg);
}

static int device_open(struct inode *inode, struct file *file)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	file->private_data = myalloc_session_open(device.nodes->zone[0].zone);
	if (!file->private_data)
		return -ENOMEM;
	return stream_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	myalloc_session_close(file->private_data);
	return 0;
}

static ssize_t device_read(struct file *file, char __user *buf, size_t size, loff_t *pos)
{
	return myalloc_session_read(file->private_data, buf, size,
				    file->f_flags & O_NONBLOCK);
}

static __poll_t device_poll(struct file *file, poll_table *wait)
{
	return myalloc_session_poll(file->private_data, file, wait);
}

static int device_mmap(struct file *file, struct vm_area_struct *vma)
{
	return myalloc_session_mmap(file->private_data, vma);
}

static const struct file_operations device_fops = {
	.owner = THIS_MODULE,
	.open = device_open,
	.release = device_release,
	.read = device_read,
	.poll = device_poll,
	.mmap = device_mmap,
	.unlocked_ioctl = device_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

/**
 * myalloc_device_init() - create /dev/myalloc
 * @nodes: the zones of the module; files begin with the first one
 *
 * Files may be opened from here on.
 *
 * Context: task, may sleep.
 * Return: 0, or the error of misc_register() after a message was printed.
 */
int myalloc_device_init(struct myalloc_nodes *nodes)
{
	int err;

	device.nodes = nodes;
	device.misc.minor = MISC_DYNAMIC_MINOR;
	device.misc.name = "myalloc";
	device.misc.mode = 0600;
	device.misc.fops = &device_fops;
	device.misc.groups = myalloc_sysfs_groups(nodes->zone[0].zone);
	err = myalloc_env_should_fail() ? -ENOMEM : misc_register(&device.misc);
	if (err)
		pr_err("cannot create /dev/myalloc: error %d\n", err);
	return err;
}

/**
 * myalloc_device_exit() - remove /dev/myalloc
 *
 * No file is open, as an open file pins the module.
 *
 * Context: task, may sleep.
 */
void myalloc_device_exit(void)
{
	misc_deregister(&device.misc);
}
