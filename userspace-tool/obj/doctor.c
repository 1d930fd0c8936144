// SPDX-License-Identifier: GPL-2.0
/*
 * doctor: check the requirements of the tool and the module, and tell how to meet them
 *
 * Each check has one of four outcomes: ok; note, worth knowing; problem, which prevents work;
 * skipped, because another problem hides it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/mem.h"
#include "host/root.h"
#include "host/system.h"
#include "obj/device.h"
#include "obj/doctor_parts.h"
#include "obj/objects.h"
#include "obj/stats.h"
#include "obj/zones.h"
#include "out/out.h"

#define DEBUGFS		"/sys/kernel/debug"
#define CAP_SYS_ADMIN	21

static void check_rights(struct doctor *doc)
{
	doc->privileged = false;
	if (root_euid() != 0) {
		doctor_finding(doc, "rights", PROBLEM, "not running as root",
			"sudo myallocctl doctor");
	} else if (!host_capable(CAP_SYS_ADMIN)) {
		doctor_finding(doc, "rights", PROBLEM,
			"running as root, but without CAP_SYS_ADMIN",
			"run it outside the container, or start the container with --cap-add SYS_ADMIN --device " MYALLOC_DEVICE ", which docker and podman have");
	} else {
		doc->privileged = true;
		doctor_finding(doc, "rights", OK, "running as root, with CAP_SYS_ADMIN", NULL);
	}
}

/* The level in force is the word in brackets: "none [integrity] confidentiality". */
static char *lockdown(void)
{
	char *line = host_read_line("/sys/kernel/security/lockdown"), *word = NULL;
	char *from = line ? strchr(line, '[') : NULL;

	if (from) {
		from[1 + strcspn(from + 1, "]")] = 0;
		word = xstrdup(from + 1);
	}
	free(line);
	return word;
}

static void check_lockdown(struct doctor *doc)
{
	char *level = lockdown(), *text, *sign, *mend;

	if (!level) {
		doctor_finding(doc, "lockdown", OK, "no kernel lockdown",
			NULL);
		return;
	}
	text = xasprintf("kernel lockdown is '%s'", level);
	if (!strcmp(level, "none")) {
		doctor_finding(doc, "lockdown", OK, text, NULL);
	} else if (doc->loaded) {
		doctor_finding(doc, "lockdown", NOTE, text,
			       "nothing for now: the module is loaded; another one must be signed");
	} else {
		sign = doctor_sign_command();
		mend = xasprintf("only modules that are signed with a key the kernel trusts can be loaded; to sign: %s; or switch Secure Boot off: mokutil --disable-validation, and reboot",
				 sign);
		doctor_finding(doc, "lockdown", PROBLEM, text, mend);
		free(mend);
		free(sign);
	}
	free(text);
	free(level);
}

static void check_node(struct doctor *doc)
{
	char *numbers, *mend = NULL;

	if (!doc->loaded) {
		doctor_finding(doc, "device node", SKIPPED,
			       MYALLOC_DEVICE " does not exist without the module",
			NULL);
		return;
	}
	if (host_is_device(MYALLOC_DEVICE)) {
		doctor_finding(doc, "device node", OK, MYALLOC_DEVICE " exists", NULL);
		return;
	}
	if (host_exists(MYALLOC_DEVICE)) {
		doctor_finding(doc, "device node", PROBLEM,
			MYALLOC_DEVICE " exists but is not a device",
			"remove it, then remove and load the module");
		return;
	}
	numbers = host_read_line("/sys/class/misc/myalloc/dev");
	if (numbers && strchr(numbers, ':')) {
		*strchr(numbers, ':') = ' ';
		mend = xasprintf("mount -t devtmpfs devtmpfs /dev, or mknod -m 600 " MYALLOC_DEVICE " c %s",
				 numbers);
	}
	doctor_finding(doc, "device node", PROBLEM,
		"the module is loaded but " MYALLOC_DEVICE " is missing",
		mend ? mend : "mount -t devtmpfs devtmpfs /dev");
	free(mend);
	free(numbers);
}

