/* SPDX-License-Identifier: GPL-2.0 */
/*
 * root: paths and properties of the machine, which the tests replace
 */
#ifndef MYALLOCCTL_ROOT_H
#define MYALLOCCTL_ROOT_H

#include <stdbool.h>

#define ROOT_PATH_MAX	512

/* The path to open for @path of the machine, in @buf if it is not @path itself. */
const char *root_path(const char *path, char buf[ROOT_PATH_MAX]);
unsigned int root_euid(void);
/* The path of the running program, to be freed; NULL if it is not known. */
char *root_executable(void);
/* The hypervisor's signature (CPUID 0x40000000), empty on bare metal; false if unknown. */
bool root_hypervisor(char signature[13]);

#endif /* MYALLOCCTL_ROOT_H */
