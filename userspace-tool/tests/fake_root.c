// SPDX-License-Identifier: GPL-2.0
/*
 * fake_root: a machine made of files below $FAKE_ROOT, for the tests
 *
 *	FAKE_ROOT	directory in place of /; without it the real machine
 *	FAKE_EUID	user the program believes to run as
 *	FAKE_EXE	file of the program, on that machine
 *	FAKE_HV		CPUID signature; without it there is no such instruction
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/root.h"

const char *root_path(const char *path, char buf[ROOT_PATH_MAX])
{
	const char *root = getenv("FAKE_ROOT");

	if (!root)
		return path;
	snprintf(buf, ROOT_PATH_MAX, "%s%s", root, path);
	return buf;
}

unsigned int root_euid(void)
{
	const char *euid = getenv("FAKE_EUID");

	return euid ? strtoul(euid, NULL, 10) : geteuid();
}

char *root_executable(void)
{
	const char *path = getenv("FAKE_EXE");

	return path ? strdup(path) : NULL;
}

bool root_hypervisor(char signature[13])
{
	const char *fake = getenv("FAKE_HV");

	memset(signature, 0, 13);
	if (!fake)
		return false;
	memcpy(signature, fake, strnlen(fake, 12));
	return true;
}