static void check_errors(struct doctor *doc, int fd)
{
	struct device d = { .fd = fd };
	struct myalloc_stat sum = { 0 }, s;
	struct zones zones;
	char *text;
	size_t i;

	if (zones_find(&d, &zones))
		return;
	for (i = 0; i < zones.nr; i++)
		if (!zones_use(&d, &zones, i) && !dev_stat(fd, &s))
			stats_add(&sum, &s);
	zones_free(&zones);
	if (!sum.bad_frees && !sum.corruptions)
		return;
	text = xasprintf("since it was loaded, the module has refused %llu wrong frees and found %llu corruptions",
			 (unsigned long long)sum.bad_frees,
			 (unsigned long long)sum.corruptions);
	doctor_finding(doc, "users", NOTE, text, "see the reports in the kernel log: dmesg");
	free(text);
}

static void check_versions(struct doctor *doc, int fd)
{
	struct myalloc_reserve_stat reserve = { .size = sizeof(reserve) };
	struct myalloc_info info;
	int err = dev_info(fd, &info);
	char *text, *more = NULL;

	if (!err && info.max_order <= MYALLOC_MAX_ORDER && info.page_size) {
		if (!dev_call(fd, MYALLOC_IOC_RESERVE_STAT, &reserve) &&
		    reserve.max_pages > reserve.floor_pages)
			more = xasprintf(" and may grow to %llu",
					 (unsigned long long)reserve.max_pages);
		text = xasprintf("tool and module are of the same version; the reserve has %llu pages%s",
				 (unsigned long long)info.nr_pages, more ? more : "");
		free(more);
		doctor_finding(doc, "interface", OK, text, NULL);
		free(text);
		check_errors(doc, fd);
		return;
	}
	text = xasprintf("the module does not answer as this tool expects (%s)",
			 err ? strerror(-err) : "impossible values");
	doctor_finding(doc, "interface", PROBLEM, text,
		"build tool and module from the same sources, and load this module");
	free(text);
}

static void check_device(struct doctor *doc)
{
	const char *why;
	int fd = dev_open();

	if (fd >= 0) {
		doctor_finding(doc, "device", OK, MYALLOC_DEVICE " can be opened", NULL);
		check_versions(doc, fd);
		dev_close(fd);
		return;
	}
	why = explain_open(fd);
	if (!doc->loaded || !doc->privileged)
		doctor_finding(doc, "device", SKIPPED,
			MYALLOC_DEVICE " cannot be opened because of the problems above", NULL);
	else if (fd == -EBUSY)
		doctor_finding(doc, "device", PROBLEM, MYALLOC_DEVICE " is busy",
			"end what uses it: fuser -v " MYALLOC_DEVICE);
	else
		doctor_finding(doc, "device", PROBLEM, why ? why : strerror(-fd),
			"remove the module and load it again; dmesg may say more");
}

/* The word of the kernel's command line that switches debugfs off; NULL if there is none. */
static char *debugfs_off(void)
{
	static const char *const words[] = { "debugfs=off", "debugfs=no-mount" };
	char *line = host_read_line("/proc/cmdline"), *word, *at, *found = NULL;
	size_t i;

	for (word = line ? strtok_r(line, " ", &at) : NULL; word; word = strtok_r(NULL, " ", &at))
		for (i = 0; i < ARRAY_SIZE(words); i++)
			if (!found && !strcmp(word, words[i]))
				found = xstrdup(word);
	free(line);
	return found;
}

/* With either word the kernel does not offer the file system at all. */
static void no_debugfs(struct doctor *doc)
{
	char *word = debugfs_off(), *text, *mend;

	if (!word) {
		doctor_finding(doc, "debugfs", NOTE,
			"this kernel has no debugfs, so there are no files to inspect; this tool works without it",
			"to have them, boot a kernel with CONFIG_DEBUG_FS: grep DEBUG_FS /boot/config-*");
		return;
	}
	text = xasprintf("the kernel was started with %s, so there are no files to inspect; this tool works without them",
			 word);
	mend = xasprintf("to have them, remove %s from GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub, and reboot",
			 word);
	doctor_finding(doc, "debugfs", NOTE, text, mend);
	free(mend);
	free(text);
	free(word);
}

static void check_debugfs(struct doctor *doc)
{
	static const char *const mounted[] = { "*", DEBUGFS, "debugfs", NULL };
	static const char *const known[] = { "nodev", "debugfs", NULL };

	doc->debugfs = host_has_line("/proc/mounts", mounted);
	if (doc->debugfs)
		doctor_finding(doc, "debugfs", OK, "debugfs is mounted at " DEBUGFS, NULL);
	else if (host_has_line("/proc/filesystems", known))
		doctor_finding(doc, "debugfs", NOTE,
			"debugfs is not mounted, so there are no files to inspect; this tool works without it",
			"mount -t debugfs debugfs " DEBUGFS);
	else
		no_debugfs(doc);
}

