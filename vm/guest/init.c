// SPDX-License-Identifier: GPL-2.0
/*
 * The first and only program that the guest's kernel starts: mount, run one script, send its
 * results to the host, end the machine.
 *
 * Data for the host uses a serial line of its own (GUEST_CHANNEL, /dev/ttyS1 on a PC), never the
 * console, which belongs to the kernel:
 *
 *	@hello RELEASE\n		the guest is up
 *	@out N\n + N bytes		a piece of the script's standard output
 *	@err N\n + N bytes		a piece of its standard error
 *	@file N NAME\n + N bytes	a file: what lies in /out, dmesg, coverage
 *	@ask WORDS\n			the script wants something of the host: a line that it
 *					wrote to the FIFO /guest/host, see guest_channel.py
 *	@exit STATUS\n			the script's exit status
 *	@end\n				all was sent
 *
 * A guest that crashes, hangs or is killed does not send @end; its absence is a failure.
 *
 * The kernel passes unknown name=value words of its command line to this program as environment:
 * GUEST_CHANNEL, GUEST_SHELL=1 (a prompt on the console instead of a verdict) with GUEST_ROWS and
 * GUEST_COLUMNS (size of the terminal) and GUEST_SECOND_TTY (one more prompt), GUEST_POWEROFF=1
 * (the machine ends by power-off, not by reset).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define SCRIPT		"/guest/script"
#define PROLOGUE	"/guest/prologue"
#define BASH		"/guest/bin/bash"
#define ASK		"/guest/host"
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* kmemleak reports nothing younger than 5 s. */
#define KMEMLEAK_AGE_S	6

static int channel = -1;

static void end_machine(void)
{
	sync();
	if (getenv("GUEST_POWEROFF"))
		reboot(RB_POWER_OFF);
	/* The host runs QEMU with -no-reboot: a reset ends it on any kernel. */
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void give_up(const char *what)
{
	fprintf(stderr, "guest: %s: %s\n", what, strerror(errno));
	end_machine();
}

static void send_bytes(const char *p, size_t n)
{
	while (n) {
		ssize_t done = write(channel, p, n);

		if (done < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			give_up("writing to the host");
		}
		p += done;
		n -= done;
	}
}

static void __attribute__((format(printf, 1, 2))) send_line(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof(line)) {
		errno = ENAMETOOLONG;
		give_up("a line for the host");
	}
	send_bytes(line, n);
}

static void open_channel(void)
{
	const char *path = getenv("GUEST_CHANNEL");
	struct termios t;

	channel = open(path ? path : "/dev/ttyS1", O_WRONLY | O_NOCTTY | O_CLOEXEC);
	if (channel < 0)
		give_up("opening the line to the host");
	if (!tcgetattr(channel, &t)) {
		cfmakeraw(&t);
		t.c_cflag |= CLOCAL;
		cfsetspeed(&t, B115200);
		tcsetattr(channel, TCSANOW, &t);
	}
}

/*
 * Read all of @path, whose size is not known before (procfs, debugfs), and send
 * it as a file called @name.
 */
static void send_file(const char *path, const char *name)
{
	size_t used = 0, room = 1 << 16;
	char *bytes = malloc(room);
	int fd = open(path, O_RDONLY | O_NONBLOCK);

	while (fd >= 0 && bytes) {
		ssize_t n;

		if (used == room) {
			char *more = realloc(bytes, room *= 2);

			if (!more)
				break;
			bytes = more;
		}
		n = read(fd, bytes + used, room - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += n;
	}
	if (fd >= 0)
		close(fd);
	send_line("@file %zu %s\n", used, name);
	send_bytes(bytes, used);
	free(bytes);
}

static void send_tree(const char *directory, const char *prefix)
{
	DIR *d = opendir(directory);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[512], name[512];
		struct stat s;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%.250s/%.250s", directory, e->d_name);
		snprintf(name, sizeof(name), "%.250s%.250s", prefix, e->d_name);
		if (lstat(path, &s))
			continue;
		if (S_ISDIR(s.st_mode)) {
			strcat(name, "/");
			send_tree(path, name);
		} else if (S_ISREG(s.st_mode)) {
			send_file(path, name);
		}
	}
	if (d)
		closedir(d);
}

