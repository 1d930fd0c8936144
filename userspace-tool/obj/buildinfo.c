// SPDX-License-Identifier: GPL-2.0
/*
 * buildinfo: headers, symbols and compiler flags for building a module that uses myalloc
 *
 * Each of three places is looked at, and the first that exists is used:
 *
 *	a tree in which myalloc was built	named by the environment: MYALLOC=/path/to/myalloc
 *	the packages				headers in /usr/include, symbols kept by DKMS
 *	'make install'				both below its PREFIX, which is /usr/local without one
 *
 * Of the last two, the installation of the tool itself comes first: if the tool is in a directory
 * bin, the files below the parent of that directory.
 *
 * The symbols belong to one kernel release. Kbuild sets KERNELRELEASE to the one that it builds
 * for.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "host/host.h"
#include "host/mem.h"
#include "host/root.h"
#include "obj/buildinfo.h"
#include "obj/objects.h"
#include "out/out.h"

#define HEADER	"myalloc_client.h"

struct options {
	char *kernel;
	bool cflags;
	bool symvers;
};

#define TO(member)	OPT_TARGET(struct options, member)

static const struct opt buildinfo_opts[] = {
	{ "kernel", 'k', OPT_STRING, "RELEASE", TO(kernel),
	  .otherwise = "KERNELRELEASE of the environment, or the running kernel",
	  .help = "the kernel to build for" },
	{ "cflags", 'c', OPT_FLAG, NULL, TO(cflags),
	  .help = "print the compiler's flags alone, for ccflags-y" },
	{ "symvers", 's', OPT_FLAG, NULL, TO(symvers),
	  .help = "print the file of symbols alone, for KBUILD_EXTRA_SYMBOLS" },
	{ NULL }
};

static char *existing(char *path)
{
	if (host_exists(path))
		return path;
	free(path);
	return NULL;
}

/* The PREFIX that this tool is installed in, "" for /; NULL if it is in no directory bin. */
static char *own_prefix(void)
{
	static const char bin[] = "/bin";
	char *path = root_executable(), *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		*slash = 0;
	if (slash && slash - path >= (int)strlen(bin) && !strcmp(slash - strlen(bin), bin)) {
		slash[-strlen(bin)] = 0;
		return path;
	}
	free(path);
	return NULL;
}

static char *find_include(const char *tree, const char *prefix)
{
	const char *const places[] = { prefix, "/usr", "/usr/local" };
	char *header, *found = NULL;
	size_t i;

	if (tree) {
		header = existing(xasprintf("%s/mod/" HEADER, tree));
		found = header ? xasprintf("%s/mod", tree) : NULL;
		free(header);
		return found;
	}
	for (i = 0; i < ARRAY_SIZE(places) && !found; i++) {
		if (!places[i])
			continue;
		header = existing(xasprintf("%s/include/myalloc/mod/" HEADER, places[i]));
		if (header)
			found = xasprintf("%s/include/myalloc/mod", places[i]);
		free(header);
	}
	return found;
}

static char *installed_symvers(const char *prefix, const char *kernel)
{
	return existing(xasprintf("%s/lib/myalloc/%s/Module.symvers", prefix, kernel));
}

static char *find_symvers(const char *tree, const char *prefix, const char *kernel)
{
	struct utsname uts;
	char *found = NULL;

	if (tree)
		return existing(xasprintf("%s/Module.symvers", tree));
	if (prefix)
		found = installed_symvers(prefix, kernel);
	/* DKMS has a link to the version that is installed, by release and machine. */
	if (!found && uname(&uts) == 0)
		found = existing(xasprintf("/var/lib/dkms/myalloc/kernel-%s-%s/Module.symvers",
					   kernel, uts.machine));
	if (!found)
		found = installed_symvers("/usr/local", kernel);
	return found ? found : installed_symvers("/usr", kernel);
}

