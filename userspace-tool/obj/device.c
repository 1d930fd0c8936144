// SPDX-License-Identifier: GPL-2.0
/*
 * explain: errors of the device as sentences that say what would be right
 */
#include <errno.h>
#include <string.h>

#include "obj/device.h"
#include "out/out.h"

const char *explain_open(int err)
{
	switch (err) {
	case -ENOENT:
		return "/dev/myalloc does not exist: load the module first (insmod myalloc.ko)";
	case -ENXIO:
	case -ENODEV:
		return "/dev/myalloc is there but nothing answers it: load the module (insmod myalloc.ko)";
	case -EACCES:
		return "/dev/myalloc is for root only: run this as root";
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
		why = "the module does not know what this tool asks: they are of different versions";
		break;
	case -EINVAL:
		why = "the module takes none of these values; if 'myallocctl info' allows them, tool and module are of different versions";
		break;
	case -EFAULT:
		why = "the module could not read or write this program's memory";
		break;
	case -ENOENT:
		why = "what it names does not exist, or not any more";
		break;
	case -ENOMEM:
		why = "the memory is not to be had; 'myallocctl stat' shows who holds it";
		break;
	case -EBUSY:
		why = "something still uses what this would end";
		break;
	case -ENOSPC:
		why = "one open file can hold 1048576 handles, and holds as many";
		break;
	case -EDQUOT:
		why = "one open file may hold no more of the reserve; the module's parameter session_quota says how much";
		break;
	case -EINTR:
		why = "interrupted by a signal";
		break;
	default:
		why = strerror(-err);
	}
	return out_fail(EXIT_FAILED, "%s: %s", what, why);
}

int device_open(struct device *d)
{
	const char *why;
	int err;

	d->fd = dev_open();
	if (d->fd < 0) {
		why = explain_open(d->fd);
		return out_fail(EXIT_DEVICE, "%s",
				why ? why : strerror(-d->fd));
	}
	err = dev_info(d->fd, &d->info);
	if (err) {
		dev_close(d->fd);
		return explain("asking the module what it is", err);
	}
	if (d->info.max_order > MYALLOC_MAX_ORDER || !d->info.page_size) {
		dev_close(d->fd);
		return out_fail(EXIT_FAILED, "the module says its largest order is %u and a page %u bytes, which this tool does not understand: they are of different versions",
				d->info.max_order, d->info.page_size);
	}
	return EXIT_OK;
}

int device_stat(struct device *d, struct myalloc_stat *stat)
{
	int err = dev_stat(d->fd, stat);

	return err ? explain("reading the statistics", err) : EXIT_OK;
}

void device_close(struct device *d)
{
	dev_close(d->fd);
}
