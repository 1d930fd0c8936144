/* SPDX-License-Identifier: GPL-2.0 */
/*
 * buildinfo: finds the headers and symbols for building a module that uses myalloc
 */
#ifndef MYALLOCCTL_BUILDINFO_H
#define MYALLOCCTL_BUILDINFO_H

/*
 * @kernel: the release to build for
 * @tree: the sources that the environment names in MYALLOC, or NULL
 * @include: directory of myalloc_client.h, @symvers: Module.symvers of myalloc for @kernel,
 *	@cflags: flags for the compiler; each NULL if missing
 */
struct buildinfo {
	char *kernel;
	char *tree;
	char *include;
	char *symvers;
	char *cflags;
};

/* @kernel: NULL for KERNELRELEASE of the environment, else the running kernel. */
void buildinfo_read(struct buildinfo *info, const char *kernel);
void buildinfo_free(struct buildinfo *info);
/* Advice on how to get the missing parts; to be freed. */
char *buildinfo_mend_include(const struct buildinfo *info);
char *buildinfo_mend_symvers(const struct buildinfo *info);

#endif /* MYALLOCCTL_BUILDINFO_H */
