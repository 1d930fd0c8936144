/* SPDX-License-Identifier: GPL-2.0 */
/*
 * doctor_parts: what its checks have in common
 */
#ifndef MYALLOCCTL_DOCTOR_PARTS_H
#define MYALLOCCTL_DOCTOR_PARTS_H

#include <stdbool.h>

enum doctor_outcome {
	OK,
	NOTE,
	PROBLEM,
	SKIPPED,
};

struct out;

struct doctor {
	struct out *o;
	int problems;
	bool loaded;
	bool privileged;
	bool debugfs;
};

/* @mend: a command, or what to do; NULL only if nothing is to be done. */
void doctor_finding(struct doctor *doc, const char *check, enum doctor_outcome outcome,
		    const char *sentence, const char *mend);

/* How the module came, or did not come, into this kernel. */
void doctor_module(struct doctor *doc);
void doctor_secure_boot(struct doctor *doc);
/* Signs the module with the key that DKMS has made, and has the kernel trust it; to be freed. */
char *doctor_sign_command(void);
void doctor_parameters(struct doctor *doc);
/* Are the kernel's spinlocks fair? */
void doctor_locks(struct doctor *doc);
/* What it takes to build a module that uses myalloc. */
void doctor_build(struct doctor *doc);

#endif /* MYALLOCCTL_DOCTOR_PARTS_H */
