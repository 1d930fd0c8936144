// SPDX-License-Identifier: GPL-2.0
/*
 * doctor_module: whether the module is built, signed, loaded, and with which parameters
 */
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "cmd/closest.h"
#include "host/host.h"
#include "host/mem.h"
#include "obj/buildinfo.h"
#include "obj/doctor_parts.h"
#include "out/out.h"

#define EFIVARS		"/sys/firmware/efi/efivars/"
#define SECURE_BOOT	EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MOK_LIST	EFIVARS "MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23"
#define EFI_ATTRIBUTES	4	/* bytes before the value of a variable */
#define DKMS_KEY	"/var/lib/dkms/mok.pub"
#define DKMS_SECRET	"/var/lib/dkms/mok.key"
#define PARAMETERS	"/sys/module/myalloc/parameters"
#define MAX_UNKNOWN	8	/* most parameters that one finding names */
#define MAX_KNOWN	64

/* Directories for modules of 'make install', DKMS and users; a module may be compressed. */
static char *module_file(const char *release)
{
	static const char *const places[] = { "updates/dkms", "updates", "extra" };
	static const char *const ends[] = { "", ".xz", ".zst", ".gz" };
	size_t i, j;
	char *path;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (j = 0; j < ARRAY_SIZE(ends); j++) {
			path = xasprintf("/lib/modules/%s/%s/myalloc.ko%s", release, places[i],
					 ends[j]);
			if (host_exists(path))
				return path;
			free(path);
		}
	}
	return NULL;
}

static void not_loaded(struct doctor *doc, const char *release)
{
	static const char source[] = "/usr/src/myalloc-" MYALLOC_VERSION;
	char *file = module_file(release), *headers, *mend;

	headers = xasprintf("/lib/modules/%s/build", release);
	if (file) {
		mend = xstrdup("modprobe myalloc");
	} else if (host_exists(source) && !host_exists(headers)) {
		mend = xasprintf("apt install linux-headers-%s, after which DKMS builds the module; then modprobe myalloc",
				 release);
	} else if (host_exists(source)) {
		mend = xasprintf("dkms install myalloc/" MYALLOC_VERSION " -k %s; then modprobe myalloc",
				 release);
	} else {
		mend = xstrdup("insmod myalloc.ko, which 'make module' builds; or install the package myalloc-dkms, or 'make install', then modprobe myalloc");
	}
	doctor_finding(doc, "module", PROBLEM, "the module is not loaded", mend);
	free(mend);
	free(headers);
	free(file);
}

void doctor_module(struct doctor *doc)
{
	static const char *const named[] = { "myalloc", NULL };
	static const char *const live[] = { "myalloc", "*", "*", "*", "Live", NULL };
	struct utsname uts = { 0 };

	doc->loaded = host_has_line("/proc/modules", live);
	uname(&uts);
	if (doc->loaded)
		doctor_finding(doc, "module", OK, "the module is loaded", NULL);
	else if (host_has_line("/proc/modules", named))
		doctor_finding(doc, "module", PROBLEM, "the module is being loaded or removed",
			       "wait a moment and try again");
	else
		not_loaded(doc, uts.release);
}

/* --- Secure Boot --------------------------------------------------------------------------- */

static bool secure_boot(void)
{
	size_t len;
	char *value = host_read_bytes(SECURE_BOOT, &len);
	bool on = value && len > EFI_ATTRIBUTES && value[EFI_ATTRIBUTES] == 1;

	free(value);
	return on;
}

/* The list of the machine owner's keys contains each certificate as it is in its file. */
static bool key_enrolled(const char *key, size_t bytes)
{
	size_t len;
	char *list = host_read_bytes(MOK_LIST, &len);
	bool found = list && memmem(list, len, key, bytes);

	free(list);
	return found;
}

/* A compressed module is not looked into; that counts as signed. */
static bool module_signed(const char *file)
{
	static const char mark[] = "~Module signature appended~\n";

	return strcmp(file + strlen(file) - 3, ".ko") || host_ends_with(file, mark);
}

static void check_signature(struct doctor *doc, const char *release)
{
	char *file = module_file(release), *mend;

	if (file && !module_signed(file)) {
		mend = xasprintf("dkms install --force myalloc/" MYALLOC_VERSION " -k %s, or 'make install' with SIGN_KEY and SIGN_CERT",
				 release);
		doctor_finding(doc, "Secure Boot", PROBLEM,
			       "Secure Boot is on, and the installed module is not signed", mend);
		free(mend);
	} else {
		doctor_finding(doc, "Secure Boot", OK,
			       "Secure Boot is on, and the key that DKMS signs with is enrolled",
			       NULL);
	}
	free(file);
}

