/* SPDX-License-Identifier: GPL-2.0 */
/*
 * doctor_parts: declarations shared by the checks of the doctor
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

/* @mend: a command or another remedy; NULL only if none is needed. */
void doctor_finding(struct doctor *doc, const char *check, enum doctor_outcome outcome,
		    const char *sentence, const char *mend);

/* Is the module built, signed and loaded? */
void doctor_module(struct doctor *doc);
void doctor_secure_boot(struct doctor *doc);
/* Command that signs the module with the key of DKMS and enrolls the key; to be freed. */
char *doctor_sign_command(void);
void doctor_parameters(struct doctor *doc);
/* Are the kernel's spinlocks fair? */
void doctor_locks(struct doctor *doc);
/* Are the files for building a module that uses myalloc installed? */
void doctor_build(struct doctor *doc);

#endif /* MYALLOCCTL_DOCTOR_PARTS_H */
