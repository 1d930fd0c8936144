// SPDX-License-Identifier: GPL-2.0
/*
 * host: the only reader of /proc, /sys and /dev names
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#if HAVE_ZLIB
#include <zlib.h>
#endif

#include "host/host.h"
#include "host/mem.h"
#include "host/root.h"

#define FILE_MAX	(1u << 20)	/* bytes read of one file: a kernel's whole config is a third */
#define RECORD_MAX	8192		/* bytes of a record of the kernel's log, more than its own limit */

/* The whole file, of *@bytes, or NULL with errno set; files of /proc do not tell their size. */
char *host_read_bytes(const char *path, size_t *bytes)
{
	char buf[ROOT_PATH_MAX], *text;
	size_t len = 0;
	ssize_t n;
	int fd;

	fd = open(root_path(path, buf), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = xcalloc(1, FILE_MAX + 1);
	while (len < FILE_MAX) {
		n = read(fd, text + len, FILE_MAX - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	if (len == 0) {
		free(text);
		errno = ENODATA;
		return NULL;
	}
	*bytes = len;
	return text;
}

/* The same as a string. */
char *host_read(const char *path)
{
	size_t len;

	return host_read_bytes(path, &len);
}

/* The first line without its end, or NULL. */
char *host_read_line(const char *path)
{
	char *text = host_read(path);

	if (text)
		text[strcspn(text, "\n")] = 0;
	return text;
}

/* Whether the file's last bytes are @text. */
bool host_ends_with(const char *path, const char *text)
{
	char buf[ROOT_PATH_MAX], *end = xcalloc(1, strlen(text) + 1);
	FILE *file = fopen(root_path(path, buf), "re");
	bool found;

	found = file && !fseek(file, -(long)strlen(text), SEEK_END) &&
		fread(end, 1, strlen(text), file) == strlen(text) && !strcmp(end, text);
	if (file)
		fclose(file);
	free(end);
	return found;
}

bool host_exists(const char *path)
{
	char buf[ROOT_PATH_MAX];

	return access(root_path(path, buf), F_OK) == 0;
}

bool host_is_device(const char *path)
{
	char buf[ROOT_PATH_MAX];
	struct stat st;

	return stat(root_path(path, buf), &st) == 0 && S_ISCHR(st.st_mode);
}

/* Only an open tells: lockdown and capabilities are checked there, not by access(). */
bool host_readable(const char *path)
{
	char buf[ROOT_PATH_MAX];
	int fd = open(root_path(path, buf), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Calls @each for every name in a directory, in the order of their letters. */
int host_list(const char *path, void (*each)(void *arg, const char *name),
	      void *arg)
{
	char buf[ROOT_PATH_MAX];
	struct dirent **names;
	int nr, i;

	nr = scandir(root_path(path, buf), &names, visible, alphasort);
	if (nr < 0)
		return -errno;
	for (i = 0; i < nr; i++) {
		each(arg, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return nr;
}

/* Does a line begin with the fields @words, where "*" stands for any field? */
bool host_has_line(const char *path, const char *const *words)
{
	char *text = host_read(path), *line, *field, *at_line, *at_field;
	bool found = false;
	int i;

	if (!text)
		return false;
	for (line = strtok_r(text, "\n", &at_line); line && !found;
	     line = strtok_r(NULL, "\n", &at_line)) {
		field = strtok_r(line, " \t", &at_field);
		for (i = 0; words[i] && field; i++) {
			if (strcmp(words[i], "*") && strcmp(words[i], field))
				break;
			field = strtok_r(NULL, " \t", &at_field);
		}
		found = !words[i];
	}
	free(text);
	return found;
}

/* Whether this process has the capability numbered @cap in effect. */
bool host_capable(unsigned int cap)
{
	char *text = host_read("/proc/self/status"), *at;
	unsigned long long caps = 0;

	if (!text)
		return root_euid() == 0;
	at = strstr(text, "\nCapEff:");
	if (at)
		caps = strtoull(at + strlen("\nCapEff:"), NULL, 16);
	free(text);
	return caps >> cap & 1;
}

#if HAVE_ZLIB
static char *read_packed(const char *path)
{
	char buf[ROOT_PATH_MAX], *text;
	gzFile file = gzopen(root_path(path, buf), "re");
	int n;

	if (!file)
		return NULL;
	text = xcalloc(1, FILE_MAX + 1);
	n = gzread(file, text, FILE_MAX);
	gzclose(file);
	if (n > 0)
		return text;
	free(text);
	return NULL;
}
#else
static char *read_packed(const char *path)
{
	(void)path;
	return NULL;
}
#endif

/* The running kernel's configuration, or NULL if it is not available. */
char *host_config(void)
{
	char *config = read_packed("/proc/config.gz"), *path;
	struct utsname uts;

	if (!config && uname(&uts) == 0) {
		path = xasprintf("/boot/config-%s", uts.release);
		config = host_read(path);
		free(path);
	}
	return config;
}

/*
 * The kernel's log, a record a line with numbers before its text, or NULL if it may not be read.
 * Each read gives one record; EPIPE means that records were lost, EAGAIN that there are no more.
 */
char *host_kernel_log(void)
{
	char buf[ROOT_PATH_MAX], record[RECORD_MAX], *text;
	FILE *stream;
	size_t size;
	ssize_t n;
	int fd;

	fd = open(root_path("/dev/kmsg", buf), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	stream = xmemstream(&text, &size);
	for (;;) {
		n = read(fd, record, sizeof(record));
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			break;
		fwrite(record, 1, n, stream);
	}
	xmemstream_end(stream);
	close(fd);
	return text;
}