char *doctor_sign_command(void)
{
	struct utsname uts = { 0 };
	char *file, *text;

	uname(&uts);
	file = module_file(uts.release);
	/* A signature ends the file before it is compressed. */
	if (file && strcmp(file + strlen(file) - 3, ".ko")) {
		free(file);
		file = NULL;
	}
	text = xasprintf("/lib/modules/%s/build/scripts/sign-file sha256 " DKMS_SECRET " " DKMS_KEY " %s; then mokutil --import " DKMS_KEY ", reboot, and choose 'Enroll MOK'",
			 uts.release, file ? file : "myalloc.ko");
	free(file);
	return text;
}

void doctor_secure_boot(struct doctor *doc)
{
	struct utsname uts = { 0 };
	size_t len;
	char *key;

	if (!secure_boot()) {
		doctor_finding(doc, "Secure Boot", OK, "Secure Boot is off", NULL);
		return;
	}
	if (doc->loaded) {
		doctor_finding(doc, "Secure Boot", OK,
			       "Secure Boot is on, and the kernel has accepted the module", NULL);
		return;
	}
	uname(&uts);
	key = host_read_bytes(DKMS_KEY, &len);
	if (!key)
		doctor_finding(doc, "Secure Boot", PROBLEM,
			       "Secure Boot is on, and there is no key to sign the module with",
			       "install the package myalloc-dkms: DKMS makes " DKMS_KEY " and signs with it; then mokutil --import " DKMS_KEY ", reboot, and choose 'Enroll MOK'");
	else if (!key_enrolled(key, len))
		doctor_finding(doc, "Secure Boot", PROBLEM,
			       "Secure Boot is on, and the key that DKMS signs with is not enrolled",
			       "mokutil --import " DKMS_KEY ", reboot, and choose 'Enroll MOK'");
	else
		check_signature(doc, uts.release);
	free(key);
}

/* --- parameters ---------------------------------------------------------------------------- */

struct names {
	char *name[MAX_KNOWN];
	int nr;
};

static void add_name(void *arg, const char *name)
{
	struct names *names = arg;

	if (names->nr < MAX_KNOWN)
		names->name[names->nr++] = xstrdup(name);
}

static void clear_names(struct names *names)
{
	while (names->nr)
		free(names->name[--names->nr]);
}

/*
 * The kernel ignores a parameter that a module does not have, and logs that before the module
 * starts. The module logs a line when it has its reserve, so messages between the last two of these
 * lines are about the module that is loaded.
 */
static void unknown_parameters(char *log, struct names *unknown)
{
	static const char mark[] = ";myalloc: unknown parameter '";
	struct names pending = { 0 };
	char *line, *at, *name;

	for (line = strtok_r(log, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
		name = strstr(line, mark);
		if (name) {
			name += strlen(mark);
			name[strcspn(name, "'")] = 0;
			add_name(&pending, name);
		} else if (strstr(line, ";myalloc: ") && strstr(line, " chunks of ")) {
			clear_names(unknown);
			*unknown = pending;
			memset(&pending, 0, sizeof(pending));
		}
	}
	clear_names(&pending);
}

void doctor_parameters(struct doctor *doc)
{
	struct names unknown = { 0 }, known = { 0 };
	char *log = doc->loaded ? host_kernel_log() : NULL, *text, *mend;
	const char *right;
	int i;

	if (!log)
		return;
	unknown_parameters(log, &unknown);
	host_list(PARAMETERS, add_name, &known);
	for (i = 0; i < unknown.nr && i < MAX_UNKNOWN; i++) {
		right = closest(unknown.name[i], (const char *const *)known.name, known.nr);
		text = xasprintf("the module was loaded with an unknown parameter '%s', which the kernel has ignored",
				 unknown.name[i]);
		mend = xasprintf("rmmod myalloc; modprobe myalloc %s=...; a wrong line may be in /etc/modprobe.d: grep -r myalloc /etc/modprobe.d; modinfo -p myalloc lists the parameters",
				 right ? right : "NAME");
		doctor_finding(doc, "parameters", NOTE, text, mend);
		free(mend);
		free(text);
	}
	clear_names(&unknown);
	clear_names(&known);
	free(log);
}

/* --- modules that use it ------------------------------------------------------------------- */

void doctor_build(struct doctor *doc)
{
	struct buildinfo info;
	char *text, *mend;

	buildinfo_read(&info, NULL);
	if (!info.include) {
		doctor_finding(doc, "headers", OK,
			       "headers for modules that use myalloc are not installed (package myalloc-dev)",
			       NULL);
	} else if (!info.symvers) {
		text = xasprintf("headers of myalloc are in %s, but its Module.symvers for Linux %s is missing: a module that uses myalloc cannot be built",
				 info.include, info.kernel);
		mend = buildinfo_mend_symvers(&info);
		doctor_finding(doc, "headers", NOTE, text, mend);
		free(mend);
		free(text);
	} else {
		text = xasprintf("headers are in %s, symbols in %s", info.include, info.symvers);
		doctor_finding(doc, "headers", OK, text, NULL);
		free(text);
	}
	buildinfo_free(&info);
}
