// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a fuzz target on files, without a fuzzer: a corpus as a regression test, or one input
 * that crashed. Prints KTAP.
 */
#include "fuzz.h"
#include "ktap.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define INPUT_MOST	0x100000
#define INPUT_SECONDS	60	/* one that takes longer hangs */

static u8 input[INPUT_MOST];

static size_t read_input(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!file)
		host_fatal("%s: %s", path, strerror(errno));
	size = fread(input, 1, sizeof(input), file);
	fclose(file);
	return size;
}

/* In a child, so that the others run, too. A copy of the right size: ASan sees its end. */
static bool survives(const char *path)
{
	size_t size = read_input(path);
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		host_fatal("fork: %s", strerror(errno));
	if (!pid) {
		u8 *copy = malloc(size ?: 1);

		alarm(INPUT_SECONDS);
		memcpy(copy, input, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		host_fatal("waitpid: %s", strerror(errno));
	return !status;
}

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int replay_dir(const char *dir)
{
	struct dirent **entry;
	char path[PATH_MAX];
	int nr = scandir(dir, &entry, not_hidden, alphasort), i;

	if (nr <= 0) {
		fprintf(stderr, "%s: no input there\n", dir);
		return 2;
	}
	ktap_plan(nr);
	for (i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry[i]->d_name);
		ktap_result(survives(path), "%s %s", fuzz_name, entry[i]->d_name);
		free(entry[i]);
	}
	free(entry);
	return ktap_end();
}

int main(int argc, char **argv)
{
	struct stat st;

	if (argc == 3 && !strcmp(argv[1], "--explain")) {
		fuzz_explain(input, read_input(argv[2]));
		return 0;
	}
	if (argc != 2 || stat(argv[1], &st)) {
		fprintf(stderr, "usage: %s DIR      run each input there\n"
			"       %s FILE     run this one\n"
			"       %s --explain FILE     say in words what it is\n", argv[0], argv[0],
			argv[0]);
		return 2;
	}
	if (S_ISDIR(st.st_mode))
		return replay_dir(argv[1]);
	LLVMFuzzerTestOneInput(input, read_input(argv[1]));
	printf("%s: nothing wrong\n", argv[1]);
	return 0;
}
