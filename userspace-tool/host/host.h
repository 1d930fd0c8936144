/* SPDX-License-Identifier: GPL-2.0 */
/*
 * host: the only reader of /proc, /sys and /dev names
 */
#ifndef MYALLOCCTL_HOST_H
#define MYALLOCCTL_HOST_H

#include <stdbool.h>
#include <stddef.h>

char *host_read(const char *path);
char *host_read_bytes(const char *path, size_t *len);
char *host_read_line(const char *path);
bool host_ends_with(const char *path, const char *text);
bool host_exists(const char *path);
bool host_is_device(const char *path);
bool host_readable(const char *path);
int host_list(const char *path, void (*each)(void *arg, const char *name),
	      void *arg);
bool host_has_line(const char *path, const char *const *words);
bool host_capable(unsigned int cap);
char *host_config(void);
char *host_kernel_log(void);

#endif /* MYALLOCCTL_HOST_H */
