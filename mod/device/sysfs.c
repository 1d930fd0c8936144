// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics of the zone in /sys/class/misc/myalloc/stats/, readable without root
 *
 * Each field of MYALLOC_ZONE_FIELDS that is not by order has a file of that name. Only root can
 * open the device or enter debugfs, but a monitor should see without privileges how full the
 * reserve is and whether it was misused. No file reveals an address, a caller or a cache.
 */
#include "env.h"

#include <linux/device.h>
#include <linux/sysfs.h>

#include "device/sysfs.h"
#include "stat.h"

static struct myalloc_zone *zone;

/**
 * struct number - a file
 * @attribute: its name and mode
 * @offset: offset of its number in struct myalloc_stat
 * @bytes: size of the number: 4 (signed) or 8
 */
struct number {
	struct device_attribute attribute;
	u16 offset;
	u8 bytes;
};

static ssize_t number_show(struct device *dev, struct device_attribute *attribute, char *buf)
{
	const struct number *n = container_of(attribute, struct number, attribute);
	struct myalloc_stat *stat = myalloc_env_zalloc(sizeof(*stat), NUMA_NO_NODE);
	const void *at = (const void *)stat + n->offset;
	int err;

	if (!stat)
		return -ENOMEM;
	err = myalloc_stat_fill(stat, zone);
	if (!err && n->bytes == sizeof(s32))
		err = sysfs_emit(buf, "%d\n", *(const s32 *)at);
	else if (!err)
		err = sysfs_emit(buf, "%llu\n", *(const u64 *)at);
	myalloc_env_free(stat);
	return err;
}

#define NOTHING(...)
#define NUMBER(type, member, ...)						\
	{ { .attr = { .name = #member, .mode = 0444 }, .show = number_show },	\
	  offsetof(struct myalloc_stat, member), sizeof(type) },

static struct number numbers[] = { MYALLOC_ZONE_FIELDS(NUMBER, NOTHING) };
static struct attribute *attributes[ARRAY_SIZE(numbers) + 1];

static const struct attribute_group group = {
	.name = "stats",
	.attrs = attributes,
};

static const struct attribute_group *groups[] = { &group, NULL };

/**
 * myalloc_sysfs_groups() - the files that belong to the device
 * @for_zone: the zone whose numbers they show, until the device is gone
 *
 * Context: any.
 * Return: the groups, for struct miscdevice.
 */
const struct attribute_group **myalloc_sysfs_groups(struct myalloc_zone *for_zone)
{
	unsigned int i;

	zone = for_zone;
	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		attributes[i] = &numbers[i].attribute.attr;
	return groups;
}
