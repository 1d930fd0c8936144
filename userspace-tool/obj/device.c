// SPDX-License-Identifier: GPL-2.0
/*
 * device: opens the device, and turns its errors into messages with a remedy
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dev/dev.h"
#include "host/host.h"
#include "host/mem.h"
#include "obj/device.h"
#include "out/out.h"

#define DEBUGFS	"/sys/kernel/debug/myalloc/"

const char *explain_open(int err)
{
	switch (err) {
	case -ENOENT:
		return "/dev/myalloc does not exist: load the module first (modprobe myalloc, or insmod myalloc.ko in the tree)";
	case -ENXIO:
	case -ENODEV:
		return "/dev/myalloc exists but nothing answers it: load the module (modprobe myalloc, or insmod myalloc.ko in the tree)";
	case -EACCES:
		return "permission to open /dev/myalloc denied: run this as root";
	case -EPERM:
		return "opening /dev/myalloc needs CAP_SYS_ADMIN: run this as root, outside a container";
	default:
		return NULL;
	}
}

int explain(const char *what, int err)
{
	const char *why;

	switch (err) {
	case -ENOTTY:
	case -E2BIG:
		why = "the module does not know this request: module and tool are of different versions";
		break;
	case -EINVAL:
		why = "the module refuses these values; if 'myallocctl info' allows them, module and tool are of different versions";
		break;
	case -EFAULT:
		why = "the module could not read or write this program's memory";
		break;
	case -ENOENT:
		why = "no such cache or handle, or it no longer exists";
		break;
	case -ENOMEM:
		why = "out of memory; 'myallocctl stat' shows what holds it";
		break;
	case -EBUSY:
		why = "still in use";
		break;
	case -ENOSPC:
		why = "too many handles: one open file can hold 1048576";
		break;
	case -EDQUOT:
		why = "one open file may hold no more of the reserve; the module parameter session_quota sets the limit";
		break;
	case -EINTR:
		why = "interrupted by a signal";
		break;
	default:
		why = strerror(-err);
	}
	return out_fail(EXIT_FAILED, "%s: %s", what, why);
}

/* Lets the device work on the node of --node. */
static int use_node(int fd)
{
	struct myalloc_node_use use = { 0 };
	__u64 node = out_options()->node;
	int err;

	if (node == OUT_ANY_NODE)
		return EXIT_OK;
	use.node = node;
	err = dev_call(fd, MYALLOC_IOC_NODE_USE, &use);
	if (err == -ENOENT)
		return out_fail(EXIT_FAILED, "the module has no memory of node %llu; 'myallocctl node list' shows which it has",
				node);
	return err ? explain("choosing the node", err) : EXIT_OK;
}

char *device_node_file(int node, const char *name)
{
	char *path, *text;

	if (node < 0)
		path = xasprintf(DEBUGFS "%s", name);
	else
		path = xasprintf(DEBUGFS "node%d/%s", node, name);
	text = host_read(path);
	free(path);
	return text;
}

char *device_file(const char *name)
{
	__u64 node = out_options()->node;

	return device_node_file(node == OUT_ANY_NODE ? -1 : (int)node, name);
}

int device_open(struct device *d)
{
	const char *why;
	int code, err;

	d->fd = dev_open();
	if (d->fd < 0) {
		why = explain_open(d->fd);
		return out_fail(EXIT_DEVICE, "%s",
				why ? why : strerror(-d->fd));
	}
	code = use_node(d->fd);
	if (code) {
		dev_close(d->fd);
		return code;
	}
	err = dev_info(d->fd, &d->info);
	if (err) {
		dev_close(d->fd);
		return explain("reading the module's properties", err);
	}
	if (d->info.max_order > MYALLOC_MAX_ORDER || !d->info.page_size) {
		dev_close(d->fd);
		return out_fail(EXIT_FAILED, "the module reports a largest order of %u and pages of %u bytes, which this tool does not support: module and tool are of different versions",
				d->info.max_order, d->info.page_size);
	}
	return EXIT_OK;
}

int device_stat(struct device *d, struct myalloc_stat *stat)
{
	int err = dev_stat(d->fd, stat);

	return err ? explain("reading the statistics", err) : EXIT_OK;
}

__u64 device_frames(const struct device *d)
{
	struct myalloc_reserve_stat s = { .size = sizeof(s) };

	if (dev_call(d->fd, MYALLOC_IOC_RESERVE_STAT, &s) || s.max_pages < d->info.nr_pages)
		return d->info.nr_pages;
	return s.max_pages;
}

void device_close(struct device *d)
{
	dev_close(d->fd);
}