struct files {
	int nr;
	char *closed;	/* the first that could not be opened */
};

static void try_file(void *arg, const char *name)
{
	char *path = xasprintf(DEBUGFS "/myalloc/%s", name);
	struct files *files = arg;

	files->nr++;
	if (!files->closed && !host_readable(path))
		files->closed = path;
	else
		free(path);
}

static void check_files(struct doctor *doc)
{
	struct files files = { 0 };
	char *text;
	int nr;

	if (!doc->debugfs || !doc->loaded)
		return;
	nr = host_list(DEBUGFS "/myalloc", try_file, &files);
	if (nr < 0 && !doc->privileged) {
		doctor_finding(doc, "debugfs files", SKIPPED,
			"the files in debugfs cannot be read without root", NULL);
	} else if (nr <= 0) {
		doctor_finding(doc, "debugfs files", NOTE,
			"no files in " DEBUGFS "/myalloc",
			"rmmod myalloc; modprobe myalloc makes them anew; if it does not, dmesg | grep -i debugfs");
	} else if (files.closed) {
		text = xasprintf("cannot read %s", files.closed);
		doctor_finding(doc, "debugfs files", NOTE, text,
			doc->privileged ?
			"rmmod myalloc; modprobe myalloc makes the files anew, with modes that lockdown lets through: 0400 or 0444, which ls -l shows" :
			"sudo myallocctl doctor");
		free(text);
	} else {
		text = xasprintf("all %d entries of " DEBUGFS "/myalloc can be read",
				 files.nr);
		doctor_finding(doc, "debugfs files", OK, text, NULL);
		free(text);
	}
	free(files.closed);
}

static void check_kernel(struct doctor *doc)
{
	char *options = system_debug_options(true), *text;

	if (options && *options) {
		text = xasprintf("this kernel has debugging options (%s): do not measure speed on it",
				 options);
		doctor_finding(doc, "kernel", NOTE, text,
			       "to measure, boot a kernel without them: uname -r names the one that runs");
		free(text);
	} else if (!options && host_exists("/proc/lockdep_stats")) {
		doctor_finding(doc, "kernel", NOTE,
			"this kernel checks its locks: do not measure speed on it",
			"to measure, boot a kernel without CONFIG_LOCKDEP: uname -r names the one that runs");
	} else {
		doctor_finding(doc, "kernel", OK,
			options ? "no debug options that change speed"
				: "the configuration of this kernel cannot be read", NULL);
	}
	free(options);
	if (system_taint() & (TAINT_DIE | TAINT_WARN))
		doctor_finding(doc, "health", NOTE,
			"the kernel has warned or oopsed since it started",
			"look for the cause with dmesg before trusting a result");
}

static const char doctor_form[] =
	"findings:[{ outcome:'ok'|'note'|'problem'|'skipped' check:text sentence:text "
	"mend:text|null }] verdict:text";

static int doctor(struct cmd *c)
{
	struct doctor doc = { 0 };
	int code;

	cmd_done(c);
	doc.o = out_new("doctor");
	out_cards(doc.o, "findings", "");
	check_rights(&doc);
	doctor_module(&doc);
	check_lockdown(&doc);
	doctor_secure_boot(&doc);
	doctor_parameters(&doc);
	check_node(&doc);
	check_device(&doc);
	check_debugfs(&doc);
	check_files(&doc);
	check_kernel(&doc);
	doctor_locks(&doc);
	doctor_build(&doc);
	out_end(doc.o);
	code = doc.problems ? EXIT_FAILED : EXIT_OK;
	out_str(doc.o, "verdict", "Verdict", doc.problems ? OUT_BAD : OUT_GOOD,
		doc.problems ? "something prevents work" : "ready for work");
	return out_finish(doc.o, code);
}

static const struct verb doctor_verbs[] = {
	{ "", doctor, "", "check what is needed and say how to mend what is missing; exit 1 if something prevents work",
	  NULL, .form = doctor_form },
	{ NULL, NULL, NULL, NULL, NULL }
};

const struct object doctor_object = {
	"doctor", "check all requirements, and say how to meet those that fail", doctor_verbs, NULL
};
