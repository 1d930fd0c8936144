/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/myalloc. */
#ifndef MYALLOC_IOCTL_H
#define MYALLOC_IOCTL_H

struct myalloc_nodes;

int myalloc_device_init(struct myalloc_nodes *nodes);
void myalloc_device_exit(void);

#endif /* MYALLOC_IOCTL_H */