void buildinfo_read(struct buildinfo *info, const char *kernel)
{
	const char *tree = getenv("MYALLOC");
	char *prefix = own_prefix();
	struct utsname uts;

	memset(info, 0, sizeof(*info));
	if (tree && !*tree)
		tree = NULL;
	if (!kernel || !*kernel)
		kernel = getenv("KERNELRELEASE");
	if ((!kernel || !*kernel) && uname(&uts) == 0)
		kernel = uts.release;
	info->kernel = xstrdup(kernel);
	info->tree = tree ? xstrdup(tree) : NULL;
	info->include = find_include(tree, prefix);
	info->symvers = find_symvers(tree, prefix, kernel);
	free(prefix);
	if (info->include)
		info->cflags = xasprintf("-I%s", info->include);
}

void buildinfo_free(struct buildinfo *info)
{
	free(info->kernel);
	free(info->tree);
	free(info->include);
	free(info->symvers);
	free(info->cflags);
}

char *buildinfo_mend_include(const struct buildinfo *info)
{
	if (info->tree)
		return xasprintf("MYALLOC=%s must name a tree of myalloc's sources", info->tree);
	return xstrdup("install the package myalloc-dev, or run 'make install' in a tree of myalloc's sources");
}

char *buildinfo_mend_symvers(const struct buildinfo *info)
{
	if (info->tree)
		return xasprintf("build the module there: make -C /lib/modules/%s/build M=%s modules",
				 info->kernel, info->tree);
	return xasprintf("dkms install myalloc/" MYALLOC_VERSION " -k %s, with the package myalloc-dkms; or make install KDIR=/lib/modules/%s/build",
			 info->kernel, info->kernel);
}

static void describe(struct out *o, const char *key, const char *label, const char *value)
{
	if (value)
		out_str(o, key, label, OUT_PLAIN, value);
	else
		out_null(o, key, label);
}

static const char buildinfo_form[] =
	"kernel:text include:text|null cflags:text|null symvers:text|null";

static int buildinfo(struct cmd *c)
{
	struct options options = { 0 };
	struct buildinfo info;
	struct out *o = NULL;
	int code = EXIT_OK;
	bool all;
	char *mend;

	cmd_options(c, &options);
	cmd_done(c);
	if ((options.cflags || options.symvers) && out_is_json())
		cmd_usage(c, "--cflags and --symvers print one line for make; leave out --json");
	all = !options.cflags && !options.symvers;
	buildinfo_read(&info, options.kernel);
	if ((all || options.cflags) && !info.include) {
		mend = buildinfo_mend_include(&info);
		code = out_fail(EXIT_FAILED, "no " HEADER " found: %s", mend);
		free(mend);
	}
	if ((all || options.symvers) && !info.symvers) {
		mend = buildinfo_mend_symvers(&info);
		code = out_fail(EXIT_FAILED, "no Module.symvers of myalloc for Linux %s found: %s",
				info.kernel, mend);
		free(mend);
	}
	if (options.cflags && info.cflags)
		out_plain("%s\n", info.cflags);
	if (options.symvers && info.symvers)
		out_plain("%s\n", info.symvers);
	if (all) {
		o = out_new("buildinfo");
		out_str(o, "kernel", "kernel", OUT_PLAIN, info.kernel);
		describe(o, "include", "headers", info.include);
		describe(o, "cflags", "ccflags-y", info.cflags);
		describe(o, "symvers", "KBUILD_EXTRA_SYMBOLS", info.symvers);
		code = out_finish(o, code);
	}
	buildinfo_free(&info);
	return code;
}

static const struct verb buildinfo_verbs[] = {
	{ "", buildinfo, "", "show where headers and symbols are, for a module that uses myalloc; exit 1 if any is missing",
	  buildinfo_opts, .form = buildinfo_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object buildinfo_object = {
	"buildinfo", "headers, symbols and flags to build a module that uses myalloc",
	buildinfo_verbs, NULL
};
