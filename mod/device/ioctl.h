/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/myalloc. */
#ifndef MYALLOC_IOCTL_H
#define MYALLOC_IOCTL_H

struct myalloc_reserve;
struct myalloc_zone;

int myalloc_device_init(struct myalloc_zone *zone, const struct myalloc_reserve *reserve);
void myalloc_device_exit(void);

#endif /* MYALLOC_IOCTL_H */