/* The kernel's log from its first line on: /dev/kmsg returns one record for each read. */
static void save_dmesg(const char *to)
{
	int in = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	FILE *out = fopen(to, "w");
	char record[8192];
	ssize_t n;

	while (in >= 0 && out) {
		unsigned long long time;
		unsigned int level;
		char *text, *end;

		n = read(in, record, sizeof(record) - 1);
		if (n < 0 && errno == EPIPE) {
			fputs("guest: the kernel's log lost lines here\n", out);
			continue;
		}
		if (n <= 0)
			break;
		record[n] = 0;
		text = strchr(record, ';');
		if (!text || sscanf(record, "%u,%*u,%llu", &level, &time) != 2)
			continue;
		text++;
		end = strchr(text, '\n');
		if (end)
			*end = 0;
		fprintf(out, "[%5llu.%06llu] %s\n", time / 1000000, time % 1000000, text);
	}
	if (in >= 0)
		close(in);
	if (out)
		fclose(out);
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		if (write(fd, text, strlen(text)) < 0)
			fprintf(stderr, "guest: %s: %s\n", path, strerror(errno));
		close(fd);
	}
}

/* Clear findings from boot, which are not the module's. */
static void kmemleak_begin(void)
{
	if (!access(KMEMLEAK, W_OK)) {
		put(KMEMLEAK, "scan");
		put(KMEMLEAK, "clear");
	}
}

/*
 * A block counts as leaked when two scans agree. The host judges the second read of the file:
 * empty, or a leak.
 */
static void kmemleak_end(void)
{
	if (access(KMEMLEAK, W_OK))
		return;
	sleep(KMEMLEAK_AGE_S);
	put(KMEMLEAK, "scan");
	sleep(1);
	put(KMEMLEAK, "scan");
	send_file(KMEMLEAK, "kmemleak");
}

/* A request of the script: a line, written at once, that fits into a pipe's buffer. */
static void pass_on(int from)
{
	char line[256];
	ssize_t n = read(from, line, sizeof(line));

	if (n > 0 && line[n - 1] == '\n')
		send_line("@ask %.*s", (int)n, line);
}

/*
 * Run the script and send its output to the host piece by piece, so that the output of a guest that
 * crashes is not lost.
 */
static int run_script(void)
{
	static const char *const tags[] = { "out", "err" };
	struct pollfd from[3];
	int pipes[2][2], status = -1, i;
	char bytes[4096];
	pid_t child;

	for (i = 0; i < 2; i++) {
		if (pipe2(pipes[i], O_CLOEXEC))
			give_up("pipe");
		fcntl(pipes[i][0], F_SETFL, O_NONBLOCK);
		from[i] = (struct pollfd){ .fd = pipes[i][0], .events = POLLIN };
	}
	/* Also opened for writing, so that it does not end when a writer closes it. */
	if (mkfifo(ASK, 0600))
		give_up(ASK);
	from[2] = (struct pollfd){
		.fd = open(ASK, O_RDWR | O_NONBLOCK | O_CLOEXEC), .events = POLLIN,
	};
	child = fork();
	if (child < 0)
		give_up("fork");
	if (!child) {
		setsid();
		dup2(pipes[0][1], 1);
		dup2(pipes[1][1], 2);
		close(0);
		open("/dev/null", O_RDONLY);
		execl("/bin/sh", "sh", SCRIPT, NULL);
		_exit(127);
	}
	close(pipes[0][1]);
	close(pipes[1][1]);

	/* The script may leave children that hold the pipes, so stop when the script ends. */
	for (;;) {
		int moved = 0;
		pid_t gone;

		poll(from, 3, 50);
		pass_on(from[2].fd);
		for (i = 0; i < 2; i++) {
			ssize_t n = read(from[i].fd, bytes, sizeof(bytes));

			if (n > 0) {
				send_line("@%s %zd\n", tags[i], n);
				send_bytes(bytes, n);
				moved = 1;
			} else if (n == 0) {
				from[i].fd = -1;
			}
		}
		if (moved)
			continue;
		if (status >= 0)
			return status;
		while ((gone = waitpid(-1, &i, WNOHANG)) > 0)
			if (gone == child)
				status = WIFEXITED(i) ? WEXITSTATUS(i)
						      : 128 + WTERMSIG(i);
	}
}

