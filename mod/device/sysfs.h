/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics of the zone in sysfs. */
#ifndef MYALLOC_SYSFS_H
#define MYALLOC_SYSFS_H

struct attribute_group;
struct myalloc_zone;

const struct attribute_group **myalloc_sysfs_groups(struct myalloc_zone *for_zone);

#endif /* MYALLOC_SYSFS_H */
