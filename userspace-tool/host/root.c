// SPDX-License-Identifier: GPL-2.0
/*
 * root: paths and properties of the real machine; the tests replace this file
 */
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "host/root.h"

const char *root_path(const char *path, char buf[ROOT_PATH_MAX])
{
	(void)buf;
	return path;
}

unsigned int root_euid(void)
{
	return geteuid();
}

char *root_executable(void)
{
	char path[ROOT_PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path));

	return len > 0 && len < (ssize_t)sizeof(path) ? strndup(path, len) : NULL;
}

bool root_hypervisor(char signature[13])
{
	memset(signature, 0, 13);
#if defined(__x86_64__) || defined(__i386__)
	unsigned int eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx))
		return false;
	if (!(ecx & (1u << 31)))
		return true;
	__cpuid(0x40000000, eax, ebx, ecx, edx);
	memcpy(signature, &ebx, 4);
	memcpy(signature + 4, &ecx, 4);
	memcpy(signature + 8, &edx, 4);
	return true;
#else
	return false;
#endif
}