/* A serial line does not know the size of the terminal at its other end; the host does. */
static void set_size(int fd)
{
	const char *rows = getenv("GUEST_ROWS"), *columns = getenv("GUEST_COLUMNS");
	struct winsize size = {
		.ws_row = rows ? atoi(rows) : 0, .ws_col = columns ? atoi(columns) : 0,
	};

	if (size.ws_row && size.ws_col)
		ioctl(fd, TIOCSWINSZ, &size);
}

/* A shell on @tty; NULL: on the console. */
static pid_t start_shell(const char *tty)
{
	pid_t child = fork();
	int fd;

	if (child)
		return child;
	setsid();
	if (tty) {
		fd = open(tty, O_RDWR);
		if (fd < 0)
			_exit(0);
		setenv("GUEST_SECOND", "1", 1);
		dup2(fd, 0);
		dup2(fd, 1);
		dup2(fd, 2);
	}
	ioctl(0, TIOCSCTTY, 1);
	if (!tty)
		set_size(0);
	setenv("ENV", PROLOGUE, 1);
	execl(BASH, "bash", "--rcfile", PROLOGUE, "-i", NULL);
	execl("/bin/sh", "sh", "-i", NULL);
	_exit(127);
}

/* Wait until the shell on the console ends. Restart the shell of the second terminal. */
static void run_shell(void)
{
	const char *tty = getenv("GUEST_SECOND_TTY");
	pid_t first, second = tty ? start_shell(tty) : 0;

	first = start_shell(NULL);
	while (first > 0) {
		pid_t gone = wait(NULL);

		if (gone == first || (gone < 0 && errno == ECHILD))
			break;
		if (gone == second)
			second = start_shell(tty);
	}
}

static void mount_all(void)
{
	static const char *const mounts[][2] = {
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devtmpfs", "/dev" },
		{ "tmpfs", "/tmp" },
		{ "tmpfs", "/out" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
	};
	size_t i;

	for (i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i][1], 0755);
		if (mount(mounts[i][0], mounts[i][1], mounts[i][0], 0, NULL) &&
		    errno != EBUSY && strcmp(mounts[i][0], "tracefs"))
			give_up(mounts[i][1]);
	}
	mkdir("/dev/pts", 0755);
	mount("devpts", "/dev/pts", "devpts", 0, NULL);
	/* The completion of bash reads from commands, by these names. */
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		give_up("/dev/fd");
}

int main(void)
{
	struct utsname system_is;
	int status, i;

	if (getpid() != 1) {
		fputs("this is the init of a guest, not a program to run\n", stderr);
		return 2;
	}
	mount_all();
	/* The kernel may have had no console at the start; now there is one. */
	i = open("/dev/console", O_RDWR);
	if (i >= 0) {
		dup2(i, 0);
		dup2(i, 1);
		dup2(i, 2);
		if (i > 2)
			close(i);
	}
	setenv("PATH", "/guest/bin:/bin", 1);
	setenv("HOME", "/tmp", 1);
	setenv("TERM", "linux", 0);
	if (chdir("/tmp") || system("/bin/busybox --install -s /bin"))
		give_up("busybox");
	uname(&system_is);

	if (getenv("GUEST_SHELL")) {
		run_shell();
		end_machine();
	}

	open_channel();
	send_line("@hello %s\n", system_is.release);
	kmemleak_begin();
	status = run_script();

	/* Processes that the script left running may hold the module open. */
	kill(-1, SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	send_tree("/out", "");
	send_tree("/sys/kernel/debug/gcov", "gcov/");
	kmemleak_end();
	send_file("/proc/sys/kernel/tainted", "tainted");
	save_dmesg("/tmp/dmesg");
	send_file("/tmp/dmesg", "dmesg");
	send_line("@exit %d\n@end\n", status);
	tcdrain(channel);
	end_machine();
}
